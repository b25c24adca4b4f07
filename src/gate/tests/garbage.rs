//! An actor that makes every mediated call with registers and structures full of garbage: paths, `open_how`, times, attributes, socket
//! addresses, message headers, argument lists; pointers at the edge of a mapping, into holes, around the end of memory. The gate answers
//! each, gives away nothing, and still serves honest calls afterwards.
//!
//! Harmless even where the gate errs. Nobody here is root: actor and gate run as a user who owns nothing but the stage, so that the kernel
//! keeps the machine's own files and processes. Paths climb no higher than the stage's root, but for `/dev/null`; addresses are loopback's;
//! signals are such as nobody heeds, priorities and limits those there are, queues and memory those of numbers nobody has.

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::fuzz::source::Source;
use crate::model::calls::{F_SETOWN_EX, Row, Treatment, table};
use crate::sys::testing::{self, page_before_a_hole};

const SEED: u64 = 0x6761_7465;
const PAGE: usize = 4096;
/// A user and group that no distribution gives to anybody, within what containers have.
const NOBODYS: u32 = 65_533;
/// Ignored by whoever does not ask for them, or no signals at all.
const UNHEEDED: [i32; 8] = [0, libc::SIGCHLD, libc::SIGURG, libc::SIGWINCH, libc::SIGCONT, 65, -1, i32::MAX];

/// Plays `test` once more as somebody who owns nothing, where we are root: true when that was done. What root may do on this machine, a
/// gate that errs would do.
pub fn as_nobody(test: &str) -> bool {
    if !nix::unistd::geteuid().is_root() {
        return false;
    }
    let place = tempfile::tempdir().unwrap();
    chown(place.path(), Some(NOBODYS), Some(NOBODYS)).unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("TMPDIR", place.path());
    let done = again.uid(NOBODYS).gid(NOBODYS).output().expect("a root that can become somebody else, and a program others can run");
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(done.status.success() && said.contains("1 passed"), "as user {NOBODYS}: {said}");
    true
}

/// Memory an actor owns up to its last byte.
struct Place {
    page: &'static mut [u8],
    end: u64,
    free: usize,
}

impl Place {
    /// Puts bytes where nothing lies yet; most often so that they end where the mapping ends.
    fn put(&mut self, source: &mut Source, bytes: &[u8]) -> u64 {
        let at = match self.free.checked_sub(bytes.len() + 8) {
            Some(at) => at & !7,
            None => return 8,
        };
        let at = if self.free == PAGE && source.one_in(2) { PAGE - bytes.len() } else { at };
        self.page[at..at + bytes.len()].copy_from_slice(bytes);
        self.free = at & !7;
        self.end - (PAGE - at) as u64
    }
}

pub fn travel(root: &Path) {
    let seconds = variable("BRIG_FUZZ_SECONDS").map(Duration::from_secs);
    let mut source = Source::new(variable("BRIG_FUZZ_SEED").unwrap_or(SEED));
    let rows: Vec<&Row> =
        table().iter().filter(|row| !matches!(row.treatment, Treatment::Device | Treatment::Tamper | Treatment::Absent)).collect();
    let (page, end) = page_before_a_hole();
    let mut place = Place { page, end, free: PAGE };
    let directory = File::open(root.join("out")).unwrap();
    let sockets = sockets();
    let owners = [std::process::id(), nix::unistd::getppid().as_raw() as u32].map(|pid| crate::sys::pidfd::open(pid, 0).unwrap());
    let handles = owners.each_ref().map(AsRawFd::as_raw_fd);
    let began = Instant::now();
    let mut calls = 0u64;
    while seconds.map_or(calls < 4000, |seconds| began.elapsed() < seconds) {
        place.free = PAGE;
        let row = source.pick(&rows);
        if calls.is_multiple_of(50) {
            mend(root);
        }
        let fds = [directory.as_raw_fd(), sockets[source.below(sockets.len())].as_raw_fd(), source.pick(&handles)];
        let args = arguments(&mut source, row, &mut place, root, fds);
        // A call nobody answers is a finding, too: this ends the actor.
        nix::unistd::alarm::set(120);
        let (answer, fresh) = testing::call(row.number, args, makes_descriptor(row));
        calls += 1;
        let said = || format!("{} {args:x?} → {answer}, call {calls}", row.name);
        if let Some(fresh) = fresh {
            let file = File::from(fresh);
            let mut text = [0; 64];
            let got = if row.treatment == Treatment::Open { file.read_at(&mut text, 0).unwrap_or(0) } else { 0 };
            assert!(!text[..got].windows(6).any(|window| window == b"CANARY"), "the secret was handed over: {}", said());
        }
        assert!(answer >= -4095, "no errno: {}", said());
    }
    nix::unistd::alarm::cancel();
    let mut text = String::new();
    File::open(root.join("workspace/src/lib.rs")).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "fn main() {}\n", "honest calls are served afterwards");
    assert!(fs::read(root.join("workspace/.env")).is_err());
    super::stage::tell("calls", calls);
}

