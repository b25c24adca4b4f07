//! Packages the user will not have in a build. In: `[[deny]]` entries; the lock file, and cargo's graph where it was asked for. Out: the first that is
//! in either, who brings it in, and why it is denied.

use std::fmt;

use crate::plan::exceptions::lock::Locked;
use crate::plan::exceptions::{Denial, Exceptions};

/// Refused before it, or anybody else, could do anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    pub denial: Denial,
    pub version: String,
    /// Root package first, where the graph is known.
    pub path: Vec<String>,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denied { denial, version, path } = self;
        write!(f, "`{}` {version} is denied: {} ({})", denial.name, denial.reason, denial.origin)?;
        let path: Vec<String> = path.iter().map(|package| format!("`{package}`")).collect();
        if path.len() > 1 {
            write!(f, "\n  help: it comes in through {}", path.join(" → "))?;
        }
        write!(f, "\n  help: `cargo tree -i {}` says who needs it; what is in Cargo.lock counts, for whatever platform", denial.name)
    }
}

impl std::error::Error for Denied {}

/// `why` tells the path to a package of this name and version, as far as it is known.
pub fn find(exceptions: &Exceptions, locked: Option<&Locked>, why: impl Fn(&str, &str) -> Vec<String>) -> Option<Denied> {
    let locked = locked.filter(|_| !exceptions.denials.is_empty())?;
    exceptions.denials.iter().find_map(|denial| {
        let package = *locked.which(|name, _| name == denial.name).first()?;
        let (denial, version) = (denial.clone(), package.version.clone());
        Some(Denied { path: why(&package.name, &package.version), denial, version })
    })
}
