//! The listener's side of seccomp user notification (`seccomp_unotify(2)`): receive a call, check that it still waits, answer it, put a
//! descriptor into its table. In: a listener and a cookie. Out: registers, errnos. Nothing here decides anything.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;

use super::seccomp::notification_sizes;

/// One call that waits for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Notification {
    pub id: u64,
    /// The thread, in our pid namespace; 0 if it cannot be seen from here.
    pub tid: u32,
    pub number: i64,
    /// `AUDIT_ARCH_*` of the call.
    pub arch: u32,
    pub args: [u64; 6],
}

/// `linux/audit.h`: what `Notification::arch` must be for a call of this machine's own ABI.
#[cfg(target_arch = "x86_64")]
pub const NATIVE_ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub const NATIVE_ARCH: u32 = 0xc000_00b7;

const ADDFD_FLAG_SETFD: u32 = 1;
const ADDFD_FLAG_SEND: u32 = 2;
/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`, Linux 6.6.
const SYNC_WAKE_UP: u64 = 1;

/// Room for a structure that a later kernel made longer. `u64` for its alignment.
type Buffer = [u64; 64];

/// Bytes the kernel will write into a notification, asked once. A size beyond our buffer is an error: the caller must not serve then.
fn notification_size() -> io::Result<usize> {
    static SIZE: OnceLock<usize> = OnceLock::new();
    let size = *SIZE.get_or_init(|| {
        let told = notification_sizes().map(|sizes| usize::from(sizes.seccomp_notif));
        told.map_or(usize::MAX, |size| size.max(size_of::<libc::seccomp_notif>()))
    });
    if size > size_of::<Buffer>() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "this kernel's seccomp notifications have an unknown size"));
    }
    Ok(size)
}

/// Receives the next call. `None` when the one that was announced is gone (`ENOENT`) or a signal came between (`EINTR`).
///
/// # Errors
/// Whatever else `SECCOMP_IOCTL_NOTIF_RECV` gives: the listener is of no use any more.
pub fn recv(listener: BorrowedFd) -> io::Result<Option<Notification>> {
    let size = notification_size()?;
    let mut buffer: Buffer = [0; 64];
    debug_assert!(size <= size_of_val(&buffer));
    // SAFETY: the buffer is zeroed, as the kernel demands, aligned for the structure and at least as long as the kernel said it would
    // write; it outlives the call.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV as _, buffer.as_mut_ptr()) };
    if result != 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ENOENT | libc::EINTR) => Ok(None),
            _ => Err(error),
        };
    }
    // SAFETY: `Buffer` is longer than `seccomp_notif` and aligned to 8; every bit pattern is a valid value of its integer fields.
    let notif = unsafe { buffer.as_ptr().cast::<libc::seccomp_notif>().read() };
    Ok(Some(Notification { id: notif.id, tid: notif.pid, number: i64::from(notif.data.nr), arch: notif.data.arch, args: notif.data.args }))
}

/// Does the call behind this cookie still wait? To be asked after reading the caller's memory: only then was it the caller's memory
/// (its thread id may have been given to someone else).
pub fn id_valid(listener: BorrowedFd, id: u64) -> bool {
    // SAFETY: the kernel reads one u64 which outlives the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID as _, &raw const id) == 0 }
}

/// Answers with a value, or with an errno where that is not 0. A caller that is gone is no error: there is nobody left to tell.
pub fn respond(listener: BorrowedFd, id: u64, value: i64, errno: i32) {
    let value = if errno == 0 { value } else { 0 };
    send(listener, libc::seccomp_notif_resp { id, val: value, error: -errno.abs(), flags: 0 });
}

/// Lets the kernel run the call with the caller's own arguments.
pub fn respond_continue(listener: BorrowedFd, id: u64) {
    send(listener, libc::seccomp_notif_resp { id, val: 0, error: 0, flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 });
}

fn send(listener: BorrowedFd, response: libc::seccomp_notif_resp) {
    // SAFETY: the kernel reads its own size of the structure, which has not grown since 5.0, from memory that outlives the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND as _, &raw const response) };
}

/// Puts a copy of `fd` into the caller's table, over its descriptor `at` where given, and returns the number it has there. With `send`
/// that number is the call's result as well, in one step (Linux 5.14).
///
/// # Errors
/// The kernel's: `EMFILE` when the caller's table is full, `EBADF` for what cannot be injected (`O_PATH`), `ENOENT` when it is gone.
pub fn add_fd(listener: BorrowedFd, id: u64, fd: BorrowedFd, at: Option<RawFd>, cloexec: bool, send: bool) -> io::Result<RawFd> {
    let request = libc::seccomp_notif_addfd {
        id,
        flags: if at.is_some() { ADDFD_FLAG_SETFD } else { 0 } | if send { ADDFD_FLAG_SEND } else { 0 },
        srcfd: fd.as_raw_fd() as u32,
        newfd: at.unwrap_or(0) as u32,
        newfd_flags: if cloexec { libc::O_CLOEXEC as u32 } else { 0 },
    };
    // SAFETY: the ioctl number carries the structure's size, and the structure outlives the call.
    let number = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD as _, &raw const request) };
    if number < 0 { Err(io::Error::last_os_error()) } else { Ok(number) }
}

/// Asks for wake-ups on the same processor, which halves the round trip. Kernels before 6.6 do not know it; nothing depends on it.
pub fn sync_wake_up(listener: BorrowedFd) {
    // SAFETY: this ioctl takes the flags as its argument's value, not as a pointer.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS as _, SYNC_WAKE_UP) };
}
