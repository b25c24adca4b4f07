//! A profile resolved for one actor: what it may read, write, run and reach. Both walls are built from this one value: the kernel's
//! ruleset from `kernel`, the gate's answers from `judge`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::judge::secrets::Secrets;
use crate::model::{Act, ActorKind, Breach, Endpoint, Judgement, Mode, Object, Rule, Severity, Verdict};

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
    /// What Landlock grants. Narrower than the above for reading: only trees that hold no secret, so that nothing the kernel lets
    /// through can be one; the gate hands the rest over as descriptors.
    pub kernel: KernelGrants,
    /// `host:port` or `address:port`; `*` for any port.
    pub connect: Vec<String>,
    /// Path-named unix sockets that may be connected to: trees.
    pub unix: Vec<PathBuf>,
    pub secrets: Arc<Secrets>,
    pub places: Arc<Places>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelGrants {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub exec: Vec<PathBuf>,
}

/// The directories this run is about, resolved to real paths once. Placeholders in profiles and normalised paths in reports come from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub workspace: Option<PathBuf>,
    pub target: PathBuf,
    pub toolchain: PathBuf,
    pub cargo_home: PathBuf,
    pub rustup_home: Option<PathBuf>,
    pub home: Option<PathBuf>,
    /// The run's private temporary directory; each actor has its own below it.
    pub tmp: PathBuf,
    /// Where reports go; never writable from inside.
    pub report_dir: PathBuf,
}

impl Policy {
    /// Judges an act on its resolved object. `object` is `None` where nothing exists yet or the act has no file.
    pub fn judge(&self, act: &Act, _object: Option<Object>) -> Judgement {
        // Stand-in of the network branch: just enough to test the gate's network side.
        let named = |text: String| self.connect.contains(&text) || self.connect.iter().any(|any| any == "*");
        let fine = match act {
            Act::Connect { to: Endpoint::UnixPath { path } } | Act::Send { to: Endpoint::UnixPath { path } } => {
                self.unix.iter().any(|tree| path.as_path().starts_with(tree))
            }
            Act::Connect { to: Endpoint::Ip { address, host, .. } } | Act::Send { to: Endpoint::Ip { address, host, .. } } => {
                named(address.to_string()) || host.as_ref().is_some_and(|host| named(format!("{}:{}", host.to_json_text(), address.port())))
            }
            Act::Lookup { name, .. } => self.connect.iter().any(|line| line == "*" || line.split(':').next() == Some(&name.to_json_text())),
            Act::Connect { .. } | Act::Send { .. } | Act::Socket { .. } | Act::Tamper { .. } => false,
            _ => true,
        };
        if fine {
            return Judgement::allow();
        }
        let breach = Some(Breach { rule: Rule::NetConnect, severity: Severity::High, reason: String::new() });
        match self.mode {
            Mode::Enforce => Judgement { verdict: Verdict::Refuse(libc::EACCES), breach },
            Mode::Observe => Judgement { verdict: Verdict::Allow, breach },
        }
    }

    /// May a plain read of this absolute, lexically clean text be left to the kernel? Only in enforce mode, and only below a tree
    /// that the kernel grants whole (DESIGN §2.5).
    pub fn may_pass(&self, _text: &Path) -> bool {
        todo!()
    }
}
