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

fn errno_of(opened: io::Result<OwnedFd>) -> i32 {
    opened.err().and_then(|error| error.raw_os_error()).unwrap_or(0)
}

/// `getpid` as a 32-bit program calls it; `None` where the kernel runs no such programs: there it is a fault, which ends the process.
#[cfg(target_arch = "x86_64")]
pub fn i386_getpid() -> Option<i32> {
    // sysctl of the 32-bit vDSO: there with CONFIG_IA32_EMULATION alone.
    std::fs::exists("/proc/sys/abi/vsyscall32").is_ok_and(|there| there).then_some(())?;
    let result: i64;
    // SAFETY: takes no arguments; the gate keeps all registers but rax (and r8 to r11, which old kernels clear).
    unsafe {
        std::arch::asm!("int 0x80", inlateout("rax") 20_i64 => result, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    Some(result as i32)
}
