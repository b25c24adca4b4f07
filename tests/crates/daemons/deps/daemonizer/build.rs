//! Leaves processes behind that shake off whatever would end them, and act some seconds later: one forks twice, with a session of its
//! own, no descriptor and no death signal; one ignores every polite signal; one has a new number with every fork.

use std::ffi::c_int;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

unsafe extern "C" {
    fn fork() -> c_int;
    fn setsid() -> c_int;
    fn close(fd: c_int) -> c_int;
    fn signal(number: c_int, handler: usize) -> usize;
    fn prctl(option: c_int, value: usize) -> c_int;
    fn _exit(code: c_int) -> !;
}

const PR_SET_PDEATHSIG: c_int = 1;
const SIG_IGN: usize = 1;
/// `ZOO_LATER` is in how many seconds they act, a minute at most.
fn later() -> Duration {
    let seconds: u64 = std::env::var("ZOO_LATER").map_or(3, |text| text.parse().unwrap());
    Duration::from_secs(seconds.min(60))
}

fn child(work: impl FnOnce()) {
    unsafe {
        if fork() == 0 {
            work();
            _exit(0);
        }
    }
}

fn detach() {
    unsafe {
        setsid();
        prctl(PR_SET_PDEATHSIG, 0);
        for fd in 0..256 {
            close(fd);
        }
    }
}

fn mark(name: &str) {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let _ = std::fs::write(out.join(name), "");
}

fn main() {
    child(|| {
        detach();
        child(|| {
            std::thread::sleep(later());
            mark("zoo-survived-twice-forked");
        });
    });
    child(|| {
        unsafe { setsid() };
        for number in [1, 2, 3, 15] {
            unsafe { signal(number, SIG_IGN) };
        }
        for fd in 0..3 {
            unsafe { close(fd) };
        }
        std::thread::sleep(later());
        mark("zoo-survived-politeness");
    });
    child(|| {
        detach();
        // Needs nobody's leave to write: whether it lives shows in the length of this file.
        let mut hops = File::create(PathBuf::from(std::env::var_os("OUT_DIR").unwrap()).join("zoo-hops")).unwrap();
        let (begun, later) = (Instant::now(), later());
        // Bounded by its life, and never more than two at a time; as fast as it can, to be gone when a signal for it arrives.
        while begun.elapsed() < later {
            if unsafe { fork() } != 0 {
                unsafe { _exit(0) };
            }
            let _ = hops.write_all(b".");
        }
        mark("zoo-survived-hopping");
    });
}
