//! `inotify_add_watch`: tells names and times of what goes on in a directory, and asks for the right to read it. Judged as that read, and
//! then left to the kernel: a thread that exchanges the path meanwhile wins such names and no content.

use std::io;

use super::found::How;
use crate::gate::{Answer, Call};
use crate::model::{Act, Verdict};

/// Answers `inotify_add_watch(fd, path, mask)` (Linux 2.6.13).
///
/// # Errors
/// The kernel's own for that path.
pub fn watch(call: &Call) -> io::Result<Answer> {
    let mask = call.args[2] as u32;
    let how = How { nofollow: mask & libc::IN_DONT_FOLLOW != 0, directory: mask & libc::IN_ONLYDIR != 0, ..How::default() };
    let found = call.find(&call.start(libc::AT_FDCWD, call.path(1)?)?, how)?;
    if found.anonymous {
        return Ok(Answer::Continue);
    }
    // Git's and cargo's settings may be watched: what is blanked in them is not told.
    match call.judge(Act::Read { path: found.shown(call) }, Some(found.object())).verdict {
        Verdict::Refuse(errno) => Ok(Answer::Errno(errno)),
        Verdict::Allow | Verdict::Redact | Verdict::Decoy => Ok(Answer::Continue),
    }
}
