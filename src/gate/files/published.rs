//! Plain reads of published trees — the system, the toolchain, sources from a registry —, which are most of all opens: allowed by their
//! text, opened at once, not recorded. We open them ourselves: the kernel would read the path again, and where a thread had exchanged it
//! by then, the wall would refuse something that is in no record. In: a text. Out: an answer, or nothing where a closer look is needed.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::wanted::Wanted;
use crate::gate::errno::c_string;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::model::ActorKind;
use crate::sys::files::{self, AT_FDCWD};
use crate::sys::socket;

/// What `F_SETFL` can change, but for `O_NONBLOCK`.
const STATUS: i32 = libc::O_APPEND | libc::O_ASYNC | libc::O_DIRECT | libc::O_NOATIME;

/// Opens what `text` names, if that is a plain file or directory of a published tree; `None` where it is not, or cannot be told quickly.
///
/// # Errors
/// The kernel's own for such an open.
pub fn open(call: &Call, text: &[u8], wanted: &Wanted) -> io::Result<Option<Answer>> {
    // A sandbox of its own has a say in every open: `existing` asks it.
    if call.sandbox()?.is_some() {
        return Ok(None);
    }
    let Some(path) = whole(call, text, wanted.dirfd).filter(|path| is_published(call, path)) else { return Ok(None) };
    let path = c_string(path)?;
    // Nothing there should make us wait, and nothing can.
    let flags = wanted.flags & !(libc::O_CREAT | libc::O_EXCL) | libc::O_NOCTTY | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let open = |resolve| call.look_as_caller(|| files::openat2(AT_FDCWD, &path, flags, 0, resolve));
    let (opened, straight) = match open(libc::RESOLVE_NO_SYMLINKS) {
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => (open(libc::RESOLVE_NO_MAGICLINKS), false),
        other => (other, true),
    };
    let fd = match opened {
        Ok(fd) => fd,
        Err(error) if matches!(error.raw_os_error(), Some(libc::ELOOP | libc::ENXIO | libc::EAGAIN)) => return Ok(None),
        Err(error) => return Err(error),
    };
    // A link may have led out of it.
    if !straight && !is_published(call, &own()?.path_of(fd.as_fd())?) {
        return Ok(None);
    }
    if !matches!(files::stat(fd.as_fd())?.mode & libc::S_IFMT, libc::S_IFREG | libc::S_IFDIR) {
        return Ok(None);
    }
    if !wanted.has(libc::O_NONBLOCK) {
        socket::set_status_flags(fd.as_fd(), wanted.flags & STATUS)?;
    }
    Ok(Some(Answer::AddFd { fd, cloexec: wanted.cloexec() }))
}

fn is_published(call: &Call, path: &[u8]) -> bool {
    call.watched.policy.may_pass(Path::new(OsStr::from_bytes(path)))
}

/// The text from the root on, where that is quickly told.
fn whole(call: &Call, text: &[u8], dirfd: i32) -> Option<Vec<u8>> {
    if !call.enforces() || text.is_empty() {
        return None;
    }
    if text[0] == b'/' {
        return Some(text.to_vec());
    }
    // A compiler works in its package and names what lies elsewhere by absolute paths: its relative ones never pass, so save the look.
    if dirfd != libc::AT_FDCWD || call.watched.policy.kind == ActorKind::Rustc {
        return None;
    }
    let mut joined = directory(call).ok()?;
    joined.push(b'/');
    joined.extend_from_slice(text);
    Some(joined)
}

/// The caller's current directory. It is remembered where nobody in the build can move or replace it.
fn directory(call: &Call) -> io::Result<Vec<u8>> {
    if let Some(known) = call.watched.processes().directory(call.tid) {
        return Ok(known.to_vec());
    }
    let looked_up = own()?.link_of(call.tid, "cwd")?;
    if is_published(call, &looked_up) {
        call.watched.processes().works_in(call.tid, &looked_up);
    }
    Ok(looked_up)
}
