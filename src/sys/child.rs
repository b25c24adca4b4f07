//! A forked child of our own process, for questions only a fresh process can answer: may it be traced, may namespaces be made.

use std::io;

use nix::unistd::Pid;

/// Forks; the child runs `body` and exits with its answer, or is killed when the calling thread ends before (`PR_SET_PDEATHSIG`): where we
/// are killed, it does not wait for ever. Other threads may hold locks at that moment, so `body` must keep to plain
/// system call wrappers (`signal-safety(7)`): no allocation, no lock, no panic.
///
/// # Errors
/// The kernel's own.
pub fn fork<F: FnOnce() -> u8 + Copy>(body: F) -> io::Result<Pid> {
    let parent = std::process::id() as libc::pid_t;
    // SAFETY: `fork` itself is always sound to call; what the child may do afterwards is the contract above. `Copy` keeps owned
    // memory, and so the allocator, out of the child's closure; it leaves by `_exit`, so no destructor of ours runs twice.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: both take and return numbers only. Asked afterwards, so that a parent that ended in between is noticed.
            let orphaned = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 || libc::getppid() != parent };
            let code = if orphaned { u8::MAX } else { body() };
            // SAFETY: ends this process at once.
            unsafe { libc::_exit(i32::from(code)) }
        }
        pid => Ok(Pid::from_raw(pid)),
    }
}
