//! Writes that are not opens: names come and go, and change places. Each call is brought to its general form, its parents are pinned,
//! the real paths are judged, and the gate does it itself on what was pinned. What changes a file's attributes is in `metadata`.

use std::io;
use std::os::fd::AsFd;

use super::deed::{At, do_if, look, spot};
use super::found::{Found, How};
use super::spot::Spot;
use super::{metadata, moved};
use crate::gate::errno::{c_string, fail};
use crate::gate::own::{link_text, own};
use crate::gate::{Answer, Call};
use crate::model::act::ObjectKind;
use crate::model::{Act, Hostile, Object, Verdict};
use crate::sys::files;
use crate::sys::process::{file_size_limit, signal_thread};

const CWD: i32 = libc::AT_FDCWD;

/// Answers `rename link symlink unlink rmdir mkdir mknod truncate` in all their forms, and hands the rest on to `metadata`. `name` is the system
/// call's.
///
/// # Errors
/// The kernel's own, in its order where a call fails in more than one way.
pub fn change(call: &Call, name: &'static str) -> io::Result<Answer> {
    let flags = |index: usize| call.int(index);
    match call.number {
        libc::SYS_renameat2 => rename(call, (call.int(0), 1), (call.int(2), 3), call.int(4) as u32),
        libc::SYS_linkat => link(call, (call.int(0), 1), (call.int(2), 3), flags(4)),
        libc::SYS_symlinkat => symlink(call, 0, (call.int(1), 2)),
        libc::SYS_unlinkat => unlink(call, (call.int(0), 1), flags(2)),
        libc::SYS_mkdirat => mkdir(call, (call.int(0), 1), call.int(2) as u32),
        libc::SYS_mknodat => mknod(call, (call.int(0), 1), call.int(2) as u32, call.args[3]),
        libc::SYS_truncate => truncate(call),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename => rename(call, (CWD, 0), (CWD, 1), 0),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_renameat => rename(call, (call.int(0), 1), (call.int(2), 3), 0),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_link => link(call, (CWD, 0), (CWD, 1), 0),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_symlink => symlink(call, 0, (CWD, 1)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink => unlink(call, (CWD, 0), 0),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rmdir => unlink(call, (CWD, 0), libc::AT_REMOVEDIR),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir => mkdir(call, (CWD, 0), call.int(1) as u32),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mknod => mknod(call, (CWD, 0), call.int(1) as u32, call.args[2]),
        // aarch64 has it too, under a number that libc does not name.
        #[cfg(target_arch = "aarch64")]
        38 => rename(call, (call.int(0), 1), (call.int(2), 3), 0),
        _ => metadata::metadata(call, name),
    }
}

/// The name as the kernel is to see it: with the slash it came with, which only a directory can bear.
fn name(spot: &Spot) -> io::Result<std::ffi::CString> {
    let mut name = spot.name.as_bytes().to_vec();
    if spot.slash {
        name.push(b'/');
    }
    c_string(name)
}

fn rename(call: &Call, from: At, to: At, flags: u32) -> io::Result<Answer> {
    if flags & !(libc::RENAME_NOREPLACE | libc::RENAME_EXCHANGE | libc::RENAME_WHITEOUT) != 0 {
        return fail(libc::EINVAL);
    }
    if flags & libc::RENAME_EXCHANGE != 0 && flags != libc::RENAME_EXCHANGE {
        return fail(libc::EINVAL);
    }
    let from = spot(call, from)?;
    from.must_be_searchable(call)?;
    let to = spot(call, to)?;
    to.must_be_searchable(call)?;
    // In the kernel's order (`do_renameat2`), for what fails in more than one way.
    if from.dev != to.dev {
        return fail(libc::EXDEV);
    }
    if from.is_dots() || to.is_dots() {
        return fail(if !from.is_dots() && flags & libc::RENAME_NOREPLACE != 0 { libc::EEXIST } else { libc::EBUSY });
    }
    let source = from.look(call)?;
    let target = look(call, &to)?;
    let (here, there) = (from.shown(call), to.shown(call));
    match (&target, flags & libc::RENAME_EXCHANGE != 0) {
        (Some(_), false) if flags & libc::RENAME_NOREPLACE != 0 => return fail(libc::EEXIST),
        (None, true) => return fail(libc::ENOENT),
        // Both change places: the other half is an act of its own.
        (Some(target), true) => {
            let back = Act::Rename { from: there.clone(), to: here.clone() };
            if let Verdict::Refuse(errno) = call.judge(back, Some(target.object())).verdict {
                return Ok(Answer::Errno(errno));
            }
            if let Some(answer) = moved::judge(call, target, &there, &here)? {
                return Ok(answer);
            }
        }
        // What was there is gone afterwards, an empty directory too. A policy that lets the name be written may still hold on to it.
        (Some(target), false) => {
            let removed = call.watched.policy.judge(&Act::Remove { path: there.clone() }, Some(target.object()));
            if (removed.breach.is_some() || removed.refused())
                && let Verdict::Refuse(errno) = call.judge(Act::Remove { path: there.clone() }, Some(target.object())).verdict
            {
                return Ok(Answer::Errno(errno));
            }
        }
        _ => {}
    }
    if let Some(answer) = moved::judge(call, &source, &here, &there)? {
        return Ok(answer);
    }
    do_if(call, Act::Rename { from: here, to: there }, Some(source.object()), || {
        files::rename(from.parent.as_fd(), &name(&from)?, to.parent.as_fd(), &name(&to)?, flags)
    })
}

fn link(call: &Call, from: At, to: At, flags: i32) -> io::Result<Answer> {
    if flags & !(libc::AT_SYMLINK_FOLLOW | libc::AT_EMPTY_PATH) != 0 {
        return fail(libc::EINVAL);
    }
    let text = call.path(from.1)?;
    let source = if text.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
        let handle = call.directory(from.0)?;
        call.check_valid()?;
        Found::of(own()?, handle)?
    } else {
        let nofollow = flags & libc::AT_SYMLINK_FOLLOW == 0;
        call.find(&call.start(from.0, text)?, How { nofollow, ..How::default() })?
    };
    let to = spot(call, to)?;
    if look(call, &to)?.is_some() {
        return fail(libc::EEXIST);
    }
    if to.slash {
        return fail(libc::ENOENT);
    }
    let act = Act::Link { from: source.shown(call), to: to.shown(call) };
    do_if(call, act, Some(source.object()), || {
        // Through our own magic link: the very object that was judged gets the name, whatever its old name leads to by now.
        let (fds, number) = own()?.link(source.handle.as_fd());
        files::link(fds, &number, to.parent.as_fd(), &to.name, libc::AT_SYMLINK_FOLLOW)
    })
}

