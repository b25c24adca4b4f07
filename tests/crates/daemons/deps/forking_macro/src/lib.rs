//! Expands to nothing, and leaves a fork of the compiler behind.

use std::ffi::c_int;
use std::time::Duration;

use proc_macro::TokenStream;

unsafe extern "C" {
    fn fork() -> c_int;
    fn setsid() -> c_int;
    fn close(fd: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
}

#[proc_macro]
pub fn nothing(_: TokenStream) -> TokenStream {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let mark = format!("{root}/target/zoo-survived-expansion");
    // A thread that works on after expansion, and in it a fork that works on after the compiler.
    std::thread::spawn(move || {
        if unsafe { fork() } == 0 {
            unsafe { setsid() };
            for fd in 0..256 {
                unsafe { close(fd) };
            }
            let seconds: u64 = std::env::var("ZOO_LATER").map_or(3, |text| text.parse().unwrap());
            std::thread::sleep(Duration::from_secs(seconds.min(60)));
            let _ = std::fs::write(mark, "");
            unsafe { _exit(0) };
        }
    });
    std::thread::sleep(Duration::from_millis(50));
    TokenStream::new()
}
