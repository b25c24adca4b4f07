//! Creating files on an actor's behalf: the parent directory is pinned, the new name is judged, and the file is made there with
//! `O_EXCL` — a link that appears in between cannot make us write elsewhere.

use std::io;
use std::os::fd::AsFd;

use super::existing::existing;
use super::found::{How, Start};
use super::metadata::gives_rights;
use super::wanted::Wanted;
use crate::gate::errno::fail;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::model::act::ObjectKind;
use crate::model::{Act, Verdict};
use crate::sys::files;

/// `MAXSYMLINKS`.
const MOST_LINKS: u32 = 40;
/// How often a name may appear and vanish under our hands before we give up.
const MOST_TRIES: u32 = 16;

/// `O_CREAT`.
pub fn create(call: &Call, mut start: Start, wanted: &Wanted) -> io::Result<Answer> {
    let (mut links, mut tries, mut judged) = (0, 0, false);
    loop {
        let spot = call.spot(&start, wanted.resolve)?;
        if spot.is_dots() {
            call.find(&start, How { resolve: wanted.resolve, ..How::default() })?;
            return fail(if wanted.has(libc::O_EXCL) { libc::EEXIST } else { libc::EISDIR });
        }
        if spot.slash {
            spot.must_be_searchable(call)?;
            return fail(libc::EISDIR);
        }
        match spot.look(call) {
            Ok(_) if wanted.has(libc::O_EXCL) => return fail(libc::EEXIST),
            Ok(found) if found.kind() != ObjectKind::Symlink => return existing(call, found, wanted),
            Ok(_) if wanted.has(libc::O_NOFOLLOW) => return fail(libc::ELOOP),
            Ok(link) => {
                let text = files::read_link(link.handle.as_fd(), c"")?;
                // The whole way once more where the actor restricts it: what it may not leave is not this directory.
                let there = if wanted.resolve == 0 { spot.itself()? } else { start };
                // No new file's name ends in a slash, whatever it leads to.
                if !text.ends_with(b"/") {
                    match call.find(&there, How { resolve: wanted.resolve, ..How::default() }) {
                        Ok(found) => return existing(call, found, wanted),
                        Err(error) if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => return Err(error),
                        Err(_) => {}
                    }
                }
                // It dangles, there or further on: the file is to be made where it points.
                links += 1;
                if links > MOST_LINKS || wanted.resolve & libc::RESOLVE_NO_SYMLINKS != 0 {
                    return fail(libc::ELOOP);
                }
                start = there.led_by(text);
                // Another name, to be judged as such.
                judged = false;
                continue;
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) && !own()?.is_proc(spot.dev) => {}
            Err(error) => return Err(error),
        }
        if gives_rights(wanted.mode) {
            return Ok(call.tamper("open u+s", spot.shown(call)));
        }
        if !judged {
            if let Verdict::Refuse(errno) = call.judge(Act::Create { path: spot.shown(call) }, None).verdict {
                return Ok(Answer::Errno(errno));
            }
            judged = true;
        }
        // With `O_EXCL` no link is followed, open(2).
        let flags = wanted.flags | libc::O_EXCL | libc::O_NOCTTY | libc::O_CLOEXEC;
        let open = |mode| files::openat(spot.parent.as_fd(), &spot.name, flags, mode);
        let mask = call.umask();
        match call.as_caller(|| files::masked(mask, wanted.mode, open)) {
            Ok(fd) => {
                call.watched.policy.done(&Act::Create { path: spot.shown(call) });
                return Ok(wanted.handed(fd));
            }
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) && tries < MOST_TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// `O_TMPFILE`: a file without a name, until someone links it.
pub fn unnamed(call: &Call, start: &Start, wanted: &Wanted) -> io::Result<Answer> {
    let found = call.find(start, How { directory: true, nofollow: wanted.has(libc::O_NOFOLLOW), resolve: wanted.resolve })?;
    if gives_rights(wanted.mode) {
        return Ok(call.tamper("open u+s", found.shown(call)));
    }
    let mut path = found.shown(call).as_bytes().to_vec();
    path.extend_from_slice(b"/(unnamed)");
    if let Verdict::Refuse(errno) = call.judge(Act::Create { path: crate::model::Hostile::new(path) }, None).verdict {
        return Ok(Answer::Errno(errno));
    }
    let flags = wanted.flags & !libc::O_NOFOLLOW;
    let mask = call.umask();
    let fd = call.as_caller(|| files::masked(mask, wanted.mode, |mode| own()?.reopen(found.handle.as_fd(), flags, mode)))?;
    Ok(wanted.handed(fd))
}
