//! seccomp's own call: install a program with a listener, ask what the kernel has. What a listener does is in `notify`.

use std::io;
use std::os::fd::OwnedFd;

use libc::{c_int, c_ulong, seccomp_notif_sizes, sock_filter, sock_fprog};

use super::descriptors::fresh;

/// How an actor's filter is installed: with a listener, and with calls that, once received, only a fatal signal interrupts (Linux 5.19).
pub const LISTENER_FLAGS: c_ulong = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

/// Puts the calling thread behind `program` and returns its listener. `flags` must contain `NEW_LISTENER`; `no_new_privs` must be set.
///
/// # Errors
/// The kernel's own: `EBUSY` when a listener exists already, `EINVAL` for a bad program, `EACCES` without `no_new_privs`.
pub fn install(program: &[sock_filter], flags: c_ulong) -> io::Result<OwnedFd> {
    if flags & libc::SECCOMP_FILTER_FLAG_NEW_LISTENER == 0 {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let len = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = sock_fprog { len, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` and the instructions it points to outlive the call; the kernel only reads them.
    let fd = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    // SAFETY: with NEW_LISTENER a non-negative answer is a descriptor that is ours alone.
    unsafe { fresh(fd as c_int) }
}

/// Puts the calling thread behind `program`, without a listener. `no_new_privs` must be set.
///
/// # Errors
/// The kernel's own: `EINVAL` for a bad program, `EACCES` without `no_new_privs`.
pub fn enter(program: &[sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = sock_fprog { len, filter: program.as_ptr().cast_mut() };
    // SAFETY: `program` and the instructions it points to outlive the call; the kernel only reads them.
    match unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0 as c_ulong, &raw const program) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether the kernel knows these filter flags: asked with a null program, to which a kernel that knows them answers `EFAULT`.
pub fn knows_flags(flags: c_ulong) -> bool {
    // SAFETY: a null program is never dereferenced by us, and the kernel answers EFAULT: nothing is installed.
    let answer = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, std::ptr::null::<sock_fprog>()) };
    answer == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

/// The kernel's sizes of the notification structures.
///
/// # Errors
/// When there are no notifications on this kernel, or something around us filters `seccomp`.
pub fn notification_sizes() -> io::Result<seccomp_notif_sizes> {
    let mut sizes = seccomp_notif_sizes { seccomp_notif: 0, seccomp_notif_resp: 0, seccomp_data: 0 };
    // SAFETY: the kernel fills exactly this structure.
    match unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_NOTIF_SIZES, 0_u32, &raw mut sizes) } {
        0 => Ok(sizes),
        _ => Err(io::Error::last_os_error()),
    }
}
