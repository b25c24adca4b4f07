//! Landlock's calls that the crate has no public door for: the kernel's ABI number, and a ruleset applied by descriptor.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `LANDLOCK_CREATE_RULESET_VERSION`.
const VERSION: u32 = 1;

/// The kernel's Landlock ABI (1 = Linux 5.13).
///
/// # Errors
/// `ENOSYS` where it is not built in, `EOPNOTSUPP` where it was not enabled at boot; whatever a container's own filter answers.
pub fn abi() -> io::Result<u32> {
    // SAFETY: with the VERSION flag the kernel takes no pointer and creates nothing; it only answers a number.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, VERSION) };
    u32::try_from(answer).map_err(|_| io::Error::last_os_error())
}

/// Puts the calling thread behind a ruleset, for good. `no_new_privs` must be set.
///
/// # Errors
/// The kernel's own: `EPERM` without `no_new_privs`, `E2BIG` below sixteen domains.
pub fn restrict_self(ruleset: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes a descriptor and flags, no memory of ours.
    match unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
