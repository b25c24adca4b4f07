//! What a run among decoys is told: where they lie, what was laid out, and how much may be used. Made by `cargo brig try` for its own stages; nothing
//! that is typed, set or configured makes one.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::canary::Canary;
use super::shift::Shift;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lure {
    /// Real path of the directory whose content may be stolen and broken: home, workspace, temporary files. Nothing else of this machine.
    pub root: PathBuf,
    /// Real paths of others like it, which are the trial's alone: common directories (`/tmp`), the user's home.
    #[serde(default)]
    pub more: Vec<PathBuf>,
    /// What was laid in the system's place: trees that may be read.
    #[serde(default)]
    pub laid: Vec<PathBuf>,
    /// What lies below one of these and is the user's all the same: the toolchain.
    #[serde(default)]
    pub kept: Vec<PathBuf>,
    /// Real paths of what is the user's: homes, the workspace he stands in.
    pub closed: Vec<PathBuf>,
    pub canaries: Vec<Canary>,
    /// Where what was sent is kept, outside `root`.
    pub sink: PathBuf,
    pub limits: Bounds,
    /// How far its wall clock is moved.
    #[serde(default)]
    pub shift: Option<Shift>,
    /// What its machine is called.
    #[serde(default)]
    pub hostname: Option<String>,
    /// On how many processors it may run.
    #[serde(default)]
    pub cpus: Option<usize>,
}

impl Lure {
    /// Of the authority whose certificates the sink shows: the one thing outside the decoys that whoever takes them may read, besides the system.
    pub fn certificate(&self) -> PathBuf {
        self.sink.join("ca-certificates.crt")
    }
}

/// What each process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Bytes of private memory.
    pub memory: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Processes and threads, beside those the user has already.
    pub processes: u64,
    /// Seconds of processor time.
    pub seconds: u64,
}
