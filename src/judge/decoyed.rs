//! Decoys (`Mode::Decoy`): below one directory, and in a network that leads nowhere, what would be refused is let happen and recorded; everywhere else
//! it is refused as ever. In: the directory, an act. Out: whether the act is done to a decoy; a policy whose kernel grants reach that far.

use std::path::{Path, PathBuf};

use crate::judge::paths::{below, within};
use crate::judge::policy::Policy;
use crate::model::{Act, Endpoint, Hostile, Mode};

impl Policy {
    /// The same among decoys: `root`, a real path, may be read, written and run by the kernel's grants, too, and `programs` may be run. Nothing else is
    /// opened by it.
    pub fn among_decoys(mut self, root: &Path, programs: &[PathBuf]) -> Policy {
        self.kernel.read.push(root.to_owned());
        self.kernel.write.push(root.to_owned());
        self.kernel.exec.push(root.to_owned());
        self.kernel.exec.extend_from_slice(programs);
        self.decoys = Some(root.to_owned());
        self
    }

    /// Is this below the decoys' root? Never in another mode.
    pub(crate) fn is_decoy(&self, path: &[u8]) -> bool {
        let root = self.decoys.as_ref().filter(|root| self.mode == Mode::Decoy && root.is_absolute() && root.parent().is_some());
        root.is_some_and(|root| below(path, root).is_some())
    }

    /// Is all of it done to decoys? Of two ends, both have to be.
    pub(crate) fn is_on_decoys(&self, act: &Act) -> bool {
        if self.mode != Mode::Decoy || self.decoys.is_none() {
            return false;
        }
        let decoy = |path: &Hostile| self.is_decoy(path.as_bytes());
        match act {
            Act::Read { path }
            | Act::Write { path }
            | Act::Create { path }
            | Act::Remove { path }
            | Act::Symlink { path, .. }
            | Act::Metadata { path, .. } => decoy(path),
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
