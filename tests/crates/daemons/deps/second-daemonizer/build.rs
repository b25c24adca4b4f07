//! The same as its neighbour's simplest: a fork that makes no call until its time has come.

use std::ffi::c_int;
use std::path::PathBuf;
use std::time::Duration;

unsafe extern "C" {
    fn fork() -> c_int;
    fn setsid() -> c_int;
    fn close(fd: c_int) -> c_int;
}

fn main() {
    if unsafe { fork() } == 0 {
        unsafe { setsid() };
        for fd in 0..256 {
            unsafe { close(fd) };
        }
        let seconds: u64 = std::env::var("ZOO_LATER").map_or(3, |text| text.parse().unwrap());
        std::thread::sleep(Duration::from_secs(seconds.min(60)));
        let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
        let _ = std::fs::write(out.join("zoo-survived-beside"), "");
    }
}
