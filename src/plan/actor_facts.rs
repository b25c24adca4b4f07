//! What the launcher knows about one actor when its policy is made.

use std::path::PathBuf;

use crate::judge::reviewed::Allow;
use crate::model::ActorKind;

/// What the launcher knows about one actor when its policy is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorFacts {
    pub kind: ActorKind,
    pub package_dir: Option<PathBuf>,
    pub package_name: Option<String>,
    /// `OUT_DIR` of a build script; `--out-dir` and the incremental directory of a compiler.
    pub outputs: Vec<PathBuf>,
    pub tmp: PathBuf,
    /// The file cargo started.
    pub program: Option<PathBuf>,
    /// `-C extra-filename` of a compiler.
    pub extra_filename: Option<String>,
    /// `--crate-name` of a compiler.
    pub crate_name: Option<String>,
    /// `-C linker` of a compiler: cargo's configuration chose it.
    pub linker: Option<PathBuf>,
    /// Reviewed allows for macros that run in this compiler.
    pub reviewed: Vec<Allow>,
    /// A script of the user's that cargo was told to start, in the place of a program or compiler.
    pub script: Option<PathBuf>,
    /// A rustdoc that builds and runs doctests.
    pub doctests: bool,
}

impl ActorFacts {
    /// Of an actor of which nothing else is known.
    pub fn new(kind: ActorKind, tmp: impl Into<PathBuf>) -> Self {
        ActorFacts {
            kind,
            package_dir: None,
            package_name: None,
            outputs: Vec::new(),
            tmp: tmp.into(),
            program: None,
            extra_filename: None,
            crate_name: None,
            linker: None,
            reviewed: Vec::new(),
            script: None,
            doctests: false,
        }
    }
}