/// What chmod and the like have made of its own places would make everything else fail.
fn mend(root: &Path) {
    for own in ["out", "tmp"].map(|name| root.join(name)) {
        fs::create_dir(&own).ok();
        fs::set_permissions(&own, Permissions::from_mode(0o755)).ok();
    }
}

fn makes_descriptor(row: &Row) -> bool {
    matches!(row.treatment, Treatment::Open | Treatment::Socket | Treatment::Memfd)
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok())
}

fn sockets() -> Vec<OwnedFd> {
    let kinds = [
        (libc::AF_UNIX, libc::SOCK_DGRAM),
        (libc::AF_UNIX, libc::SOCK_STREAM),
        (libc::AF_INET, libc::SOCK_DGRAM),
        (libc::AF_INET6, libc::SOCK_DGRAM),
        (libc::AF_INET, libc::SOCK_STREAM),
    ];
    let made = kinds.iter().map(|(family, kind)| crate::sys::socket::create(*family, kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0));
    made.collect::<Result<_, _>>().unwrap()
}

/// Six registers: the right sort of thing in each, or the wrong one.
fn arguments(source: &mut Source, row: &Row, place: &mut Place, root: &Path, [directory, socket, handle]: [i32; 3]) -> [u64; 6] {
    let mut args = [0; 6];
    for arg in &mut args {
        *arg = match source.below(10) {
            0..=3 => path(source, place, root),
            4 => number(source),
            5 => fd(source, directory, socket),
            6 => {
                let words: Vec<u8> = source.many(8, number).into_iter().flat_map(u64::to_ne_bytes).collect();
                place.put(source, &words)
            }
            7 => source.pick(&[0, 8, place.end, place.end - 1, u64::MAX, u64::MAX - 7, 1 << 47, 0xffff_8000_0000_0000]),
            8 => source.pick(&[0o644, 0o755, 0o7777, libc::S_IFREG as u64 | 0o600, libc::S_IFCHR as u64, libc::S_IFBLK as u64 | 0o666]),
            _ => 0,
        };
    }
    // What the call means by its arguments, mostly: else it would fail at the first of them.
    let at = usize::from(row.name.ends_with("at") || row.name.contains("at2"));
    match row.treatment {
        Treatment::Open => {
            args[0] = fd(source, directory, socket);
            args[at] = path(source, place, root);
            args[at + 1] = source.number() | libc::O_NONBLOCK as u64;
            args[at + 2] = source.pick(&[0o600, 0o7777, source_mode(row)]);
            if row.number == libc::SYS_openat2 {
                args[1] = path(source, place, root);
                let mut how = [source.number(), 0, 0, 0].map(u64::to_ne_bytes).concat();
                let flags = source.pick(&[0, libc::O_CLOEXEC, libc::O_CREAT | libc::O_RDWR, libc::O_DIRECTORY, libc::O_PATH]) as u64;
                how[..8].copy_from_slice(&(flags | libc::O_NONBLOCK as u64).to_ne_bytes());
                how[16..24].copy_from_slice(&(source.number() & 0x7f).to_ne_bytes());
                args[2] = place.put(source, &how);
                args[3] = source.pick(&[24, 32, 0, 23, 4096, u64::MAX, 1 << 32 | 24]);
            }
            #[cfg(target_arch = "x86_64")]
            if row.number == libc::SYS_creat {
                args[0] = path(source, place, root);
            }
        }
        Treatment::Change => change(source, row, place, root, [directory, socket], &mut args),
        // What FIFOs make wait, nobody here would wake.
        Treatment::Exec | Treatment::Socket | Treatment::Memfd => {}
        Treatment::Connect | Treatment::Bind => {
            args[0] = fd(source, socket, directory);
            (args[1], args[2]) = address(source, place, root);
        }
        Treatment::Send => {
            args[0] = fd(source, socket, directory);
            let (name, length) = address(source, place, root);
            if row.number == libc::SYS_sendto {
                (args[2], args[4], args[5]) = (source.below(9) as u64, name, length);
            } else {
                let vector = place.put(source, &[8u64, 4].map(u64::to_ne_bytes).concat());
                let header = [name, length, vector, source.below(3) as u64, 0, source.pick(&[0, 16]), 0, 0].map(u64::to_ne_bytes).concat();
                args[1] = place.put(source, &header);
                args[2] = source.below(4) as u64;
            }
        }
        Treatment::Peer => {
            (args[0], args[1]) = (fd(source, socket, directory), libc::SOL_SOCKET as u64);
            args[2] = source.pick(&[libc::SO_PEERCRED as u64, 77, libc::SO_PEERGROUPS as u64]);
            let length = source.pick(&[0, 4, 11, 12, 64, u64::MAX]).to_ne_bytes();
            args[4] = place.put(source, &length);
        }
        Treatment::Signal => {
            let descriptors = [fd(source, directory, socket), fd(source, handle, directory)];
            args = signal(source, row, place, descriptors);
        }
        Treatment::Schedule => args = schedule(source, row, place),
        Treatment::Ipc => args = shared(source, row, place),
        Treatment::Watch => args[1] = path(source, place, root),
        Treatment::Restrict => (args[0], args[1]) = (fd(source, directory, socket), source.below(17) as u64),
        Treatment::Itself => args = itself(source, row, place),
        Treatment::Clock | Treatment::Device | Treatment::Tamper | Treatment::Absent => {}
    }
    if row.name.starts_with("mknod") {
        let mode = 1 + at;
        args[mode] = source.pick(&[
            0o600,
            libc::S_IFREG as u64,
            libc::S_IFCHR as u64 | 0o666,
            libc::S_IFBLK as u64,
            libc::S_IFDIR as u64,
            0o170_000,
        ]);
    }
    if source.one_in(10) {
        args[source.below(6)] ^= 1 << (32 + source.below(32));
    }
    args
}

