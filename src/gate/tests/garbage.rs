//! An actor that makes every mediated call with registers and structures full of garbage: paths, `open_how`, times, attributes, socket
//! addresses, message headers, argument lists; pointers at the edge of a mapping, into holes, around the end of memory. The gate answers
//! each, gives away nothing, and still serves honest calls afterwards.
//!
//! Everything that could be harmed lies below the stage: paths climb no higher than its root, addresses are loopback's.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::fuzz::source::Source;
use crate::model::calls::{Row, Treatment, table};
use crate::sys::testing::{self, page_before_a_hole};

const SEED: u64 = 0x6761_7465;
const PAGE: usize = 4096;

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
    let rows: Vec<&Row> = table().iter().filter(|row| !matches!(row.treatment, Treatment::Tamper | Treatment::Absent)).collect();
    let (page, end) = page_before_a_hole();
    let mut place = Place { page, end, free: PAGE };
    let directory = File::open(root.join("out")).unwrap();
    let sockets = sockets();
    let began = Instant::now();
    let mut calls = 0u64;
    while seconds.map_or(calls < 1200, |seconds| began.elapsed() < seconds) {
        place.free = PAGE;
        let row = source.pick(&rows);
        let fds = [directory.as_raw_fd(), sockets[source.below(sockets.len())].as_raw_fd()];
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
fn arguments(source: &mut Source, row: &Row, place: &mut Place, root: &Path, [directory, socket]: [i32; 2]) -> [u64; 6] {
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
            if row.number == libc::SYS_creat {
                args[0] = path(source, place, root);
            }
        }
        Treatment::Change if at == 1 => args[0] = fd(source, directory, socket),
        // What FIFOs make wait, nobody here would wake.
        Treatment::Exec | Treatment::Socket | Treatment::Memfd | Treatment::Change => {}
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
        Treatment::Tamper | Treatment::Absent => {}
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
    ];
    let mut text = source.pick(&starts).into_bytes();
    for _ in 0..source.below(3) {
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
