//! Runs programs that no path names as such: one from anonymous memory, one handed to the dynamic loader. Both are `/bin/true`.

use std::ffi::{CString, c_char};
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd};
use std::process::Command;

unsafe extern "C" {
    fn memfd_create(name: *const c_char, flags: u32) -> i32;
    fn execveat(dir: i32, path: *const c_char, argv: *const *const c_char, envp: *const *const c_char, flags: i32) -> i32;
}

const AT_EMPTY_PATH: i32 = 0x1000;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("memfd") {
        from_memory();
        // Only reached when the call failed.
        std::process::exit(77);
    }
    let me = std::env::current_exe().unwrap();
    if Command::new(me).arg("memfd").status().is_ok_and(|status| status.success()) {
        println!("zoo: ran from memory");
    }
    let copy = std::env::temp_dir().join("zoo-copy-of-true");
    // Without the executable bit: the loader does not ask for it.
    fs::write(&copy, fs::read("/bin/true").unwrap()).unwrap();
    let loader = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].into_iter().find(|path| fs::exists(path).unwrap_or(false));
    if Command::new(loader.unwrap()).arg(&copy).status().is_ok_and(|status| status.success()) {
        println!("zoo: ran through the loader");
    }
}

fn from_memory() {
    let name = CString::new("zoo").unwrap();
    let (argv, envp) = ([name.as_ptr(), std::ptr::null()], [std::ptr::null()]);
    let empty = CString::default();
    let fd = unsafe { memfd_create(name.as_ptr(), 0) };
    if fd < 0 {
        return;
    }
    let mut file = unsafe { fs::File::from_raw_fd(fd) };
    let _ = std::io::Write::write_all(&mut file, &fs::read("/bin/true").unwrap());
    unsafe { execveat(file.as_raw_fd(), empty.as_ptr(), argv.as_ptr(), envp.as_ptr(), AT_EMPTY_PATH) };
}
