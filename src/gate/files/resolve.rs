//! A path in an actor's words becomes a handle: resolved once, from the actor's own directories, as the actor would see it — its
//! `/proc/self`, not ours. In: a directory descriptor and a text. Out: pinned handles with their real paths.

use std::io;
use std::os::fd::OwnedFd;

use super::found::{Found, How, Start};
use super::spot::Spot;
use super::walk;
use crate::gate::Call;
use crate::gate::errno::{c_string, fail};
use crate::gate::own::{Own, own};
use crate::model::Act;
use crate::sys::files;

const HANDLE: i32 = libc::O_PATH | libc::O_CLOEXEC;

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
    } else {
        let rest = cut(b"/dev/stderr")?;
        (format!("/proc/{}/fd/2", pid()), rest)
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
}
