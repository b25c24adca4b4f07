//! A path in an actor's words becomes a handle: resolved once, from the actor's own directories, as the actor would see it — its
//! `/proc/self`, not ours. In: a directory descriptor and a text. Out: pinned handles with their real paths.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::own::{Own, own};
use super::{Call, walk};
use crate::model::act::ObjectKind;
use crate::model::{Act, Hostile, Object};
use crate::sys::files::{self, AT_FDCWD, Facts};

const HANDLE: i32 = libc::O_PATH | libc::O_CLOEXEC;

/// Where resolution begins.
pub struct Start {
    /// Of no account where the text is absolute, unless this is taken for the root.
    pub base: Option<OwnedFd>,
    pub text: Vec<u8>,
}

impl Start {
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

/// A place in a directory: pinned parent and name.
pub struct Spot {
    pub parent: OwnedFd,
    /// Real path of the parent.
    path: Vec<u8>,
    /// Device of the parent.
    pub dev: u64,
    /// Without slashes; `.` for a path that names no entry.
    pub name: CString,
    /// The text ended in a slash: it can only mean a directory.
    pub slash: bool,
}

pub fn c_string(text: Vec<u8>) -> io::Result<CString> {
    CString::new(text).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

pub fn fail<T>(errno: i32) -> io::Result<T> {
    Err(io::Error::from_raw_os_error(errno))
}

impl Call<'_> {
    /// Where a path of this call begins, with `/proc/self` and its kin put into the actor's terms.
    ///
    /// # Errors
    /// `ENOENT` for an empty text, `EBADF` for a descriptor the actor does not have; `ESRCH` when the caller is gone.
    pub fn start(&self, dirfd: i32, mut text: Vec<u8>) -> io::Result<Start> {
        if text.is_empty() {
            return fail(libc::ENOENT);
        }
        let base = if text[0] == b'/' {
            if let Some(own_words) = in_own_words(&text, || self.pid(), self.tid) {
                text = own_words;
            }
            None
        } else {
            Some(self.directory(dirfd)?)
        };
        // Only now is it sure that both text and directory were the caller's.
        self.check_valid()?;
        Ok(Start { base, text })
    }

    /// The same where the directory is to be taken for the root (`RESOLVE_IN_ROOT`): no text leads out of it.
    ///
    /// # Errors
    /// As for `start`.
    pub fn start_in_root(&self, dirfd: i32, text: Vec<u8>) -> io::Result<Start> {
        if text.is_empty() {
            return fail(libc::ENOENT);
        }
        let base = Some(self.directory(dirfd)?);
        self.check_valid()?;
        Ok(Start { base, text })
    }

    /// A handle on the actor's descriptor `fd`, or on its current directory.
    pub fn directory(&self, fd: i32) -> io::Result<OwnedFd> {
        if fd == libc::AT_FDCWD { own()?.of(self.tid, "cwd", libc::O_PATH) } else { self.descriptor(fd) }
    }

    /// A handle on whatever the actor's descriptor `fd` leads to.
    pub fn descriptor(&self, fd: i32) -> io::Result<OwnedFd> {
        if fd < 0 {
            return fail(libc::EBADF);
        }
        own()?.of(self.tid, &format!("fd/{fd}"), libc::O_PATH).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT) => io::Error::from_raw_os_error(libc::EBADF),
            _ => error,
        })
    }

    /// What a path leads to.
    ///
    /// # Errors
    /// The kernel's own for this path; `EACCES` where it leads to us.
    pub fn find(&self, start: &Start, how: How) -> io::Result<Found> {
        let own = own()?;
        let text = c_string(start.text.clone())?;
        let flags = HANDLE | if how.nofollow { libc::O_NOFOLLOW } else { 0 } | if how.directory { libc::O_DIRECTORY } else { 0 };
        // As the caller: it may have given up the right to look into a directory on the way.
        let resolve = |restriction| {
            let handle = self.look_as_caller(|| files::openat2(start.base(), &text, flags, 0, restriction))?;
            Found::of(own, handle)
        };
        let strict = how.resolve & !libc::RESOLVE_CACHED;
        let found = if strict != 0 {
            // What comes through "self" under the actor's own restrictions is ours, and refused below.
            match resolve(strict | libc::RESOLVE_NO_MAGICLINKS) {
                Ok(found) if !self.leads_to_us(own, &found) => return Ok(found),
                // Which descriptors there are behind a link through `/proc/self` differs from us to the actor.
                _ if strict == libc::RESOLVE_NO_MAGICLINKS => walk::walk(self, own, start, how)?,
                Err(error) if error.raw_os_error() == Some(libc::EACCES) && self.has_changed() && walk::understands(strict) => {
                    walk::walk(self, own, start, how)?
                }
                other => other?,
            }
        } else {
            match resolve(libc::RESOLVE_NO_SYMLINKS) {
                // Links are on the way. One may lead through `/proc/self`: then what was found is ours, and a miss may be ours as well.
                Err(error) if error.raw_os_error() == Some(libc::ELOOP) => match resolve(libc::RESOLVE_NO_MAGICLINKS) {
                    Ok(found) if !self.leads_to_us(own, &found) => return Ok(found),
                    _ => walk::walk(self, own, start, how)?,
                },
                // Whoever the caller has become may use its own process's links, which we may not in that name.
                Err(error) if error.raw_os_error() == Some(libc::EACCES) && self.has_changed() => walk::walk(self, own, start, how)?,
                // Without links a text means the same to us as to the actor.
                other => other?,
            }
        };
        if self.leads_to_us(own, &found) {
            self.refuse(Act::Read { path: found.shown(self) }, Some(found.object()), libc::EACCES);
            return fail(libc::EACCES);
        }
        Ok(found)
    }

    /// The directory and name a path speaks of, without looking at the last place itself.
    pub fn spot(&self, start: &Start, resolve: u64) -> io::Result<Spot> {
        let text = &start.text;
        let end = text.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
        let (text, slash) = (&text[..end], end < text.len());
        let name_at = text.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let name = if name_at < text.len() { &text[name_at..] } else { b"." };
        let directory = if name_at > 0 { &text[..name_at] } else { &b"."[..] };
        let directory = if end == 0 { &b"/"[..] } else { directory };
        let base = start.base.as_ref().map(|base| base.try_clone()).transpose()?;
        let found = self.find(&Start { base, text: directory.to_vec() }, How { nofollow: false, directory: true, resolve })?;
        let spot = Spot { parent: found.handle, path: found.path, dev: found.facts.dev, name: c_string(name.to_vec())?, slash };
        if spot.is_dots() {
            // The parent must be searchable for these, too.
            spot.look(self)?;
        }
        Ok(spot)
    }

    fn leads_to_us(&self, own: &Own, found: &Found) -> bool {
        own.is_proc(found.facts.dev)
            && own.in_proc(found.facts.dev, &found.path).is_some_and(|inside| inside.pid != self.pid() && own.is_ours(inside.pid))
    }
}

