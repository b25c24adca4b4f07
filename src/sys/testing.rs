//! Kernel calls only tests make.

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use super::descriptors::fresh;

/// A writable page followed by one that is not mapped, and the address where it ends. Leaked.
pub fn page_before_a_hole() -> (&'static mut [u8], u64) {
    // SAFETY: a fresh anonymous mapping of two pages, of which the second is unmapped at once; the first is never unmapped, so a
    // 'static slice over it is sound, and nobody else has it.
    unsafe {
        let base =
            libc::mmap(std::ptr::null_mut(), 8192, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        assert_ne!(base, libc::MAP_FAILED);
        assert_eq!(libc::munmap(base.byte_add(4096), 4096), 0);
        (std::slice::from_raw_parts_mut(base.cast(), 4096), base as u64 + 4096)
    }
}

/// `openat` in the current directory with a path that other threads may write to meanwhile.
pub fn open_while_it_changes(path: &[AtomicU32]) -> io::Result<OwnedFd> {
    assert!(path.last().is_some_and(|last| last.load(Ordering::Relaxed) == 0));
    // SAFETY: the path ends in a NUL that nobody overwrites (checked above, and our tests keep to it); only the kernel reads it.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC, 0) };
    // SAFETY: made by that very call.
    unsafe { fresh(fd as i32) }
}

/// `openat2` with a structure of any size and contents; the errno.
pub fn open_how(path: &CStr, how: &[u64], size: usize) -> i32 {
    assert!(size <= size_of_val(how));
    // SAFETY: the kernel reads `size` bytes, which the slice has, and a NUL-terminated path.
    let fd = unsafe { libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, path.as_ptr(), how.as_ptr(), size) };
    // SAFETY: made by that very call.
    errno_of(unsafe { fresh(fd as i32) })
}

/// `open` of a pointer that leads nowhere; the errno.
pub fn open_nowhere() -> i32 {
    // SAFETY: only the kernel looks at the pointer, and finds nothing there.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, 16, 0, 0) };
    // SAFETY: made by that very call.
    errno_of(unsafe { fresh(fd as i32) })
}

/// A call that is mediated, with any registers; what the kernel or the gate answers (negative: an errno), and the descriptor if it `makes` one.
pub fn call(number: i64, args: [u64; 6], makes: bool) -> (i64, Option<OwnedFd>) {
    let [a, b, c, d, e, f] = args;
    // SAFETY: of the mediated calls only `sendmmsg` makes the kernel write to memory, a length into each header; our tests point it at a
    // mapping of their own that nothing else uses, or at none. An exec that succeeded would end this program: the test finds it gone.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if answer < 0 {
        return (-i64::from(io::Error::last_os_error().raw_os_error().unwrap_or(0)), None);
    }
    // SAFETY: made by that very call.
    (answer, makes.then(|| unsafe { fresh(answer as i32) }).and_then(Result::ok))
}

fn errno_of(opened: io::Result<OwnedFd>) -> i32 {
    opened.err().and_then(|error| error.raw_os_error()).unwrap_or(0)
}
