//! Descriptors by number, and what every call's result comes down to.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

/// A result that is an errno when negative.
pub(super) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The descriptor a call has just made.
///
/// # Safety
/// `result` must come from a call that makes a descriptor and gives it to nobody else.
pub(super) unsafe fn fresh(result: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches that a result that is not negative is a descriptor of ours alone.
    check(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Closes every descriptor from `first` on (`close_range(2)`, Linux 5.9). For a process that has just started and owns none of them.
pub fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: no pointers; the caller owns nothing above `first` yet, so no live `OwnedFd` loses its descriptor.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
    check(result as libc::c_int).map(drop)
}

/// Those beyond the first three that whoever started us left open for what comes after: ours all close at an exec.
pub fn inherited() -> Vec<RawFd> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|number| *number > 2);
    // SAFETY: no pointers; of a number that is no descriptor (any more) the kernel says so.
    let mut open: Vec<RawFd> = numbers.filter(|number| unsafe { libc::fcntl(*number, libc::F_GETFD) } == 0).collect();
    open.sort_unstable();
    open
}

/// Our own handle on one of them, which closes at an exec (`F_DUPFD_CLOEXEC`, fcntl(2)).
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; of a number that is no descriptor the kernel says so.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    // SAFETY: made by that very call.
    unsafe { fresh(copy) }
}

/// The kernel's text for where a file lies.
pub fn path_of(fd: BorrowedFd) -> io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Of a terminal, as far as it is known (`TIOCGWINSZ`).
pub fn columns(fd: BorrowedFd) -> Option<u16> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel fills one `winsize` behind the pointer, which is valid for the call.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (result == 0).then_some(size.ws_col)
}
