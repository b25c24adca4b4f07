//! A directory that changes its place takes along what is in it: a secret would be read by its new name, a made source would be compiled
//! by its own. So each entry is judged as moved itself, before the directory is. In: a handle on it, both paths. Out: go on, or an answer.
//!
//! Nothing can be added in between by the actor: all its calls come through this one thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::found::{Found, kind_of};
use crate::gate::errno::c_string;
use crate::gate::own::link_text;
use crate::gate::{Answer, Call};
use crate::model::act::ObjectKind;
use crate::model::{Act, Hostile, Object, Verdict};
use crate::sys::files;

/// Entries looked at in one move, and how deep: what goes beyond is refused with `EXDEV`, and whoever hears that copies, file by file.
const MOST: usize = 20_000;
const DEEPEST: usize = 64;

/// Judges what comes along with `moved`. Nothing is said about what goes from one place of the actor's own to another: what is in there is
/// its own, whatever it is called.
pub fn judge(call: &Call, moved: &Found, from: &Hostile, to: &Hostile) -> io::Result<Option<Answer>> {
    let policy = &call.watched.policy;
    if moved.kind() != ObjectKind::Directory || policy.is_scratch(from.as_bytes()) && policy.is_scratch(to.as_bytes()) {
        return Ok(None);
    }
    // Where it may not go anyway, that is what is told.
    let act = Act::Rename { from: from.clone(), to: to.clone() };
    if policy.judge(&act, Some(moved.object())).refused() {
        return Ok(None);
    }
    let mut walk = Walk { call, left: MOST, answer: None };
    let whole = walk.down(moved.handle.as_fd(), from.as_bytes(), to.as_bytes(), DEEPEST);
    match (walk.answer, whole) {
        (Some(answer), _) => Ok(Some(answer)),
        (None, Ok(true)) => Ok(None),
        // Too much, or not to be looked into.
        (None, _) if call.enforces() => Ok(Some(call.refuse(act, Some(moved.object()), libc::EXDEV))),
        (None, _) => Ok(None),
    }
}

struct Walk<'c> {
    call: &'c Call<'c>,
    left: usize,
    answer: Option<Answer>,
}

impl Walk<'_> {
    /// Was all of it looked at? It ends where something is refused.
    fn down(&mut self, directory: BorrowedFd, from: &[u8], to: &[u8], deeper: usize) -> io::Result<bool> {
        for entry in std::fs::read_dir(std::ffi::OsStr::from_bytes(link_text(directory).as_bytes()))? {
            if deeper == 0 || self.left == 0 {
                return Ok(false);
            }
            self.left -= 1;
            let name = entry?.file_name().into_vec();
            let (here, there) = (below(from, &name), below(to, &name));
            let name = c_string(name)?;
            let facts = files::stat_at(directory, &name, libc::AT_SYMLINK_NOFOLLOW)?;
            let object = Object { dev: facts.dev, ino: facts.ino, kind: kind_of(facts.mode) };
            let act = Act::Rename { from: Hostile::new(here.as_slice()), to: Hostile::new(there.as_slice()) };
            let judgement = self.call.watched.policy.judge(&act, Some(object));
            if judgement.breach.is_some() || judgement.refused() {
                match self.call.judge(act, Some(object)).verdict {
                    Verdict::Allow | Verdict::Decoy => {}
                    Verdict::Refuse(errno) => self.answer = Some(Answer::Errno(errno)),
                    Verdict::Redact => self.answer = Some(Answer::Errno(libc::EACCES)),
                }
                if self.answer.is_some() {
                    return Ok(true);
                }
            }
            if object.kind == ObjectKind::Directory {
                let inner: OwnedFd =
                    files::openat(directory, &name, libc::O_PATH | libc::O_NOFOLLOW | libc::O_DIRECTORY | libc::O_CLOEXEC, 0)?;
                if !self.down(inner.as_fd(), &here, &there, deeper - 1)? {
                    return Ok(false);
                }
                if self.answer.is_some() {
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }
}

fn below(directory: &[u8], name: &[u8]) -> Vec<u8> {
    [directory, b"/", name].concat()
}
