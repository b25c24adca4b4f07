//! Answering seccomp notifications (seccomp_unotify(2)). Stand-in of the network branch: the gate core brings its own.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

// ioctl numbers of linux/seccomp.h: _IOWR('!', 0/1), _IOW('!', 2/3).
const RECV: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;
const ID_VALID: libc::c_ulong = 0x4008_2102;
const ADDFD: libc::c_ulong = 0x4018_2103;

/// One notification: id, thread, call number, registers.
pub fn receive(listener: BorrowedFd<'_>) -> io::Result<libc::seccomp_notif> {
    // SAFETY: plain integers; the kernel demands zeros.
    let mut notice: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: `notice` is writable and of the size in the ioctl number.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), RECV, &raw mut notice) })?;
    Ok(notice)
}

pub fn id_valid(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: `id` is readable for 8 bytes.
    unsafe { libc::ioctl(listener.as_raw_fd(), ID_VALID, &raw const id) == 0 }
}

pub fn respond(listener: BorrowedFd<'_>, id: u64, value: i64, errno: i32) -> io::Result<()> {
    send(listener, &libc::seccomp_notif_resp { id, val: value, error: -errno, flags: 0 })
}

pub fn proceed(listener: BorrowedFd<'_>, id: u64) -> io::Result<()> {
    send(listener, &libc::seccomp_notif_resp { id, val: 0, error: 0, flags: 1 })
}

fn send(listener: BorrowedFd<'_>, response: &libc::seccomp_notif_resp) -> io::Result<()> {
    // SAFETY: `response` is readable and of the size in the ioctl number.
    check(unsafe { libc::ioctl(listener.as_raw_fd(), SEND, std::ptr::from_ref(response)) })
}

pub fn add_fd(listener: BorrowedFd<'_>, id: u64, fd: BorrowedFd<'_>, at: Option<RawFd>, cloexec: bool, send: bool) -> io::Result<RawFd> {
    let request = libc::seccomp_notif_addfd {
        id,
        flags: u32::from(at.is_some()) | if send { 2 } else { 0 },
        srcfd: fd.as_raw_fd() as u32,
        newfd: at.unwrap_or(0) as u32,
        newfd_flags: if cloexec { libc::O_CLOEXEC as u32 } else { 0 },
    };
    // SAFETY: `request` is readable and of the size in the ioctl number.
    let made = unsafe { libc::ioctl(listener.as_raw_fd(), ADDFD, &raw const request) };
    check(made)?;
    Ok(made)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
