//! What a path led to: a handle on the object, with its real path. Also where resolution begins, and how it is to go.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::gate::Call;
use crate::gate::errno::c_string;
use crate::gate::own::{Own, own};
use crate::model::act::ObjectKind;
use crate::model::{Hostile, Object};
use crate::sys::files::{self, AT_FDCWD, Facts};

/// Where resolution begins.
pub struct Start {
    /// Of no account where the text is absolute, unless this is taken for the root.
    pub base: Option<OwnedFd>,
    pub text: Vec<u8>,
}

impl Start {
    /// As a system call takes it: `AT_FDCWD` where there is none.
    pub fn base(&self) -> BorrowedFd<'_> {
        self.base.as_ref().map_or(AT_FDCWD, |base| base.as_fd())
    }

    /// Where a link with this text leads that lies where this one does.
    pub fn led_by(self, link: Vec<u8>) -> Start {
        let directory = self.text.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let text = if link.starts_with(b"/") { link } else { [&self.text[..directory], &link].concat() };
        Start { text, ..self }
    }
}

/// How to resolve.
#[derive(Clone, Copy, Default)]
pub struct How {
    /// Do not follow a link in the last place.
    pub nofollow: bool,
    pub directory: bool,
    /// The actor's own `RESOLVE_*` flags.
    pub resolve: u64,
}

/// A handle on what a path leads to.
#[derive(Debug)]
pub struct Found {
    /// Opened with `O_PATH`.
    pub handle: OwnedFd,
    pub facts: Facts,
    /// The real path, or the kernel's text for what has none.
    pub path: Vec<u8>,
    /// Has no place in the file system: a pipe, a socket, a memfd.
    pub anonymous: bool,
}

impl Found {
    /// What a handle leads to.
    ///
    /// # Errors
    /// When it cannot be looked at any more.
    pub fn of(own: &Own, handle: OwnedFd) -> io::Result<Found> {
        let facts = files::stat(handle.as_fd())?;
        let mut path = own.path_of(handle.as_fd())?;
        let anonymous = own.is_memfd(&facts) || !(path.starts_with(b"/") || path.starts_with(b"(unreachable)"));
        if let Some(real) = path.strip_suffix(b" (deleted)")
            && !is_at(&path, &facts)
        {
            path.truncate(real.len());
        }
        Ok(Found { handle, facts, path, anonymous })
    }

    pub fn kind(&self) -> ObjectKind {
        kind_of(self.facts.mode)
    }

    /// For judging: device, inode and kind.
    pub fn object(&self) -> Object {
        Object { dev: self.facts.dev, ino: self.facts.ino, kind: self.kind() }
    }

    /// Is it of this format (`S_IFREG` and its kin, inode(7))?
    pub fn is(&self, format: u32) -> bool {
        self.facts.mode & libc::S_IFMT == format
    }

    /// Is this the caller's `/proc/self/fd`?
    pub fn lists_descriptors_of(&self, call: &Call) -> io::Result<bool> {
        let own = own()?;
        let own_process = || own.in_proc(self.facts.dev, &self.path).filter(|inside| inside.pid == call.pid());
        Ok(self.kind() == ObjectKind::Directory
            && own.is_proc(self.facts.dev)
            && own_process()
                .is_some_and(|inside| inside.rest == b"fd" || inside.rest.starts_with(b"task/") && inside.rest.ends_with(b"/fd")))
    }

    /// The path for judging and for the record: the caller's own process is `/proc/self`, whatever its number is today.
    pub fn shown(&self, call: &Call) -> Hostile {
        shown(call, self.facts.dev, &self.path)
    }

    /// The same for a look without writing: a process's children, its threads by their own numbers, and whom it may trace are its own as well. The
    /// handle is of whoever had the number when it was made, and opens nothing once that one is gone.
    pub fn looked_at(&self, call: &Call) -> Hostile {
        let family = own().ok().filter(|own| own.is_proc(self.facts.dev)).and_then(|own| own.in_proc(self.facts.dev, &self.path));
        match family.filter(|inside| call.is_own_family(inside.pid) || call.traces(inside.pid)) {
            Some(inside) => in_own(inside.rest),
            None => self.shown(call),
        }
    }

    /// The same for writing: the memory of whom it may trace is as its own, since it could change that by `ptrace` as well.
    pub fn written_to(&self, call: &Call) -> Hostile {
        let inside = own().ok().filter(|own| own.is_proc(self.facts.dev)).and_then(|own| own.in_proc(self.facts.dev, &self.path));
        let is_memory = |rest: &[u8]| rest == b"mem" || rest.starts_with(b"task/") && rest.ends_with(b"/mem");
        match inside.filter(|inside| is_memory(inside.rest) && call.traces(inside.pid)) {
            Some(inside) => in_own(inside.rest),
            None => self.shown(call),
        }
    }
}

/// A path on this device, for judging and for the record.
pub fn shown(call: &Call, dev: u64, path: &[u8]) -> Hostile {
    if path.starts_with(b"/proc/")
        && let Ok(own) = own()
        && own.is_proc(dev)
        && let Some(inside) = own.in_proc(dev, path).filter(|inside| inside.pid == call.pid())
    {
        return in_own(inside.rest);
    }
    Hostile::new(path)
}

/// What lies here in the directory of the caller's own process.
fn in_own(rest: &[u8]) -> Hostile {
    let front = if rest.is_empty() { &b"/proc/self"[..] } else { b"/proc/self/" };
    Hostile::new([front, rest].concat())
}

/// From the mode of an inode.
pub fn kind_of(mode: u32) -> ObjectKind {
    match mode & libc::S_IFMT {
        libc::S_IFREG => ObjectKind::File,
        libc::S_IFDIR => ObjectKind::Directory,
        libc::S_IFLNK => ObjectKind::Symlink,
        _ => ObjectKind::Special,
    }
}

/// A file may truly be called `x (deleted)`: then it is found under that name.
fn is_at(path: &[u8], facts: &Facts) -> bool {
    c_string(path.to_vec())
        .and_then(|path| files::stat_at(AT_FDCWD, &path, libc::AT_SYMLINK_NOFOLLOW))
        .is_ok_and(|there| (there.dev, there.ino) == (facts.dev, facts.ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_file_is_judged_by_the_name_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone");
        let file = std::fs::File::create(&gone).unwrap();
        std::fs::remove_file(&gone).unwrap();
        let found = Found::of(own().unwrap(), file.into()).unwrap();
        assert_eq!(Hostile::new(found.path).as_path(), gone);

        let named = dir.path().join("x (deleted)");
        let found = Found::of(own().unwrap(), std::fs::File::create(&named).unwrap().into()).unwrap();
        assert_eq!(Hostile::new(found.path).as_path(), named);
    }

    #[test]
    fn what_has_no_place_is_anonymous() {
        let (pipe, _other) = nix::unistd::pipe().unwrap();
        assert!(Found::of(own().unwrap(), pipe).unwrap().anonymous);
        let memfd = files::memfd(c"x", 0).unwrap();
        assert!(Found::of(own().unwrap(), memfd).unwrap().anonymous);
        assert!(!Found::of(own().unwrap(), std::fs::File::open("/dev/null").unwrap().into()).unwrap().anonymous);
    }
}
