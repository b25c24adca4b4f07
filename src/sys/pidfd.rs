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

/// `pidfd_getfd(2)`: the same open file, close-on-exec. Needs the right to trace the process; some container profiles deny the call.
pub fn get_fd(process: BorrowedFd<'_>, number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; `process` is open for the length of the call.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), number, 0) };
    // SAFETY: made by that very call.
    unsafe { fresh(fd as RawFd) }
}

/// `pidfd_send_signal(2)`: to this very process, or `ESRCH` when it is gone.
pub fn signal(process: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: no pointers (a null siginfo means what kill(2) would send); `process` is open for the length of the call.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, std::ptr::null::<libc::siginfo_t>(), 0) };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