impl Found {
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

    pub fn object(&self) -> Object {
        Object { dev: self.facts.dev, ino: self.facts.ino, kind: self.kind() }
    }

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
}

impl Spot {
    /// The path for judging and for the record.
    pub fn shown(&self, call: &Call) -> Hostile {
        let mut path = self.path.clone();
        if path != b"/" {
            path.push(b'/');
        }
        path.extend_from_slice(self.name.as_bytes());
        match own() {
            Ok(own) if path.starts_with(b"/proc/") => {
                let dev = files::stat(self.parent.as_fd()).map_or(0, |facts| facts.dev);
                if own.is_proc(dev) { shown(call, dev, &path) } else { Hostile::new(path) }
            }
            _ => Hostile::new(path),
        }
    }

    /// Where one begins who means this very name.
    pub fn itself(&self) -> io::Result<Start> {
        Ok(Start { base: Some(self.parent.try_clone()?), text: self.name.as_bytes().to_vec() })
    }

    /// A handle on what is there now; a link is not followed.
    pub fn look(&self, call: &Call) -> io::Result<Found> {
        let (own, look) = (own()?, || files::openat(self.parent.as_fd(), &self.name, HANDLE | libc::O_NOFOLLOW, 0));
        let own_links = call.has_changed() && own.is_proc(self.dev) && walk::is_of_caller(call, own, &self.parent, self.dev)?;
        Found::of(own, if own_links { look() } else { call.look_as_caller(look) }?)
    }

