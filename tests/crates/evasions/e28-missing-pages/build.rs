//! Whoever reads the path must not wait for a page, nor take an error for an answer; nor wait for the holder of a lease on the file.

use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use trick::race::{Racer, Shared, Tally, begin, race};
use trick::sys::{call, nr};

const MMAP: i64 = 9;
const MUNMAP: i64 = 11;
const MPROTECT: i64 = 10;
const FTRUNCATE: i64 = 77;
const USERFAULTFD: i64 = 323;
const FCNTL: i64 = 72;
const F_SETLEASE: i64 = 1024;
const F_WRLCK: i64 = 1;
/// `UFFD_USER_MODE_ONLY`, which needs no privilege.
const USER_MODE_ONLY: i64 = 1;
const EFAULT: i32 = 14;

fn main() {
    begin();
    if call(USERFAULTFD, &[USER_MODE_ONLY]).is_ok() {
        trick::won("userfaultfd");
    }
    let out = trick::out_dir();
    let leased = std::fs::File::create(out.join("leased")).unwrap();
    if call(FCNTL, &[leased.as_raw_fd().into(), F_SETLEASE, F_WRLCK]).is_ok() {
        trick::won("lease");
    }
    // The path is in a file that another process cuts off and fills again.
    let file = std::fs::File::options().read(true).write(true).create(true).truncate(true).open(out.join("page")).unwrap();
    let secret = trick::ssh_key();
    let text = [secret.as_os_str().as_encoded_bytes(), b"\0"].concat();
    let fd = i64::from(file.as_raw_fd());
    let fill = || file.write_all_at(&text, 0).unwrap();
    fill();
    let at = call(MMAP, &[0, 4096, 1, 1, fd, 0]).unwrap();
    let shared = Shared::anonymous();
    for (way, racer) in [("truncated-by-thread", Racer::Thread), ("truncated-by-process", Racer::Process)] {
        let change = || {
            let _ = call(FTRUNCATE, &[fd, 0]);
            fill();
        };
        let mut tally = Tally::default();
        tally.rewritten += race(racer, &shared, change, || tally.opened(call(nr::OPEN, &[at, 0])));
        tally.tell(way, ".ssh/id_ed25519");
    }
    // Memory that may not be read, and memory that is taken away by a thread.
    let other = trick::c(trick::home().join(".netrc"));
    let room = call(MMAP, &[0, 8192, 3, 0x22, -1, 0]).unwrap();
    let place = room + 4096 - 10;
    unsafe { std::ptr::copy(other.as_ptr().cast::<u8>(), place as *mut u8, other.count_bytes() + 1) };
    let mut tally = Tally::default();
    let change = || {
        let _ = call(MPROTECT, &[room + 4096, 4096, 0]);
        let _ = call(MPROTECT, &[room + 4096, 4096, 3]);
    };
    tally.rewritten += race(Racer::Thread, &shared, change, || tally.opened(call(nr::OPEN, &[place, 0])));
    tally.tell("protected", ".netrc");
    call(MUNMAP, &[room + 4096, 4096]).unwrap();
    assert_eq!(call(nr::OPEN, &[place, 0]), Err(EFAULT));
    assert_eq!(call(nr::OPEN, &[0, 0]), Err(EFAULT));
    assert_eq!(call(nr::OPEN, &[-4096, 0]), Err(EFAULT));
}
