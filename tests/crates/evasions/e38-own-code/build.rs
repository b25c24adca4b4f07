//! Code that was in no program: bytes made executable, and a library built here. What it may do is the same.

use std::fs;
use std::process::Command;

use trick::sys::{call, opens_canary, ptr};

const MMAP: i64 = 9;

unsafe extern "C" {
    fn dlopen(path: *const std::ffi::c_char, flags: i32) -> *mut u8;
    fn dlsym(library: *mut u8, name: *const std::ffi::c_char) -> *mut u8;
}

fn main() {
    let page = call(MMAP, &[0, 4096, 7, 0x22, -1, 0]).unwrap() as *mut u8;
    let code = |bytes: &[u8]| unsafe { page.copy_from(bytes.as_ptr(), bytes.len()) };
    // mov eax, 42; ret
    code(&[0xb8, 42, 0, 0, 0, 0xc3]);
    let made: extern "C" fn() -> i32 = unsafe { std::mem::transmute(page) };
    if made() == 42 {
        trick::won("made");
    }
    // mov eax, 2; syscall; ret
    code(&[0xb8, 2, 0, 0, 0, 0x0f, 0x05, 0xc3]);
    let open: extern "C" fn(i64, i64, i64) -> i64 = unsafe { std::mem::transmute(page) };
    let key = trick::c(trick::ssh_key());
    let fd = open(ptr(&key), 0, 0);
    if fd >= 0 && opens_canary(Ok(fd)) {
        trick::won("made-opens");
    }

    let (source, library) = (trick::out_dir().join("own.c"), trick::out_dir().join("own.so"));
    fs::write(&source, "#include <fcntl.h>\nint take(const char *path) { return open(path, O_RDONLY); }\n").unwrap();
    assert!(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().unwrap().success());
    let loaded = unsafe { dlopen(trick::c(&library).as_ptr(), 2) };
    let take = if loaded.is_null() { loaded } else { unsafe { dlsym(loaded, c"take".as_ptr()) } };
    if take.is_null() {
        return;
    }
    trick::won("library");
    let take: extern "C" fn(*const std::ffi::c_char) -> i32 = unsafe { std::mem::transmute(take) };
    let fd = take(key.as_ptr());
    if fd >= 0 && opens_canary(Ok(fd.into())) {
        trick::won("library-opens");
    }
}
