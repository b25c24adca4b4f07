//! What is ours and must never be handed to an actor: our own process under `/proc`, however it was reached. `/proc/self` means *us*
//! when we resolve a path, so every handle that lies on a procfs is looked at again.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use crate::sys::files::{self, AT_FDCWD};
use crate::sys::identity::{self, Person};
use crate::sys::process::person;
use crate::sys::stand_in;

/// Handles and numbers that do not change while we run. Actors cannot mount (that call is refused), so neither do the mounts.
pub struct Own {
    pid: u32,
    /// In whose name we open files.
    pub person: Person,
    /// May what we start become somebody else? A user without privileges and with one identity may not (`setresuid(2)`), and none of our
    /// actors gains privileges.
    pub may_change: bool,
    /// `/proc`.
    proc: OwnedFd,
    /// `/proc/self/fd`.
    fds: OwnedFd,
    procs: Vec<Mount>,
    memfds: u64,
}

/// One place where (a part of) a procfs is mounted.
struct Mount {
    dev: u64,
    root: Vec<u8>,
    point: Vec<u8>,
}

/// A path on a procfs, taken apart.
pub struct InProc<'p> {
    pub pid: u32,
    /// Without a leading slash; empty for the directory of the process itself.
    pub rest: &'p [u8],
}

/// Ourselves, looked at once.
///
/// # Errors
/// When there is no `/proc` to look at.
pub fn own() -> io::Result<&'static Own> {
    static OWN: OnceLock<Own> = OnceLock::new();
    if let Some(own) = OWN.get() {
        return Ok(own);
    }
    let own = Own::look()?;
    Ok(OWN.get_or_init(|| own))
}

impl Own {
    fn look() -> io::Result<Own> {
        let directory = |path| files::openat(AT_FDCWD, path, libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC, 0);
        let memfd = files::memfd(c"brig", libc::MFD_CLOEXEC)?;
        let person = person(nix::unistd::gettid().as_raw() as u32).ok_or(io::ErrorKind::NotFound)?;
        let (users, groups) = (nix::unistd::getresuid()?, nix::unistd::getresgid()?);
        let one = |ids: [u32; 3]| ids.iter().all(|id| *id == ids[0]);
        let may_change = identity::is_privileged()?
            || !one([users.real, users.effective, users.saved].map(nix::unistd::Uid::as_raw))
            || !one([groups.real, groups.effective, groups.saved].map(nix::unistd::Gid::as_raw));
        Ok(Own {
            pid: std::process::id(),
            person,
            may_change,
            proc: directory(c"/proc")?,
            fds: directory(c"/proc/self/fd")?,
            procs: fs::read("/proc/self/mountinfo")?.split(|byte| *byte == b'\n').filter_map(proc_mount).collect(),
            memfds: files::stat(memfd.as_fd())?.dev,
        })
    }

    /// Opens `/proc/<tid>/<what>`.
    pub fn of(&self, tid: u32, what: &str, flags: i32) -> io::Result<OwnedFd> {
        files::openat(self.proc.as_fd(), &text(format!("{tid}/{what}")), flags | libc::O_CLOEXEC, 0)
    }

    /// The text of the link `/proc/<tid>/<what>`.
    pub fn link_of(&self, tid: u32, what: &str) -> io::Result<Vec<u8>> {
        files::read_link(self.proc.as_fd(), &text(format!("{tid}/{what}")))
    }

    /// What lies behind the link `/proc/<tid>/<what>`.
    pub fn stat_of(&self, tid: u32, what: &str) -> io::Result<files::Facts> {
        files::stat_at(self.proc.as_fd(), &text(format!("{tid}/{what}")), 0)
    }

    /// Opens the very object behind one of our handles with other flags.
    pub fn reopen(&self, handle: BorrowedFd, flags: i32, mode: u32) -> io::Result<OwnedFd> {
        files::openat(self.fds.as_fd(), &name(handle), flags | libc::O_CLOEXEC, mode)
    }

