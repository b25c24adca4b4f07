//! A profile resolved for one actor: what it may read, write, run and reach. Both walls are built from this one value: the kernel's
//! ruleset from `kernel`, the gate's answers from `judge` (see `judging`).
//!
//! Convention: an actor's own entries of `/proc` are judged as `/proc/self/…`; a number there is always another process.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::judge::accepted::Accepted;
use crate::judge::decoys::Decoys;
use crate::judge::exceptions::Granted;
use crate::judge::made::Made;
use crate::judge::paths::{below, deepest_match, is_clean, within};
use crate::judge::places::Places;
use crate::judge::records::Records;
use crate::judge::reviewed::Allow;
use crate::judge::script::Script;
use crate::judge::secrets::Secrets;
use crate::model::{ActorKind, Breach, Mode, Rule, Severity, Shift};

/// Everything the walls and the gate need to know about one actor.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Name of the profile, for reasons and reports.
    pub profile: String,
    pub mode: Mode,
    pub kind: ActorKind,
    /// Trees whose files may be read or listed (secrets excepted). A plain file counts as a tree of one.
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub exec: Vec<PathBuf>,
    /// Of what may be read and written, entries with a `*` in their last component: the gate alone knows them.
    pub patterns: Patterns,
    /// What Landlock grants. Narrower than the above for reading: only trees that hold no secret, so that nothing the kernel lets
    /// through can be one; the gate hands the rest over as descriptors.
    pub kernel: KernelGrants,
    /// The kernel grants no file for reading that `judge` would not: then a read of a published tree may be left to it.
    pub exact: bool,
    /// `host:port` or `address:port`; `*` for any port, `*:*` for everything, `loopback` for the actor's private loopback.
    pub connect: Vec<String>,
    /// Path-named unix sockets that may be connected to: trees.
    pub unix: Vec<PathBuf>,
    /// What a program may leave in its own package.
    pub records: Arc<Records>,
    pub secrets: Arc<Secrets>,
    pub places: Arc<Places>,
    pub own: Own,
    pub made: Made,
    /// What was reviewed for macros of this compiler; nothing for anybody else.
    pub reviewed: Vec<Allow>,
    /// Exceptions of the user's for this actor: what they grant stands in the lists above as well …
    pub granted: Vec<Granted>,
    /// … and this is the policy without them,
    pub without: Option<Arc<Policy>>,
    /// and this the one with those alone that hold for all of its code; where there are others.
    pub for_all: Option<Arc<Policy>>,
    /// What was accepted of it, where it may do nothing else.
    pub accepted: Option<Arc<Accepted>>,
    /// In `Mode::Decoy`: what lies below is a decoy (see `decoyed`).
    pub decoys: Option<Decoys>,
    /// How far its wall clock is moved.
    pub shift: Option<Shift>,
    /// What it is told that its machine is called.
    pub hostname: Option<Arc<str>>,
    /// Scripts among the linkers. Their interpreters are granted by the kernel, and for nothing else by the gate.
    pub scripts: Vec<Script>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelGrants {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub exec: Vec<PathBuf>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
}

/// What belongs to this actor alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    pub package: Option<PathBuf>,
    /// Of the package.
    pub name: Option<String>,
    pub outputs: Vec<PathBuf>,
    pub tmp: PathBuf,
    /// `-C extra-filename` of a compiler: what tells its artifacts from its neighbours' in the shared `deps`.
    pub extra_filename: Option<String>,
    /// `--crate-name` of a compiler.
    pub crate_name: Option<String>,
    /// A rustdoc that builds and runs doctests.
    pub doctests: bool,
}

impl Policy {
    /// May a plain read of this absolute, lexically clean text pass without a closer look? Only in enforce mode, and only below a tree
    /// that the kernel grants whole (DESIGN §2.5).
    pub fn may_pass(&self, text: &Path) -> bool {
        let bytes = text.as_os_str().as_bytes();
        self.exact
            && is_clean(bytes)
            && match self.mode {
                Mode::Enforce => true,
                // Whoever looks at decoys is seen to look.
                Mode::Decoy => !self.is_decoy(bytes) && !self.is_laid(bytes),
                Mode::Observe => false,
            }
            && within(bytes, &self.kernel.read)
            && !self.secrets.looks_secret(bytes)
            && self.places.second.known(bytes).is_none()
    }

    pub(crate) fn breach(&self, rule: Rule, severity: Severity, why: &str) -> Breach {
        Breach { rule, severity, reason: format!("profile `{}`: {why}", self.profile) }
    }

    pub(crate) fn may_read(&self, path: &[u8]) -> bool {
        // What may be run may be read, by the kernel too: a script is read by its interpreter.
        let runs = || within(path, &self.exec) && within(path, &self.kernel.exec);
        let matches = |patterns: &[PathBuf]| !patterns.is_empty() && deepest_match(path, patterns).is_some();
        within(path, &self.read) || matches(&self.patterns.read) || self.write_depth(path).is_some() || runs()
    }

    /// The most specific write grant. That of a tree which happens to hold a place of the user's own ends where that place begins.
    pub(crate) fn write_depth(&self, path: &[u8]) -> Option<usize> {
        let counts = |tree: &&PathBuf| below(path, tree).is_some() && !self.places.ends(tree, path);
        let trees = self.write.iter().filter(counts).map(|tree| tree.as_os_str().len()).max();
        trees.max(deepest_match(path, &self.patterns.write))
    }

    /// As trusted as cargo itself: a tool cargo chose, in a profile that says so by granting it the root.
    pub(crate) fn is_trusted(&self) -> bool {
        self.kind == ActorKind::Tool && self.read.iter().any(|tree| tree == Path::new("/"))
    }

    /// Is this in a place where the actor leaves things of its own, in the build's output or its temporary directory?
    pub fn is_scratch(&self, path: &[u8]) -> bool {
        let own = self.own.outputs.iter().chain([&self.own.tmp]).filter(|tree| tree.is_absolute());
        let granted = || self.places.results().chain([&self.places.tmp]).any(|tree| below(path, tree).is_some());
        own.into_iter().any(|tree| below(path, tree).is_some()) || self.write_depth(path).is_some() && granted()
    }

    /// A program of the user's package, or what builds and runs its doctests.
    pub fn is_program(&self) -> bool {
        self.kind == ActorKind::Program || self.own.doctests
    }

    /// Runs third-party code during a build, as opposed to a program the user asked for.
    pub fn is_build_time(&self) -> bool {
        !self.is_program() && self.kind != ActorKind::Tool
    }
}
