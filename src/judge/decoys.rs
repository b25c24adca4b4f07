//! Where the decoys of a trial lie, and what it must not reach: plain paths.

use std::path::PathBuf;

/// Where decoys lie, and what of this machine is the user's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoys {
    /// A real path: what lies below may be read, changed and run.
    pub root: PathBuf,
    /// Files outside that may be read all the same: a certificate.
    pub given: Vec<PathBuf>,
    /// Real homes and workspaces, which no grant reaches: they may lie where the system does (`/usr/local/cargo` in images).
    pub closed: Vec<PathBuf>,
}
