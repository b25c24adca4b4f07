//! seccomp: install a program with a listener, ask what the kernel has, receive and answer one notification.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, c_ulong, seccomp_notif, seccomp_notif_resp, seccomp_notif_sizes, sock_filter, sock_fprog};

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
    match c_int::try_from(fd) {
        // SAFETY: with NEW_LISTENER a non-negative answer is a descriptor that is ours alone.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
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

/// A buffer for one notification, larger than any kernel's so far: the kernel writes as much as *it* thinks the structure has.
#[repr(C, align(8))]
struct Room<T> {
    value: T,
    spare: [u8; 256],
}

/// Receives one notification. `None` when the caller is gone or we were interrupted: ask again.
///
/// # Errors
/// The kernel's own.
pub fn receive(listener: BorrowedFd<'_>) -> io::Result<Option<seccomp_notif>> {
    // SAFETY: all-zero is a valid value of these plain C structures, and what the kernel demands before it fills them.
    let mut room: Room<seccomp_notif> = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one seccomp_notif of its own size; `Room` leaves 256 bytes for one that has grown.
    match unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut room) } {
        0 => Ok(Some(room.value)),
        _ => match io::Error::last_os_error() {
            error if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => Ok(None),
            error => Err(error),
        },
    }
}

/// Lets a notified call run with the caller's own arguments (`errno` 0), or fails it.
///
/// # Errors
/// `ENOENT` when the caller is gone.
pub fn answer(listener: BorrowedFd<'_>, id: u64, errno: i32) -> io::Result<()> {
    let flags = if errno == 0 { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 } else { 0 };
    let mut room = Room { value: seccomp_notif_resp { id, val: 0, error: -errno, flags }, spare: [0; 256] };
    // SAFETY: the kernel reads one seccomp_notif_resp of its own size; `Room` leaves zeroed bytes for one that has grown.
    match unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut room) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
