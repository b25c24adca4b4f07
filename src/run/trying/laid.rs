//! A recorded run as it lies in the throw-away: where it is started, with which words, and what cannot be as it was.

use std::path::PathBuf;

#[derive(Debug)]
pub struct Laid {
    pub workspace: PathBuf,
    /// Where cargo is started.
    pub dir: PathBuf,
    /// Cargo's.
    pub args: Vec<String>,
    /// Where files lay, or are said to have lain, that look like secrets: decoys lie there now.
    pub baits: Vec<PathBuf>,
    /// What is not as it was, for people.
    pub told: Vec<String>,
}
