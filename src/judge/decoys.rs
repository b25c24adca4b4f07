//! Where the decoys of a trial lie, and what it must not reach: plain paths.

use std::path::PathBuf;

/// Where decoys lie, and what of this machine is the user's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoys {
    /// A real path: what lies below may be read, changed and run.
    pub root: PathBuf,
    /// Others like it, which are the trial's alone: common directories, the user's home.
    pub more: Vec<PathBuf>,
    /// Decoys in the system's place, which nobody can change: trees.
    pub laid: Vec<PathBuf>,
    /// What lies below one of these and is no decoy.
    pub kept: Vec<PathBuf>,
    /// Files outside that may be read all the same: a certificate.
    pub given: Vec<PathBuf>,
    /// Real homes and workspaces, which no grant reaches: they may lie where the system does (`/usr/local/cargo` in images).
    pub closed: Vec<PathBuf>,
}

impl Decoys {
    /// All trees in which everything is a decoy.
    pub fn trees(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.root].into_iter().chain(&self.more)
    }
}
