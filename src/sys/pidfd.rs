//! A process held by descriptor, so that its number cannot become another's: `pidfd_open(2)`, `pidfd_getfd(2)`,
//! `pidfd_send_signal(2)`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::descriptors::fresh;

/// For [`open`]: a thread that is not its group's leader (Linux 6.9; `PIDFD_THREAD` is `O_EXCL`).
pub const THREAD: libc::c_uint = libc::O_EXCL as libc::c_uint;

/// `pidfd_open(2)`.
pub fn open(pid: u32, flags: libc::c_uint) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, flags) };
    // SAFETY: made by that very call, close-on-exec.
    unsafe { fresh(fd as RawFd) }
}

/// As [`open`], or nothing where whatever surrounds us refuses the call: Docker before 20.10 knows none of this family.
///
/// # Errors
/// As `pidfd_open(2)` by itself.
pub fn open_if_permitted(pid: u32) -> io::Result<Option<OwnedFd>> {
    match open(pid, 0) {
        Ok(handle) => Ok(Some(handle)),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `pidfd_getfd(2)`: the same open file, close-on-exec. Needs the right to trace the process; some container profiles deny the call.
pub fn get_fd(process: BorrowedFd<'_>, number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; `process` is open for the length of the call.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), number, 0) };
    // SAFETY: made by that very call.
    unsafe { fresh(fd as RawFd) }
}

/// `pidfd_send_signal(2)`: to this very process, or `ESRCH` when it is gone.
pub fn signal(process: BorrowedFd<'_>, number: i32) -> io::Result<()> {
    send_signal(process, number, None)
}

/// The same, with a `siginfo_t` where one is to come along.
pub fn send_signal(process: BorrowedFd<'_>, number: i32, info: Option<&[u8; 128]>) -> io::Result<()> {
    let info = info.map_or(std::ptr::null(), |info| info.as_ptr());
    // SAFETY: the kernel reads the 128 bytes of its `siginfo_t` from `info`, which outlives the call, or nothing when it is null (what
    // kill(2) would send); `process` is open for the length of the call.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), number, info, 0) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