    /// The kernel's text for what a handle of ours leads to.
    pub fn path_of(&self, handle: BorrowedFd) -> io::Result<Vec<u8>> {
        files::read_link(self.fds.as_fd(), &name(handle))
    }

    /// (directory, name) under which a handle of ours is found: for calls that follow a link.
    pub fn link(&self, handle: BorrowedFd) -> (BorrowedFd<'_>, CString) {
        (self.fds.as_fd(), name(handle))
    }

    /// Memory without a name: on the kernel's internal tmpfs, with no link.
    pub fn is_memfd(&self, facts: &files::Facts) -> bool {
        facts.dev == self.memfds && facts.links == 0
    }

    /// Is this the device of a procfs?
    pub fn is_proc(&self, dev: u64) -> bool {
        self.procs.iter().any(|mount| mount.dev == dev)
    }

    /// Takes a path on the procfs `dev` apart; `None` when it is not below a process.
    pub fn in_proc<'p>(&self, dev: u64, path: &'p [u8]) -> Option<InProc<'p>> {
        let mount = self.procs.iter().filter(|mount| mount.dev == dev && below(path, &mount.point)).max_by_key(|m| m.point.len())?;
        let rest = path.get(mount.point.len()..)?;
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        // A bind mount of one process's directory shows that process without its number.
        if let Some(root) = mount.root.strip_prefix(b"/").filter(|root| !root.is_empty()) {
            let (pid, _) = number(root)?;
            return Some(InProc { pid, rest });
        }
        let (pid, rest) = number(rest)?;
        Some(InProc { pid, rest })
    }

    /// Is this number our process, one that shares our memory for a moment, or one of our threads (which procfs serves too, though it does not list them)?
    pub fn is_ours(&self, pid: u32) -> bool {
        pid == self.pid || stand_in::is_one(pid) || files::stat_at(self.proc.as_fd(), &text(format!("{}/task/{pid}", self.pid)), 0).is_ok()
    }
}

fn text(text: String) -> CString {
    CString::new(text).unwrap_or_default()
}

fn name(handle: BorrowedFd) -> CString {
    text(handle.as_raw_fd().to_string())
}

/// `/proc/self/fd/N` for a handle of ours: for calls that take nothing but a path.
pub fn link_text(handle: BorrowedFd) -> CString {
    text(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}

fn below(path: &[u8], tree: &[u8]) -> bool {
    path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let end = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
    let pid = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((pid, text.get(end + 1..).unwrap_or_default()))
}

/// A line of `mountinfo` (`proc_pid_mountinfo(5)`), if it is about a procfs.
fn proc_mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ').skip(2);
    let dev = std::str::from_utf8(fields.next()?).ok()?;
    let (major, minor) = dev.split_once(':')?;
    let (root, point) = (fields.next()?.to_vec(), fields.next()?.to_vec());
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let dev = nix::sys::stat::makedev(major.parse().ok()?, minor.parse().ok()?);
    // Escaped mount points (blanks) stay escaped: nothing below them matches, and what does not match is judged as it stands.
    (kind == b"proc").then_some(Mount { dev, root, point })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_known_by_every_number() {
        let own = own().unwrap();
        let dev = files::stat_at(AT_FDCWD, c"/proc/self", 0).unwrap().dev;
        assert!(own.is_proc(dev));
        let path = format!("/proc/{}/task/5/fd/3", std::process::id());
        let inside = own.in_proc(dev, path.as_bytes()).unwrap();
        assert_eq!((inside.pid, inside.rest), (std::process::id(), &b"task/5/fd/3"[..]));
        assert!(own.is_ours(inside.pid));
        assert!(own.is_ours(nix::unistd::gettid().as_raw() as u32));
        assert!(!own.is_ours(1));
        assert!(own.in_proc(dev, b"/proc/meminfo").is_none());
        assert!(own.in_proc(dev, b"/process/1").is_none());
    }
}