/// Which file, and for two which other.
fn change(source: &mut Source, row: &Row, place: &mut Place, root: &Path, [directory, socket]: [i32; 2], args: &mut [u64; 6]) {
    let at = usize::from(row.name.ends_with("at") || row.name.contains("at2") || row.name.starts_with("file_"));
    if at == 1 {
        args[0] = fd(source, directory, socket);
    }
    let by_descriptor = ["fchmod", "fchown", "fsetxattr", "fremovexattr"].contains(&row.name);
    if !source.one_in(5) {
        args[at] = if by_descriptor { fd(source, directory, socket) } else { path(source, place, root) };
    }
    let second = match row.name {
        "rename" | "link" | "symlink" => 1,
        "renameat" | "renameat2" | "linkat" => 3,
        "symlinkat" => 2,
        _ => 0,
    };
    if second > 0 && !source.one_in(5) {
        args[second] = path(source, place, root);
    }
    if second == 3 {
        (args[2], args[4]) = (fd(source, directory, socket), source.pick(&[0, 0, 1, 2, 0x400]));
    }
    if second == 2 {
        (args[0], args[1]) = (args[2], args[0]);
    }
    if row.name.contains("xattr") {
        let name = source.pick(&["user.brig\0", "security.capability\0", "trusted.x\0", "user.\0", "\0"]);
        args[at * 2 + 1] = place.put(source, name.as_bytes());
    }
    if row.name.contains("time") && source.one_in(2) {
        args[at + 1] = 0;
    }
}

