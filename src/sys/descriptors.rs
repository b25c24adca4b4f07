//! Descriptors by number.

use std::io;

/// Closes every descriptor from `first` on (`close_range(2)`, Linux 5.9). For a process that has just started and owns none of them.
pub fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: no pointers; the caller owns nothing above `first` yet, so no live `OwnedFd` loses its descriptor.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
