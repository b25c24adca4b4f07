//! A thread of an actor is made to stop on its way out of the call it sits in, for whoever wants to look at it or have it do something. All
//! on one thread of ours, which is its tracer; the end of that thread lets go of whatever it still holds (ptrace(2)).

use std::io;
use std::time::Duration;

use nix::sys::ptrace;
use nix::unistd::Pid;

use super::process::status;
use super::tracee;
use super::wait::{Change, wait};

/// Has it stop at the door. The listener must wait killably (`SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`), or the interrupt would take the call
/// back out of the queue.
///
/// # Errors
/// When the thread is gone or traced by somebody else.
pub fn seize(tid: u32) -> io::Result<()> {
    seize_with(tid, ptrace::Options::empty())
}

/// The same for a thread that waits to be let execute a program: it also stops when that stands before its first instruction
/// (`PTRACE_EVENT_EXEC`), and at the end of calls, if asked to. Where the call fails there is no stop but the interrupt's.
///
/// # Errors
/// As for [`seize`].
pub fn seize_before_exec(tid: u32) -> io::Result<()> {
    seize_with(tid, ptrace::Options::PTRACE_O_TRACEEXEC | ptrace::Options::PTRACE_O_TRACESYSGOOD)
}

fn seize_with(tid: u32, options: ptrace::Options) -> io::Result<()> {
    let pid = Pid::from_raw(i32::try_from(tid).map_err(io::Error::other)?);
    ptrace::seize(pid, options)?;
    // Should this fail the thread is gone, and the end of the calling thread detaches.
    ptrace::interrupt(pid)?;
    Ok(())
}

/// Waits for the one tracee's stop. A child of our own is asked instead of waited for: see [`tracee::stopped`].
pub fn wait_for(tid: u32) -> Option<(i32, Change)> {
    if status(tid).map(|status| status.parent) != Some(std::process::id()) {
        // For any tracee of this thread: an exec gives the caller its leader's id.
        return loop {
            match wait(-1, false) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                changed => break changed.ok().flatten(),
            }
        };
    }
    let pid = tid as i32;
    let mut pause = Duration::from_micros(30);
    loop {
        if let Some(change) = tracee::stopped(pid) {
            return Some((pid, change));
        }
        if !std::path::Path::new(&format!("/proc/{tid}")).exists() {
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}