/// A process, a group of them, or everybody.
fn whom(source: &mut Source) -> u64 {
    let (own, brig) = (std::process::id() as i32, nix::unistd::getppid().as_raw());
    let whom = source.pick(&[0, 1, -1, own, -own, brig, -brig, i32::MIN, i32::MAX, 0x7fff_0000]);
    if source.one_in(2) { whom as u32 as u64 } else { whom as i64 as u64 }
}

/// A structure of these words, or a pointer that leads nowhere.
fn structure(source: &mut Source, place: &mut Place, words: &[u64]) -> u64 {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let there = place.put(source, &bytes);
    source.pick(&[there, there, there, 0, 8, place.end, u64::MAX, 0xffff_8000_0000_0000])
}

fn signal(source: &mut Source, row: &Row, place: &mut Place, [descriptor, handle]: [u64; 2]) -> [u64; 6] {
    let number = source.pick(&UNHEEDED) as u64;
    let words = source.many(18, Source::number);
    let info = structure(source, place, &words);
    match row.number {
        libc::SYS_fcntl if source.one_in(4) => [descriptor, libc::F_SETLEASE as u64, source.number(), 0, 0, 0],
        libc::SYS_fcntl if source.one_in(3) => [descriptor, F_SETOWN_EX as u64, structure(source, place, &[2]), 0, 0, 0],
        libc::SYS_fcntl => [descriptor, libc::F_SETOWN as u64, whom(source), 0, 0, 0],
        libc::SYS_pidfd_send_signal => [handle, number, info, source.pick(&[0, 0, 0, 1, u64::MAX]), 0, 0],
        libc::SYS_tgkill | libc::SYS_rt_tgsigqueueinfo => [whom(source), whom(source), number, info, 0, 0],
        _ => [whom(source), number, info, 0, 0, 0],
    }
}

/// Sets what is set already, as far as it says anything.
fn schedule(source: &mut Source, row: &Row, place: &mut Place) -> [u64; 6] {
    let (whose, which) = (whom(source), source.pick(&[0, 1, 2, 3, u64::MAX]));
    let zeros = structure(source, place, &[0; 2]);
    match row.number {
        libc::SYS_prlimit64 => [whose, source.number() % 20, structure(source, place, &[u64::MAX; 2]), source.pick(&[0, zeros]), 0, 0],
        libc::SYS_sched_setaffinity => [whose, source.pick(&[0, 8, 128, u64::MAX]), structure(source, place, &[u64::MAX; 16]), 0, 0, 0],
        libc::SYS_sched_setscheduler => [whose, source.pick(&[libc::SCHED_OTHER as u64, 99, u64::MAX]), zeros, 0, 0, 0],
        libc::SYS_sched_setparam => [whose, zeros, 0, 0, 0, 0],
        libc::SYS_sched_setattr => [whose, structure(source, place, &[48, 0, 0, 0, 0, 0]), source.pick(&[0, 0, u64::MAX]), 0, 0, 0],
        // setpriority and ioprio_set.
        _ => [which, whose, 0, 0, 0, 0],
    }
}

/// What is read goes nowhere.
fn itself(source: &mut Source, row: &Row, place: &mut Place) -> [u64; 6] {
    match row.number {
        libc::SYS_process_vm_readv => [whom(source), structure(source, place, &[0, 8]), 1, structure(source, place, &[0, 8]), 1, 0],
        libc::SYS_kcmp => [whom(source), whom(source), source.below(9) as u64, source.below(9) as u64, source.below(9) as u64, 0],
        libc::SYS_unshare => {
            [source.pick(&[0, libc::CLONE_FS, libc::CLONE_NEWUSER, libc::CLONE_FS | libc::CLONE_NEWNS]) as u64, 0, 0, 0, 0, 0]
        }
        _ => {
            let options = [libc::PR_SET_DUMPABLE, libc::PR_GET_DUMPABLE, libc::PR_SET_PTRACER, libc::PR_SET_MM];
            [source.pick(&options) as u64, source.pick(&[0, 1, 2, u64::MAX]), 0, 0, 0, 0]
        }
    }
}

