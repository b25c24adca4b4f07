//! As much of libc as is needed. The numbers are the same on x86_64 and aarch64, but for those that say otherwise.

pub use std::ffi::{CString, c_char, c_int, c_long, c_uint, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub const O_RDONLY: c_int = 0;
pub const O_WRONLY: c_int = 1;
pub const O_RDWR: c_int = 2;
pub const O_NOCTTY: c_int = 0o400;
pub const O_NONBLOCK: c_int = 0o4000;
pub const SIGINT: c_int = 2;
pub const SIG_DFL: usize = 0;
pub const SIGUSR1: c_int = 10;
pub const SIGXFSZ: c_int = 25;
pub const SA_RESTART: c_int = 0x1000_0000;

pub const EPERM: i32 = 1;
pub const EINTR: i32 = 4;
pub const EAGAIN: i32 = 11;
pub const EACCES: i32 = 13;
pub const EMFILE: i32 = 24;
pub const EFBIG: i32 = 27;
pub const ERANGE: i32 = 34;
pub const ECONNREFUSED: i32 = 111;

unsafe extern "C" {
    pub fn fork() -> c_int;
    pub fn _exit(code: c_int) -> !;
    pub fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    pub fn setsid() -> c_int;
    pub fn getpid() -> c_int;
    pub fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    pub fn close(fd: c_int) -> c_int;
    pub fn read(fd: c_int, into: *mut c_void, length: usize) -> isize;
    pub fn write(fd: c_int, from: *const c_void, length: usize) -> isize;
    pub fn posix_openpt(flags: c_int) -> c_int;
    pub fn grantpt(fd: c_int) -> c_int;
    pub fn unlockpt(fd: c_int) -> c_int;
    pub fn ptsname_r(fd: c_int, name: *mut c_char, length: usize) -> c_int;
    pub fn tcgetpgrp(fd: c_int) -> c_int;
    pub fn mkfifo(path: *const c_char, mode: c_uint) -> c_int;
    pub fn prctl(option: c_int, ...) -> c_int;
    pub fn signal(number: c_int, handler: usize) -> usize;
    pub fn sigaction(number: c_int, action: *const Action, before: *mut Action) -> c_int;
    pub fn pthread_self() -> usize;
    pub fn pthread_kill(thread: usize, number: c_int) -> c_int;
    pub fn setrlimit(resource: c_uint, limit: *const [u64; 2]) -> c_int;
    pub fn truncate(path: *const c_char, length: i64) -> c_int;
    pub fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    pub fn bind(fd: c_int, address: *const c_void, length: c_uint) -> c_int;
    pub fn connect(fd: c_int, address: *const c_void, length: c_uint) -> c_int;
    pub fn listen(fd: c_int, backlog: c_int) -> c_int;
    pub fn geteuid() -> c_uint;
    pub fn getegid() -> c_uint;
    pub fn getgroups(size: c_int, list: *mut c_uint) -> c_int;
    pub fn setgroups(size: usize, list: *const c_uint) -> c_int;
    pub fn setgid(group: c_uint) -> c_int;
    pub fn setuid(user: c_uint) -> c_int;
    pub fn getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, length: *mut c_uint) -> c_int;
    pub fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: c_uint) -> c_int;
    pub fn recvmsg(fd: c_int, message: *mut Message, flags: c_int) -> isize;
    pub fn setfsuid(user: c_uint) -> c_int;
    pub fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    pub fn syscall(number: c_long, ...) -> c_long;
}

/// `struct msghdr` on 64-bit machines.
#[repr(C)]
pub struct Message {
    pub name: *mut c_void,
    pub name_length: c_uint,
    pub parts: *mut [usize; 2],
    pub part_count: usize,
    pub control: *mut c_void,
    pub control_length: usize,
    pub flags: c_int,
}

/// `struct sigaction` as libc has it on 64-bit machines.
#[repr(C)]
pub struct Action {
    pub handler: usize,
    pub mask: [u64; 16],
    pub flags: c_int,
    pub restorer: usize,
}

extern "C" fn nothing(_: c_int) {}

/// A handler that does nothing, after which a call fails (`flags` 0) or comes again (`SA_RESTART`).
pub fn handle(number: c_int, flags: c_int) {
    let action = Action { handler: nothing as *const () as usize, mask: [0; 16], flags, restorer: 0 };
    assert_eq!(unsafe { sigaction(number, &action, std::ptr::null_mut()) }, 0);
}

pub fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap()
}

pub fn path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// A directory of this test alone.
pub fn place(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&place).unwrap();
    place
}

/// In a process of its own, because none of it can be undone. What it returns is its exit code.
pub fn child(work: impl FnOnce() -> i32) -> c_int {
    let pid = unsafe { fork() };
    if pid == 0 {
        let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(99);
        unsafe { _exit(code) };
    }
    pid
}

/// The exit code, or the negative number of the signal that ended it.
pub fn ends(pid: c_int) -> i32 {
    let mut status = 0;
    assert_eq!(unsafe { waitpid(pid, &mut status, 0) }, pid);
    if status & 0x7f == 0 { status >> 8 & 0xff } else { -(status & 0x7f) }
}
