//! Opening what is there: the object that was found is judged, and that very object is opened with the wanted flags.

use std::io;
use std::os::fd::AsFd;

use super::found::Found;
use super::wanted::Wanted;
use super::{blocking, redact, terminal};
use crate::gate::errno::fail;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::model::act::ObjectKind;
use crate::model::{Act, Hostile, Verdict};

/// Opens what is there.
pub fn existing(call: &Call, found: Found, wanted: &Wanted) -> io::Result<Answer> {
    if found.kind() == ObjectKind::Symlink {
        return fail(libc::ELOOP);
    }
    if wanted.writes() && found.kind() == ObjectKind::Directory {
        return fail(libc::EISDIR);
    }
    // What has no place in the file system was reached through a descriptor the actor has already.
    let own_terminal = terminal::is_terminal(&found) && terminal::is_own(call, &found, wanted.access())?;
    if !found.anonymous && !own_terminal {
        match judge(call, &found, wanted) {
            Verdict::Allow | Verdict::Decoy => {}
            Verdict::Refuse(errno) => return Ok(Answer::Errno(errno)),
            Verdict::Redact => {
                // A sandbox of its own may let it read no word of it.
                if call.sandbox()?.is_some() {
                    call.as_caller(|| own()?.reopen(found.handle.as_fd(), libc::O_RDONLY | libc::O_NONBLOCK, 0))?;
                }
                return redact::hand_over(call, &found, wanted);
            }
        }
    }
    let flags = wanted.flags & !(libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW) | libc::O_NOCTTY;
    if may_block(&found, wanted) {
        if call.send_back() {
            return fail(libc::EAGAIN);
        }
        return blocking::open(call, found, wanted, flags);
    }
    let reopen = || own()?.reopen(found.handle.as_fd(), flags, 0);
    // A process may always list its own descriptors (`proc_fd_permission`), whoever it has become.
    let fd = if call.sandbox()?.is_none() && found.lists_descriptors_of(call)? { reopen() } else { call.open_as_caller(reopen) }?;
    // Who opens the other end of a FIFO must not find ours.
    Ok(if found.is(libc::S_IFIFO) { Answer::AddFdAndDrop { fd, cloexec: wanted.cloexec() } } else { wanted.handed(fd) })
}

fn judge(call: &Call, found: &Found, wanted: &Wanted) -> Verdict {
    let (path, object): (Hostile, _) = (found.written_to(call), Some(found.object()));
    // What is there already is not changed by `O_CREAT` alone.
    if wanted.access() != libc::O_RDONLY || wanted.has(libc::O_TRUNC) {
        if wanted.reads() && wanted.access() != libc::O_RDONLY {
            // Opened for both: a secret is a secret also for one who could overwrite it.
            match call.judge(Act::Read { path: path.clone() }, object).verdict {
                Verdict::Allow | Verdict::Decoy => {}
                // A copy cannot be written to.
                Verdict::Redact => return Verdict::Refuse(libc::EACCES),
                refused => return refused,
            }
        }
        match call.judge(Act::Write { path }, object).verdict {
            Verdict::Redact => Verdict::Refuse(libc::EACCES),
            other => other,
        }
    } else {
        call.judge(Act::Read { path: found.looked_at(call) }, object).verdict
    }
}

/// Opening it could wait for someone else (a FIFO's other end, a line's carrier), which the actor must do itself.
fn may_block(found: &Found, wanted: &Wanted) -> bool {
    if found.is(libc::S_IFIFO) {
        // `fifo(7)`: opening for both never waits.
        return !wanted.has(libc::O_NONBLOCK) && wanted.access() != libc::O_RDWR;
    }
    // Character devices of major 1 are null, zero, random and their like.
    found.is(libc::S_IFCHR) && libc::major(found.facts.rdev) != 1 || found.is(libc::S_IFSOCK)
}
