//! A place in a directory: a pinned parent and a name, whether or not there is anything of that name.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::found::{Found, Start, shown};
use super::walk;
use crate::gate::Call;
use crate::gate::own::own;
use crate::model::Hostile;
use crate::sys::files;

/// A place in a directory: pinned parent and name.
pub struct Spot {
    pub parent: OwnedFd,
    /// Real path of the parent.
    pub(super) path: Vec<u8>,
    /// Device of the parent.
    pub dev: u64,
    /// Without slashes; `.` for a path that names no entry.
    pub name: CString,
    /// The text ended in a slash: it can only mean a directory.
    pub slash: bool,
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
        let (own, look) = (own()?, || files::openat(self.parent.as_fd(), &self.name, libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC, 0));
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