    /// # Errors
    /// `EACCES` where the caller may not look for names in the parent, which is told before anything about the name.
    pub fn must_be_searchable(&self, call: &Call) -> io::Result<()> {
        match self.look(call) {
            Err(error) if error.raw_os_error() == Some(libc::EACCES) => Err(error),
            _ => Ok(()),
        }
    }

    /// Can this name no entry of the parent?
    pub fn is_dots(&self) -> bool {
        matches!(self.name.as_bytes(), b"." | b"..")
    }
}

fn shown(call: &Call, dev: u64, path: &[u8]) -> Hostile {
    if path.starts_with(b"/proc/")
        && let Ok(own) = own()
        && own.is_proc(dev)
        && let Some(inside) = own.in_proc(dev, path).filter(|inside| inside.pid == call.pid())
    {
        let mut text = b"/proc/self".to_vec();
        if !inside.rest.is_empty() {
            text.push(b'/');
            text.extend_from_slice(inside.rest);
        }
        return Hostile::new(text);
    }
    Hostile::new(path)
}

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

/// Does a text begin with a link to the process that looks?
pub fn is_in_own_words(text: &[u8]) -> bool {
    in_own_words(text, || 0, 0).is_some()
}

/// Replaces a beginning that means "the process that looks" by the actor's numbers.
fn in_own_words(text: &[u8], pid: impl Fn() -> u32, tid: u32) -> Option<Vec<u8>> {
    if !(text.starts_with(b"/proc/") || text.starts_with(b"/dev/")) {
        return None;
    }
    let cut = |prefix: &[u8]| text.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest[0] == b'/');
    let (front, rest) = if let Some(rest) = cut(b"/proc/self") {
        (format!("/proc/{}", pid()), rest)
    } else if let Some(rest) = cut(b"/proc/thread-self") {
        (format!("/proc/{}/task/{tid}", pid()), rest)
    } else if let Some(rest) = cut(b"/dev/fd") {
        (format!("/proc/{}/fd", pid()), rest)
    } else if let Some(rest) = cut(b"/dev/stdin") {
        (format!("/proc/{}/fd/0", pid()), rest)
    } else if let Some(rest) = cut(b"/dev/stdout") {
        (format!("/proc/{}/fd/1", pid()), rest)
    } else if let Some(rest) = cut(b"/dev/stderr") {
        (format!("/proc/{}/fd/2", pid()), rest)
    } else {
        return None;
    };
    Some([front.as_bytes(), rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_actors_own_words() {
        let rewrite = |text: &str| in_own_words(text.as_bytes(), || 42, 43).map(|text| String::from_utf8(text).unwrap());
        for (text, expected) in [
            ("/proc/self", Some("/proc/42")),
            ("/proc/self/fd/3", Some("/proc/42/fd/3")),
            ("/proc/thread-self/comm", Some("/proc/42/task/43/comm")),
            ("/dev/fd", Some("/proc/42/fd")),
            ("/dev/fd/9", Some("/proc/42/fd/9")),
            ("/dev/stdin", Some("/proc/42/fd/0")),
            ("/dev/stderr", Some("/proc/42/fd/2")),
            ("/proc/selfish", None),
            ("/dev/fdset", None),
            ("/proc/1/environ", None),
            ("/home/proc/self", None),
        ] {
            assert_eq!(rewrite(text).as_deref(), expected, "{text}");
        }
    }

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
