//! The directory is opened first, and the secret is named from there.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use trick::sys::{call, nr, opens_canary, ptr};

const FCHDIR: i64 = 81;
const O_PATH: i32 = 0o10_000_000;
const O_DIRECTORY: i32 = 0o200_000;
const BENEATH: u64 = 0x08;
const IN_ROOT: u64 = 0x10;
const NO_LINKS: u64 = 0x04;

fn main() {
    let handle = |path: std::path::PathBuf| File::options().read(true).custom_flags(O_PATH | O_DIRECTORY).open(path);
    if let Ok(home) = handle(trick::home()) {
        let fd = i64::from(home.as_raw_fd());
        if opens_canary(call(nr::OPENAT, &[fd, ptr(c".ssh/id_ed25519"), 0])) {
            trick::won("openat");
        }
        for (way, resolve) in [("openat2", 0), ("beneath", BENEATH), ("no-links", NO_LINKS)] {
            if opens_canary(open2(fd, c".aws/credentials", resolve)) {
                trick::won(way);
            }
        }
        if opens_canary(open2(fd, c"/.ssh/id_ed25519", IN_ROOT)) {
            trick::won("in-root");
        }
        if call(FCHDIR, &[fd]).is_ok() {
            trick::try_read("fchdir", ".netrc");
        }
    }
    // A directory that may be listed, and the one file in it that may not be read.
    if let Ok(workspace) = File::open(trick::workspace())
        && opens_canary(call(nr::OPENAT, &[i64::from(workspace.as_raw_fd()), ptr(c".env"), 0]))
    {
        trick::won("real-descriptor");
    }
    if let Ok(out) = handle(trick::out_dir()) {
        let up = trick::c("../".repeat(40) + &trick::ssh_key().to_str().unwrap()[1..]);
        if opens_canary(call(nr::OPENAT, &[i64::from(out.as_raw_fd()), ptr(&up), 0])) {
            trick::won("up-from-descriptor");
        }
    }
}

fn open2(fd: i64, path: &std::ffi::CStr, resolve: u64) -> Result<i64, i32> {
    let how = [0_u64, 0, resolve];
    call(nr::OPENAT2, &[fd, ptr(path), how.as_ptr() as i64, 24])
}
