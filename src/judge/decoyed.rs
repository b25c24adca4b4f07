//! Decoys (`Mode::Decoy`): below one directory, and in a network that leads nowhere, what would be refused is let happen and recorded; everywhere else
//! it is refused as ever. In: the directory, an act. Out: whether the act is done to a decoy; a policy whose kernel grants reach that far.

use std::path::PathBuf;

use crate::judge::decoys::Decoys;
use crate::judge::paths::{below, within};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Act, Endpoint, Hostile, Mode, Rule, Severity};

impl Policy {
    /// The same among decoys: the kernel's grants reach them, too, and `programs` may be run. Nothing else is opened by it.
    pub fn among_decoys(mut self, decoys: &Decoys, programs: &[PathBuf]) -> Policy {
        self.kernel.read.extend(decoys.given.iter().chain(&decoys.laid).cloned());
        self.read.extend_from_slice(&decoys.given);
        for grants in [&mut self.kernel.read, &mut self.kernel.write, &mut self.kernel.exec] {
            grants.extend(decoys.trees().cloned());
        }
        self.kernel.exec.extend_from_slice(programs);
        self.decoys = Some(decoys.clone());
        self
    }

    fn lured(&self) -> Option<&Decoys> {
        self.decoys.as_ref().filter(|decoys| self.mode == Mode::Decoy && decoys.root.parent().is_some())
    }

    /// Is this below the decoys' root? Never in another mode.
    pub(crate) fn is_decoy(&self, path: &[u8]) -> bool {
        self.lured().is_some_and(|decoys| decoys.trees().any(|tree| below(path, tree).is_some()) && !within(path, &decoys.kept))
    }

    /// Is it one that can only be read?
    pub(crate) fn is_laid(&self, path: &[u8]) -> bool {
        self.lured().is_some_and(|decoys| within(path, &decoys.laid))
    }

    /// In a trial: would what the rules let happen touch something of the user's? The compiler may lie in his home.
    pub(crate) fn unless_closed(&self, act: &Act, ruling: Ruling) -> Ruling {
        let Some(decoys) = self.lured() else { return ruling };
        let others = |path: &[u8]| decoys.given.iter().chain([&self.places.toolchain]).any(|tree| below(path, tree).is_some());
        let open = |path: &[u8]| self.is_decoy(path) || others(path);
        let closed = |path: &Hostile| within(path.as_bytes(), &decoys.closed) && !open(path.as_bytes());
        let touched = match act {
            Act::Rename { from, to } | Act::Link { from, to } => closed(from) || closed(to),
            act => act.path().is_some_and(closed),
        };
        match ruling {
            Ruling::Allow | Ruling::Note(_) | Ruling::Redact if touched => {
                alarm(self, Rule::FsReadOutside, Severity::High, "the user's own, which no trial reaches")
            }
            ruling => ruling,
        }
    }

    /// Is all of it done to decoys? Of two ends, both have to be.
    pub(crate) fn is_on_decoys(&self, act: &Act) -> bool {
        if self.lured().is_none() {
            return false;
        }
        let decoy = |path: &Hostile| self.is_decoy(path.as_bytes());
        match act {
            Act::Read { path } => decoy(path) || self.is_laid(path.as_bytes()),
            Act::Write { path } | Act::Create { path } | Act::Remove { path } | Act::Symlink { path, .. } | Act::Metadata { path, .. } => {
                decoy(path)
            }
            Act::Rename { from, to } | Act::Link { from, to } => decoy(from) && decoy(to),
            // Programs of the system have nothing of the user's in them, and run behind the same walls.
            Act::Exec { path, .. } => decoy(path) || within(path.as_bytes(), &self.kernel.exec),
            Act::Connect { to } | Act::Send { to } | Act::Bind { to } => match to {
                // The gate makes no socket of the host's for it (`gate::net::Network::leads_out`).
                Endpoint::Ip { .. } => true,
                Endpoint::UnixPath { path } => decoy(path),
                Endpoint::UnixAbstract { .. } | Endpoint::Other { .. } => false,
            },
            Act::Lookup { .. } => true,
            Act::Socket { .. }
            | Act::Signal { .. }
            | Act::Tamper { .. }
            | Act::Survive { .. }
            | Act::Linger { .. }
            | Act::Withhold { .. }
            | Act::Tell { .. } => false,
        }
    }
}
