//! Other paths to the places of a run: home and workspace are objects, and a bind mount or a second mount of their file system shows them
//! once more (`/run/host/home/…`). In: a resolved path. Out: the path by which the place is known, where that is another one.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::judge::paths::below;
use crate::model::{Act, Endpoint, Hostile};

/// A mount, and what of the places lies on it: as it is seen there, and as it is known. The deepest first, and where both are the same
/// also that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub point: PathBuf,
    pub shows: Vec<(PathBuf, PathBuf)>,
}

/// Empty where nothing is seen twice, as on most machines: then every question is answered at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondPaths(Vec<Mount>);

impl SecondPaths {
    /// All mounts of the machine, in the order they were made.
    pub fn new(mounts: Vec<Mount>) -> Self {
        let twice = mounts.iter().flat_map(|mount| &mount.shows).any(|(seen, known)| seen != known);
        SecondPaths(if twice { mounts } else { Vec::new() })
    }

    /// The path by which this is known.
    pub fn known(&self, path: &[u8]) -> Option<Vec<u8>> {
        // What is mounted later, or deeper, lies on top.
        let mount = self.0.iter().filter(|mount| below(path, &mount.point).is_some()).max_by_key(|mount| mount.point.as_os_str().len())?;
        let (seen, known) = mount.shows.iter().find(|(seen, _)| below(path, seen).is_some())?;
        let rest = below(path, seen).filter(|_| seen != known)?;
        let known = known.as_os_str().as_bytes();
        Some(if rest.is_empty() { known.to_vec() } else { [known, b"/", rest].concat() })
    }

    /// The same act on paths as they are known; `None` where they are that.
    pub fn known_act(&self, act: &Act) -> Option<Act> {
        if self.0.is_empty() {
            return None;
        }
        let mut changed = false;
        let mut known = |path: &Hostile| match self.known(path.as_bytes()) {
            Some(other) => {
                changed = true;
                Hostile::new(other)
            }
            None => path.clone(),
        };
        let act = match act {
            Act::Read { path } => Act::Read { path: known(path) },
            Act::Write { path } => Act::Write { path: known(path) },
            Act::Create { path } => Act::Create { path: known(path) },
            Act::Remove { path } => Act::Remove { path: known(path) },
            Act::Rename { from, to } => Act::Rename { from: known(from), to: known(to) },
            Act::Link { from, to } => Act::Link { from: known(from), to: known(to) },
            Act::Symlink { target, path } => Act::Symlink { target: target.clone(), path: known(path) },
            Act::Metadata { call, path } => Act::Metadata { call: call.clone(), path: known(path) },
            Act::Exec { path, argv } => Act::Exec { path: known(path), argv: argv.clone() },
            Act::Connect { to: Endpoint::UnixPath { path } } => Act::Connect { to: Endpoint::UnixPath { path: known(path) } },
            Act::Send { to: Endpoint::UnixPath { path } } => Act::Send { to: Endpoint::UnixPath { path: known(path) } },
            Act::Bind { to: Endpoint::UnixPath { path } } => Act::Bind { to: Endpoint::UnixPath { path: known(path) } },
            _ => return None,
        };
        changed.then_some(act)
    }

    /// Where a place is seen under another path: no wider grant of the kernel's may reach that.
    pub fn seen(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().flat_map(|mount| &mount.shows).filter(|(seen, known)| seen != known).map(|(seen, _)| seen.as_path())
    }
}

/// `below` for whole paths.
pub fn joined(tree: &Path, rest: &[u8]) -> PathBuf {
    if rest.is_empty() { tree.to_owned() } else { tree.join(OsStr::from_bytes(rest)) }
}
