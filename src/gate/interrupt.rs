//! A signal that the caller has a handler for ends its wait, as the kernel would have ended it. Once a call was received it waits killably, and
//! no such signal reaches it (`SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`): so whoever waits in the caller's place looks for one now and then.

use super::{Answer, Reply};
use crate::sys::catch::{seize, wait_for};
use crate::sys::tracee;
use crate::sys::wait::Change;

pub use crate::sys::process::is_signalled;

/// `ERESTARTSYS`: with a handler that was installed so (`SA_RESTART`) the call comes again, with another it fails with `EINTR`; where the signal
/// has gone to another thread meanwhile, it comes again. The number itself reaches no program: whoever is stopped by its tracer passes the
/// kernel's restart code.
pub const RESTART: i32 = 512;

/// Answers the call of thread `tid`, and has the signal delivered. `before` ends what waits in its place, so that nobody meets that later; it may
/// have answered itself. To be called on a thread that traces nobody.
///
/// # Errors
/// The answer comes back where that cannot be had now: the thread is traced by somebody else, who looks at its stack.
pub fn interrupt(tid: u32, reply: Reply, answer: Answer, before: impl FnOnce()) -> Result<(), Answer> {
    if seize(tid).is_err() {
        return Err(answer);
    }
    before();
    reply.send(answer);
    if let Some((stopped, change)) = wait_for(tid) {
        match change {
            Change::Signal(signal) => drop(tracee::detach(stopped, signal)),
            Change::Event { .. } | Change::Syscall => drop(tracee::detach(stopped, 0)),
            Change::Exited(_) | Change::Killed(_) => {}
        }
    }
    Ok(())
}
