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

/// `PIDFD_GET_INFO`: `_IOWR(0xFF, 11, struct pidfd_info)` of its first size, 64 bytes (`linux/pidfd.h`).
const GET_INFO: u64 = 0xc040_ff0b;
/// `PIDFD_INFO_EXIT`, Linux 6.15.
const EXIT: u64 = 1 << 3;

/// How the process has ended, as `wait(2)` would tell its parent; `None` while it has not, before whoever waits for it knows, and on kernels that do
/// not tell (before Linux 6.15).
pub fn ended(process: BorrowedFd<'_>) -> Option<i32> {
    // Eight words: the mask first, `exit_code` in the second half of the last.
    let mut info = [EXIT, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the kernel reads and writes the 64 bytes whose size is part of the request; `process` is open for the length of the call.
    let result = unsafe { libc::ioctl(process.as_raw_fd(), GET_INFO as libc::Ioctl, info.as_mut_ptr()) };
    (result == 0 && info[0] & EXIT != 0).then(|| (info[7].to_ne_bytes()[4..]).try_into().map(i32::from_ne_bytes).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::process::Command;

    use super::*;

    #[test]
    fn how_a_process_ended_is_told_after_it_was_waited_for() {
        let ends = |script: &str| {
            let mut child = Command::new("sh").args(["-c", script]).stdin(std::process::Stdio::piped()).spawn().unwrap();
            let handle = open(child.id(), 0).unwrap();
            let before = ended(handle.as_fd());
            drop(child.stdin.take());
            child.wait().unwrap();
            (before, ended(handle.as_fd()))
        };
        let told = [ends("read x; exit 0"), ends("read x; exit 7"), ends("read x; kill -9 $$")];
        // Older kernels tell nothing.
        let known = told[0].1.is_some();
        assert_eq!(told, [0, 7 << 8, 9].map(|status| (None, known.then_some(status))));
    }
}
