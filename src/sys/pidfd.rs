//! Another process's descriptor as our own: `pidfd_open(2)`, `pidfd_getfd(2)`.

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