fn symlink(call: &Call, target: usize, at: At) -> io::Result<Answer> {
    let target = call.path(target)?;
    if target.is_empty() {
        return fail(libc::ENOENT);
    }
    let to = spot(call, at)?;
    if look(call, &to)?.is_some() {
        return fail(libc::EEXIST);
    }
    if to.slash {
        return fail(libc::ENOENT);
    }
    let act = Act::Symlink { target: Hostile::new(target.as_slice()), path: to.shown(call) };
    do_if(call, act, None, || files::symlink(&c_string(target)?, to.parent.as_fd(), &to.name))
}

fn unlink(call: &Call, at: At, flags: i32) -> io::Result<Answer> {
    if flags & !libc::AT_REMOVEDIR != 0 {
        return fail(libc::EINVAL);
    }
    let spot = spot(call, at)?;
    if spot.is_dots() {
        let errno = match (flags, spot.name.as_bytes()) {
            (0, _) => libc::EISDIR,
            (_, b".") => libc::EINVAL,
            _ => libc::ENOTEMPTY,
        };
        return fail(errno);
    }
    let found = spot.look(call)?;
    do_if(call, Act::Remove { path: spot.shown(call) }, Some(found.object()), || files::unlink(spot.parent.as_fd(), &name(&spot)?, flags))
}

fn mkdir(call: &Call, at: At, mode: u32) -> io::Result<Answer> {
    let spot = spot(call, at)?;
    if spot.is_dots() || look(call, &spot)?.is_some() {
        return fail(libc::EEXIST);
    }
    let (directory, mask) = (Object { dev: spot.dev, ino: 0, kind: ObjectKind::Directory }, call.umask());
    do_if(call, Act::Create { path: spot.shown(call) }, Some(directory), || {
        files::masked(mask, mode & 0o1777, |mode| files::make_directory(spot.parent.as_fd(), &spot.name, mode))
    })
}

fn mknod(call: &Call, at: At, mode: u32, dev: u64) -> io::Result<Answer> {
    // `may_mknod`, before the path is looked at.
    match mode & libc::S_IFMT {
        0 | libc::S_IFREG | libc::S_IFIFO | libc::S_IFSOCK | libc::S_IFCHR | libc::S_IFBLK => {}
        libc::S_IFDIR => return fail(libc::EPERM),
        _ => return fail(libc::EINVAL),
    }
    let spot = spot(call, at)?;
    if spot.is_dots() || look(call, &spot)?.is_some() {
        return fail(libc::EEXIST);
    }
    if spot.slash {
        return fail(libc::ENOENT);
    }
    if matches!(mode & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK) {
        // A node of one's own is a way around every path: to a disk, to memory.
        return Ok(call.tamper("mknod", spot.shown(call)));
    }
    if metadata::gives_rights(mode) {
        return Ok(call.tamper("mknod u+s", spot.shown(call)));
    }
    let kind = if matches!(mode & libc::S_IFMT, 0 | libc::S_IFREG) { ObjectKind::File } else { ObjectKind::Special };
    let mask = call.umask();
    do_if(call, Act::Create { path: spot.shown(call) }, Some(Object { dev: spot.dev, ino: 0, kind }), || {
        files::masked(mask, mode, |mode| files::make_node(spot.parent.as_fd(), &spot.name, mode, dev))
    })
}

fn truncate(call: &Call) -> io::Result<Answer> {
    let length = call.args[1] as i64;
    if length < 0 {
        return fail(libc::EINVAL);
    }
    let found = call.find(&call.start(CWD, call.path(0)?)?, How::default())?;
    match found.kind() {
        ObjectKind::File => {}
        ObjectKind::Directory => return fail(libc::EISDIR),
        ObjectKind::Symlink | ObjectKind::Special => return fail(libc::EINVAL),
    }
    let (pid, tid) = (call.pid(), call.tid);
    do_if(call, Act::Write { path: found.shown(call) }, Some(found.object()), || {
        // The limit is the actor's, and so is the signal (`inode_newsize_ok`).
        if length as u64 > found.facts.size && file_size_limit(tid).is_none_or(|limit| length as u64 > limit) {
            signal_thread(pid, tid, libc::SIGXFSZ);
            return fail(libc::EFBIG);
        }
        files::truncate(&link_text(found.handle.as_fd()), length)
    })
}
