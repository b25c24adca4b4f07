//! `waitpid` with the whole status decoded. nix's version refuses statuses that carry a real-time signal; a tracer may not lose those.

use std::io;

/// What a child or tracee did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Exited(i32),
    /// Killed by this signal.
    Killed(i32),
    /// Stopped at a `PTRACE_EVENT_*`; `signal` tells group stops from the first stop of a new tracee.
    Event {
        event: i32,
        signal: i32,
    },
    /// Stopped at a system call's entry or exit (`PTRACE_O_TRACESYSGOOD`).
    Syscall,
    /// A signal is about to be delivered.
    Signal(i32),
}

/// Waits for a change of `pid` (-1: any child or tracee of the *calling thread*). `None` with `nohang` when nothing changed.
///
/// Always `__WALL | __WNOTHREAD`: other threads trace too, and their stops are not ours to take (ptrace(2), wait(2)).
///
/// # Errors
/// The errno of `waitpid`; `ECHILD` when there is nothing left to wait for, `EINTR` when a handler ran.
pub fn wait(pid: i32, nohang: bool) -> io::Result<Option<(i32, Change)>> {
    let mut status = 0;
    let options = libc::__WALL | libc::__WNOTHREAD | if nohang { libc::WNOHANG } else { 0 };
    // SAFETY: `status` outlives the call, which writes one int to it.
    let got = unsafe { libc::waitpid(pid, &raw mut status, options) };
    match got {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        pid => Ok(Some((pid, decode(status)))),
    }
}

fn decode(status: i32) -> Change {
    if libc::WIFEXITED(status) {
        Change::Exited(libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        Change::Killed(libc::WTERMSIG(status))
    } else {
        let signal = libc::WSTOPSIG(status);
        match status >> 16 {
            0 if signal == libc::SIGTRAP | 0x80 => Change::Syscall,
            0 => Change::Signal(signal),
            event => Change::Event { event, signal },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_apart() {
        let stop = |signal: i32, event: i32| (event << 16) | (signal << 8) | 0x7f;
        assert_eq!(decode(7 << 8), Change::Exited(7));
        assert_eq!(decode(libc::SIGKILL), Change::Killed(libc::SIGKILL));
        assert_eq!(decode(stop(libc::SIGTRAP | 0x80, 0)), Change::Syscall);
        assert_eq!(decode(stop(40, 0)), Change::Signal(40));
        let event = libc::PTRACE_EVENT_EXEC;
        assert_eq!(decode(stop(libc::SIGTRAP, event)), Change::Event { event, signal: libc::SIGTRAP });
    }
}
