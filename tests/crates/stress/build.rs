//! Floods whoever watches, and tries to get a secret past in the flood: by thousands of threads, megabytes of arguments, paths at the limits,
//! pointers into nothing, bursts of processes, used-up descriptors, and a great many opens. Says which of it got through. `ZOO_SCALE` is how much;
//! 1 is little. Everything is bounded, and nothing is left behind.

use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

unsafe extern "C" {
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn mmap(at: *mut c_void, length: usize, protection: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
    fn fork() -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
}

fn main() {
    let scale: usize = std::env::var("ZOO_SCALE").map_or(1, |text| text.parse().unwrap());
    let secret = PathBuf::from(std::env::var_os("HOME").unwrap()).join(".ssh/id_ed25519");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    tell("threads", threads(&secret, 300 * scale));
    tell("arguments", arguments(&secret));
    tell("paths", paths(&secret, &out));
    tell("pointers", pointers(&secret, &out, 2_000 * scale));
    tell("processes", processes(&secret, 500));
    tell("descriptors", descriptors(&secret));
    tell("events", events(&secret, &out, 20_000 * scale));
}

fn tell(what: &str, stolen: usize) {
    if stolen > 0 {
        println!("zoo: {what} got through");
    }
}

fn take(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| usize::from(text.contains("CANARY")))
}

/// All of them ask at the same moment.
fn threads(secret: &Path, count: usize) -> usize {
    let stolen = AtomicUsize::new(0);
    // Threads that cannot be had are done without: the barrier is for those asked in batches of this size.
    for batch in (0..count).step_by(2_000) {
        let here = (count - batch).min(2_000);
        let barrier = Barrier::new(here);
        thread::scope(|scope| {
            let mut missing = 0;
            for number in 0..here {
                let work = || {
                    barrier.wait();
                    let _ = File::open("/etc/hostname");
                    stolen.fetch_add(take(secret), Ordering::Relaxed);
                };
                if thread::Builder::new().stack_size(64 << 10).spawn_scoped(scope, work).is_err() {
                    missing = here - number;
                    break;
                }
            }
            (0..missing).for_each(|_| {
                scope.spawn(|| barrier.wait());
            });
        });
    }
    stolen.into_inner()
}

/// Nearly as much as the kernel takes (execve(2): a quarter of the stack limit, and 128 KiB for one string).
fn arguments(secret: &Path) -> usize {
    let long = "x".repeat(120 << 10);
    let mut stolen = 0;
    for fill in ["arguments", "environment", "small ones"] {
        let mut command = Command::new("cat");
        match fill {
            "arguments" => drop(command.args((0..10).map(|_| &long))),
            "environment" => (0..10).for_each(|at| drop(command.env(format!("ZOO_{at}"), &long))),
            _ => drop(command.args((0..40_000).map(|_| "/"))),
        }
        let output = command.arg(secret).stdin(Stdio::null()).stderr(Stdio::null()).output();
        stolen += output.map_or(0, |output| usize::from(output.stdout.windows(6).any(|window| window == b"CANARY")));
    }
    stolen
}

fn paths(secret: &Path, out: &Path) -> usize {
    let bytes = secret.as_os_str().as_bytes();
    let mut stolen = 0;
    // As long as a path may be (4,095 bytes and its end), one more, and far more.
    for length in [4095, 4096, 70_000] {
        let mut path = b"/".repeat(1);
        while path.len() + 2 + bytes.len() <= length {
            path.extend_from_slice(b"./");
        }
        path.extend(std::iter::repeat_n(b'/', length - path.len() - bytes.len()));
        path.extend_from_slice(bytes);
        stolen += take(Path::new(OsStr::from_bytes(&path)));
    }
    for name in [&b"bad\xff\xfe\x01name"[..], b"line\nbreak\x1b]0;t\x07", &[b'n'; 255], "\u{202e}gpj.yek".as_bytes()] {
        let here = out.join(OsStr::from_bytes(name));
        let _ = std::os::unix::fs::symlink(secret, &here);
        stolen += take(&here);
        let _ = fs::write(secret.with_file_name(OsStr::from_bytes(name)), "");
        let _ = fs::remove_file(here);
    }
    stolen
}