/// Nothing is made, and nothing has these numbers.
fn shared(source: &mut Source, row: &Row, place: &mut Place) -> [u64; 6] {
    let words = source.many(8, Source::number);
    let buffer = structure(source, place, &words);
    let unused = source.pick(&[-1, i32::MAX, i32::MIN]) as u64;
    match row.name {
        name if name.ends_with("get") => [1 + source.next() % 0xffff_fffe, source.pick(&[0, 8]), 0, 0, 0, 0],
        name if name.starts_with("mq_") => [place.put(source, format!("brig-{}\0", std::process::id()).as_bytes()), 0, 0, buffer, 0, 0],
        _ => [unused, source.pick(&[0, 1, 2, buffer]), buffer, 0, 0, 0],
    }
}

/// `creat` and `open` take it where `openat` does.
fn source_mode(row: &Row) -> u64 {
    if row.name == "creat" { 0o700 } else { 0o640 }
}

fn number(source: &mut Source) -> u64 {
    source.number()
}

fn fd(source: &mut Source, likely: i32, other: i32) -> u64 {
    let number = source.pick(&[libc::AT_FDCWD, libc::AT_FDCWD, likely, likely, other, -1, 0, 99]);
    // The kernel takes an int: what stands above means nothing.
    if source.one_in(2) { number as u32 as u64 } else { number as i64 as u64 }
}

/// A path below the stage, in some spelling; perhaps not quite one.
fn path(source: &mut Source, place: &mut Place, root: &Path) -> u64 {
    let root = root.to_str().unwrap();
    let starts = [
        String::new(),
        "src".into(),
        "../out".into(),
        "../forbidden".into(),
        "../tmp".into(),
        format!("{root}/out"),
        format!("{root}/workspace"),
        "/proc/self/cwd".into(),
        "/proc/thread-self/cwd/../out".into(),
        "/dev/fd/0".into(),
        "/proc/self/fd/99".into(),
        "/dev/null".into(),
    ];
    let mut text = source.pick(&starts).into_bytes();
    let names = if text.starts_with(b"/dev/null") { 0 } else { source.below(3) };
    for _ in 0..names {
        if !text.is_empty() {
            text.push(b'/');
        }
        let name = source.pick(&[".env", "lib.rs", "a", "b", "link", "dropped", ".", "", ".git/config", "deep/er", "\x1b[2K\u{202e}"]);
        text.extend(name.as_bytes());
    }
    if source.one_in(12) {
        text.extend(b"/x".repeat(source.pick(&[100, 1000, 1900])));
    }
    if source.one_in(10) {
        text.extend(source.bytes(20).into_iter().filter(|byte| *byte != b'/'));
    }
    // Without its end it runs into what lies behind it.
    if !source.one_in(20) {
        text.push(0);
    }
    place.put(source, &text)
}

/// A socket address on this machine, whole or not, and its length.
fn address(source: &mut Source, place: &mut Place, root: &Path) -> (u64, u64) {
    let port = source.pick(&[0u16, 9, 53, 40_000]).to_be_bytes();
    let mut bytes = match source.below(6) {
        0 => [&[2, 0][..], &port, &[127, 0, 0, 1], &[0; 8]].concat(),
        1 => [&[10, 0][..], &port, &[0; 4], &[0; 15], &[1], &[0; 4]].concat(),
        2 => [&[10, 0][..], &port, &[0; 4], &[0; 10], &[0xff, 0xff, 127, 0, 0, 1], &[0; 4]].concat(),
        3 => [&[1, 0][..], root.join("out/socket").as_os_str().as_encoded_bytes(), &[0]].concat(),
        4 => [&[1, 0, 0][..], format!("brig-garbage-{}", std::process::id()).as_bytes()].concat(),
        _ => [&[source.below(50) as u8, 0][..], &[0; 14]].concat(),
    };
    if source.one_in(4) {
        bytes.resize(source.below(140), 0);
    }
    let whole = bytes.len() as u64;
    let length = source.pick(&[whole, whole, whole, 2, 0, 128, 129, u64::MAX, 1 << 32 | whole]);
    (place.put(source, &bytes), length)
}
