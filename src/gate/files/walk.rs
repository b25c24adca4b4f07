//! Resolution one component at a time, for the paths the kernel must not resolve on our behalf: those that go through `self` or a magic
//! link under `/proc`. Every step is a handle; links are read, not followed.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::found::{Found, How, Start};
use crate::gate::Call;
use crate::gate::errno::{c_string, fail};
use crate::gate::own::{InProc, Own};
use crate::model::{Act, Hostile, Verdict};
use crate::sys::files::{self, AT_FDCWD};

/// `MAXSYMLINKS`.
const MOST_LINKS: u32 = 40;
/// Inode of a procfs's root directory (`PROC_ROOT_INO`).
const PROC_ROOT: u64 = 1;

/// Are these `RESOLVE_*` flags kept to here?
pub fn understands(resolve: u64) -> bool {
    resolve & !(libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS) == 0
}

/// Resolves as the actor would.
///
/// # Errors
/// The kernel's own; `EACCES` for a magic link of ours, or of a process the policy does not let the actor look into.
pub fn walk(call: &Call, own: &Own, start: &Start, how: How) -> io::Result<Found> {
    let mut links = 0;
    let mut here = match &start.base {
        Some(base) if !start.text.starts_with(b"/") => base.try_clone()?,
        _ => root()?,
    };
    // Components still to go, last first; an empty one stands for a trailing slash.
    let mut rest = Vec::new();
    push(&mut rest, &start.text);
    while let Some(part) = rest.pop() {
        let last = rest.is_empty();
        if part == b"." {
            here = call.look_as_caller(|| files::openat(here.as_fd(), c".", libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC, 0))?;
            continue;
        }
        if part.is_empty() {
            must_be_directory(&here)?;
            continue;
        }
        let facts = files::stat(here.as_fd())?;
        // A process may always use the links of its own directory (`proc_fd_permission`), whoever it has become; with its rights, we may not.
        let own_links = own.is_proc(facts.dev) && is_of_caller(call, own, &here, facts.dev)?;
        if part != b".." && facts.ino == PROC_ROOT && own.is_proc(facts.dev) {
            if part == b"self" {
                rest.push(call.pid().to_string().into_bytes());
                continue;
            }
            if part == b"thread-self" {
                push(&mut rest, format!("{}/task/{}", call.pid(), call.tid).as_bytes());
                continue;
            }
        }
        let name = c_string(part)?;
        let look = || files::openat(here.as_fd(), &name, libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC, 0);
        let next = if own_links { look() } else { call.look_as_caller(look) }?;
        let facts = files::stat(next.as_fd())?;
        if facts.mode & libc::S_IFMT != libc::S_IFLNK || (last && how.nofollow) {
            here = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS || how.resolve & libc::RESOLVE_NO_SYMLINKS != 0 {
            return fail(libc::ELOOP);
        }
        let path = own.path_of(next.as_fd())?;
        if own.is_proc(facts.dev)
            && let Some(inside) = own.in_proc(facts.dev, &path).filter(is_magic)
        {
            if how.resolve & libc::RESOLVE_NO_MAGICLINKS != 0 {
                return fail(libc::ELOOP);
            }
            cross(call, own, &inside, &path)?;
            let follow = || files::openat(here.as_fd(), &name, libc::O_PATH | libc::O_CLOEXEC, 0);
            here = if own_links { follow() } else { call.look_as_caller(follow) }?;
            continue;
        }
        let text = files::read_link(next.as_fd(), c"")?;
        if text.is_empty() {
            return fail(libc::ENOENT);
        }
        if text[0] == b'/' {
            here = root()?;
        }
        push(&mut rest, &text);
    }
    if how.directory {
        must_be_directory(&here)?;
    }
    Found::of(own, here)
}

/// May the actor step through this magic link? Its own processes' it may; ours never; another's if the policy lets it read it.
fn cross(call: &Call, own: &Own, inside: &InProc, path: &[u8]) -> io::Result<()> {
    if inside.pid == call.pid() || call.is_kin(inside.pid) {
        return Ok(());
    }
    let act = Act::Read { path: Hostile::new(path) };
    if own.is_ours(inside.pid) {
        call.refuse(act, None, libc::EACCES);
        return fail(libc::EACCES);
    }
    match call.judge(act, None).verdict {
        Verdict::Refuse(errno) => fail(errno),
        Verdict::Allow | Verdict::Redact | Verdict::Decoy => Ok(()),
    }
}

/// The links below a process that lead to objects instead of texts (`proc_pid_fd(5)` and its neighbours).
fn is_magic(inside: &InProc) -> bool {
    let mut rest = inside.rest;
    if let Some(task) = rest.strip_prefix(b"task/") {
        rest = task.iter().position(|byte| *byte == b'/').map_or(&b""[..], |at| &task[at + 1..]);
    }
    matches!(rest, b"cwd" | b"root" | b"exe") || [&b"fd/"[..], b"map_files/", b"ns/"].iter().any(|tree| rest.starts_with(tree))
}

fn root() -> io::Result<OwnedFd> {
    files::openat(AT_FDCWD, c"/", libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC, 0)
}

fn must_be_directory(here: &OwnedFd) -> io::Result<()> {
    if files::stat(here.as_fd())?.mode & libc::S_IFMT == libc::S_IFDIR { Ok(()) } else { fail(libc::ENOTDIR) }
}

/// Is this place on a procfs below the caller's own process?
pub fn is_of_caller(call: &Call, own: &Own, here: &OwnedFd, dev: u64) -> io::Result<bool> {
    Ok(own.in_proc(dev, &own.path_of(here.as_fd())?).is_some_and(|inside| inside.pid == call.pid()))
}

fn push(rest: &mut Vec<Vec<u8>>, text: &[u8]) {
    let at = rest.len();
    if text.len() > 1 && text.ends_with(b"/") {
        rest.push(Vec::new());
    }
    rest.extend(text.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).rev().map(<[u8]>::to_vec));
    debug_assert!(rest.len() >= at);
}
