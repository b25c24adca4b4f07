//! `execve execveat`: judged on the real program, its interpreter and — for the dynamic loader — the program it is told to load. An exec
//! cannot be done on someone's behalf, so what runs afterwards is compared with what was judged (`outcome`).

use std::io;

use super::outcome::expect;
use super::program::{head, interpreted, is_foreign, refused};
use crate::gate::errno::fail;
use crate::gate::files::found::{Found, How};
use crate::gate::own::own;
use crate::gate::{Answer, Call, memory};
use crate::gate::{clock, compilers};
use crate::model::act::ObjectKind;
use crate::report::redact;

/// Judges an exec; where it may be, the kernel makes it (`Continue`).
///
/// # Errors
/// The kernel's own for such an exec: `ENOENT`, `EACCES` for what is no executable file, `ELOOP` for a link that was not to be followed or
/// for scripts that interpret scripts too deep, `EFAULT`.
pub fn exec(call: &Call) -> io::Result<Answer> {
    let (dirfd, path_at, flags) = match call.number {
        libc::SYS_execveat => (call.int(0), 1, call.int(4)),
        _ => (libc::AT_FDCWD, 0, 0),
    };
    if flags & !(libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW) != 0 {
        return fail(libc::EINVAL);
    }
    let text = call.path(path_at)?;
    let found = if text.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
        let handle = call.directory(dirfd)?;
        call.check_valid()?;
        Found::of(own()?, handle)?
    } else {
        call.find(&call.start(dirfd, text)?, How { nofollow: flags & libc::AT_SYMLINK_NOFOLLOW != 0, ..How::default() })?
    };
    if found.kind() == ObjectKind::Symlink {
        return fail(libc::ELOOP);
    }
    // A memory file is sealed against exec, and has no such bit: the attempt is judged all the same.
    if found.kind() != ObjectKind::File || found.facts.mode & 0o111 == 0 && !own()?.is_memfd(&found.facts) {
        return fail(libc::EACCES);
    }
    // Only now: a program is looked for in every directory of a `PATH`, and most misses have long arguments.
    let argv = memory::read_argv(call.tid, call.args[path_at + 1])?;
    call.check_valid()?;
    let redacted = redact::argv(&argv);
    if let Some(refused) = refused(call, &found, &argv, &redacted)? {
        return Ok(refused);
    }
    let named = (found.facts.dev, found.facts.ino);
    let loaded = match interpreted(call, found, &redacted)? {
        Ok(loaded) => loaded,
        Err(refused) => return Ok(refused),
    };
    if head(&loaded).is_some_and(|head| is_foreign(&head)) {
        // Should a race bring one past this look, not one of its calls is let through.
        return Ok(call.tamper("execve", [b"a program of a foreign ABI: ", loaded.shown(call).as_bytes()].concat().as_slice()));
    }
    expect(call, &loaded, argv, redacted, (loaded.facts.dev, loaded.facts.ino) != named);
    if call.watched.policy.shift.is_some() {
        clock::prepare(call, &loaded);
    } else {
        compilers::prepare(call, &loaded);
    }
    Ok(Answer::Continue)
}