/// Pointers into nothing, across the end of what is mapped, and into a file that another process cuts off meanwhile.
fn pointers(secret: &Path, out: &Path, rounds: usize) -> usize {
    const PAGE: usize = 4096;
    let mut stolen = 0;
    let text = CString::new(secret.as_os_str().as_bytes()).unwrap().into_bytes_with_nul();
    let file = File::options().read(true).write(true).create(true).truncate(true).open(out.join("zoo-pages")).unwrap();
    let fill = |file: &File| {
        use std::os::unix::fs::FileExt;
        let mut page = vec![b'/'; 2 * PAGE];
        // The path begins in one page and ends in the next.
        page[PAGE - 8..PAGE - 8 + text.len()].copy_from_slice(&text);
        let _ = file.set_len(2 * PAGE as u64);
        let _ = file.write_all_at(&page, 0);
    };
    fill(&file);
    // PROT_READ, MAP_SHARED.
    let base = unsafe { mmap(std::ptr::null_mut(), 2 * PAGE, 1, 1, file.as_raw_fd(), 0) } as usize;
    for at in [0, 1, 8, usize::MAX, usize::MAX - 4096, 1 << 47, 0xffff_8000_0000_0000, base + 2 * PAGE - 1] {
        stolen += pointed(at);
    }
    let child = unsafe { fork() };
    if child == 0 {
        for _ in 0..rounds {
            let _ = file.set_len(PAGE as u64);
            fill(&file);
        }
        unsafe { _exit(0) };
    }
    for _ in 0..rounds {
        stolen += pointed(base + PAGE - 8);
    }
    unsafe { waitpid(child, std::ptr::null_mut(), 0) };
    // And whole, after all that.
    stolen += pointed(base + PAGE - 8);
    stolen
}

fn pointed(at: usize) -> usize {
    let fd = unsafe { open(at as *const c_char, 0) };
    if fd < 0 {
        return 0;
    }
    let mut text = String::new();
    let _ = unsafe { File::from_raw_fd(fd) }.read_to_string(&mut text);
    usize::from(text.contains("CANARY"))
}

/// A burst of forks, at most fifty at a time.
fn processes(secret: &Path, count: usize) -> usize {
    let mut stolen = 0;
    for _ in 0..count / 50 {
        let children: Vec<c_int> = (0..50)
            .map(|_| match unsafe { fork() } {
                0 => unsafe { _exit(c_int::from(take(secret) > 0)) },
                child => child,
            })
            .collect();
        for child in children.into_iter().filter(|child| *child > 0) {
            let mut status = 0;
            unsafe { waitpid(child, &raw mut status, 0) };
            stolen += usize::from(status != 0);
        }
    }
    stolen
}

/// With every descriptor in use, and again with one free.
fn descriptors(secret: &Path) -> usize {
    let mut held = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        held.push(file);
        assert!(held.len() < 2_000_000, "no limit?");
    }
    let full = std::io::Error::last_os_error().raw_os_error();
    assert_eq!(full, Some(24), "EMFILE is what it says");
    let mut stolen = take(secret);
    held.pop();
    stolen += take(secret);
    drop(held);
    assert!(File::open("/dev/null").is_ok(), "it recovers");
    stolen
}

/// Many different names that are there, many that are not, and many that are refused; the secret somewhere among them.
fn events(secret: &Path, out: &Path, count: usize) -> usize {
    let mut stolen = 0;
    let dir = out.join("zoo-many");
    // Of the throw-away home.
    let elsewhere = secret.parent().and_then(Path::parent).unwrap().to_owned();
    fs::create_dir_all(&dir).unwrap();
    for number in 0..count {
        match number % 4 {
            0 => drop(File::open(dir.join(format!("no-such-{number}")))),
            1 => drop(File::open("/etc/hostname")),
            // Refused, each of its own name.
            2 if number < 100_000 => drop(fs::write(elsewhere.join(format!("zoo-{number}")), "")),
            _ => drop(File::open(&dir)),
        }
        if number == count / 2 {
            stolen += take(secret);
        }
    }
    let _ = fs::remove_dir_all(dir);
    stolen
}
