//! What all changes to files have in common: where a path argument points, and doing it once it has been judged.

use std::io;

use super::found::Found;
use super::spot::Spot;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::model::{Act, Object, Verdict};

/// A path argument: its directory descriptor and the index of the register that points at its text.
pub type At = (i32, usize);

/// Where a path argument points.
///
/// # Errors
/// The kernel's own for the way there; `ESRCH` when the caller is gone.
pub fn spot(call: &Call, (dirfd, index): At) -> io::Result<Spot> {
    let text = call.path(index)?;
    call.spot(&call.start(dirfd, text)?, 0)
}

/// What is there, or nothing. On a procfs there is no such nothing: nothing can be made there.
pub fn look(call: &Call, spot: &Spot) -> io::Result<Option<Found>> {
    match spot.look(call) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) && !own()?.is_proc(spot.dev) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Judges; if it may be, does it.
pub fn do_if(call: &Call, act: Act, object: Option<Object>, deed: impl FnOnce() -> io::Result<()> + Send) -> io::Result<Answer> {
    let done = act.clone();
    match call.judge(act, object).verdict {
        Verdict::Refuse(errno) => Ok(Answer::Errno(errno)),
        // A copy can be read, and nothing else.
        Verdict::Redact => Ok(Answer::Errno(libc::EACCES)),
        Verdict::Allow | Verdict::Decoy => call.as_caller(deed).map(|()| {
            call.watched.policy.done(&done);
            Answer::Value(0)
        }),
    }
}
