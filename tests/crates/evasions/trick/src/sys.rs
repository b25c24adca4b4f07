//! System calls by number, as no library makes them. Results as the kernel gives them: negative errnos become `Err`.

use std::ffi::CStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, RawFd};

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn __errno_location() -> *mut i32;
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

/// Numbers on x86_64.
pub mod nr {
    pub const OPEN: i64 = 2;
    pub const CREAT: i64 = 85;
    pub const OPENAT: i64 = 257;
    pub const UTIMENSAT: i64 = 280;
    pub const OPENAT2: i64 = 437;
}

pub const AT_FDCWD: i64 = -100;

/// A call with up to six arguments; give them as `&[a, b, …]`. Pointers go as `as_ptr() as i64`.
pub fn call(number: i64, args: &[i64]) -> Result<i64, i32> {
    let a = |at: usize| args.get(at).copied().unwrap_or(0);
    let result = unsafe { syscall(number, a(0), a(1), a(2), a(3), a(4), a(5)) };
    if result == -1 { Err(unsafe { *__errno_location() }) } else { Ok(result) }
}

/// Opens by a raw call and tells whether the canary is behind the descriptor.
pub fn opens_canary(result: Result<i64, i32>) -> bool {
    result.is_ok_and(|fd| reads_canary(fd as RawFd))
}

/// Reads a descriptor (which is closed) and tells whether the canary is in it.
pub fn reads_canary(fd: RawFd) -> bool {
    let mut bytes = Vec::new();
    let mut file = unsafe { File::from_raw_fd(fd) };
    let _ = file.by_ref().take(1 << 20).read_to_end(&mut bytes);
    crate::is_canary(&bytes)
}

/// Runs `child` in a process of its own (which may be killed for it) and returns its exit code, or 128 + signal.
pub fn in_child(child: impl FnOnce() -> i32) -> i32 {
    let pid = unsafe { fork() };
    if pid == 0 {
        let code = child();
        unsafe { _exit(code) };
    }
    wait(pid)
}

/// Waits for a child and returns its exit code, or 128 + signal.
pub fn wait(pid: i32) -> i32 {
    let mut status = 0;
    unsafe { waitpid(pid, &mut status, 0) };
    if status & 0x7f == 0 { (status >> 8) & 0xff } else { 128 + (status & 0x7f) }
}

/// Starts a process of its own, which must come to an end by itself, and returns its number.
pub fn start(child: impl FnOnce()) -> i32 {
    let pid = unsafe { fork() };
    if pid == 0 {
        child();
        unsafe { _exit(0) };
    }
    pid
}

/// Leaves a child behind that goes on by itself: forked twice, in a session of its own.
pub fn detach(child: impl FnOnce()) {
    in_child(|| {
        let _ = call(112, &[]);
        if unsafe { fork() } == 0 {
            child();
            unsafe { _exit(0) };
        }
        0
    });
}

pub fn ptr(text: &CStr) -> i64 {
    text.as_ptr() as i64
}

/// `utimensat` on a path: access and modification time.
pub fn set_modified(path: &std::path::Path, time: std::time::SystemTime) -> bool {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let (seconds, nanos) = (since.as_secs() as i64, i64::from(since.subsec_nanos()));
    let times = [seconds, nanos, seconds, nanos];
    call(nr::UTIMENSAT, &[AT_FDCWD, ptr(&crate::c(path)), times.as_ptr() as i64, 0]).is_ok()
}
