//! What keeps a build from beginning. In: what the user denies, what is known to be malicious; the lock file, and packages as their code comes in. Out: those
//! that must not be there, for the report to tell.

use std::cell::RefCell;

use crate::judge::Places;
use crate::model::Package;
use crate::model::barred::{Barred, Barring, Why};
use crate::plan::exceptions::Denial;
use crate::plan::exceptions::lock::Locked;
use crate::plan::malicious::List;

/// By default nothing is.
#[derive(Default)]
pub struct Bars {
    denials: Vec<Denial>,
    malicious: List,
    /// As it was looked at.
    locked: RefCell<Locked>,
}

impl Bars {
    pub fn new(denials: Vec<Denial>, malicious: List) -> Self {
        Bars { denials, malicious, ..Bars::default() }
    }

    /// Before cargo builds. What the lock file holds counts, for whatever platform: that is what was chosen, and what the next machine builds.
    ///
    /// # Errors
    /// With the packages that must not be there.
    pub fn look(&self, places: &Places) -> Result<(), Barring> {
        let locked = places.workspace.as_deref().and_then(Locked::read).unwrap_or_default();
        let denied =
            self.denials.iter().flat_map(|denial| locked.which(|name, _| name == denial.name).into_iter().map(move |it| (denial, it)));
        let denied = denied.map(|(denial, package)| barred(denial, &package.version));
        let all: Vec<Barred> = self.malicious.locked(&locked).chain(denied).collect();
        self.locked.replace(locked);
        if all.is_empty() { Ok(()) } else { Err(Barring(all)) }
    }

    /// As its code comes in: a package that no lock file told of, as where `cargo install` brings its own.
    ///
    /// # Errors
    /// With the package, where it must not be there.
    pub fn admit(&self, package: Option<&Package>, places: &Places) -> Result<(), Barring> {
        let Some(package) = package else { return Ok(()) };
        // Cargo may have made the lock file itself, before it built.
        if self.locked.borrow().packages.is_empty() {
            self.look(places)?;
        }
        let denied = self.denials.iter().find(|denial| denial.name == package.name).map(|denial| barred(denial, &package.version));
        let told = !self.locked.borrow().which(|name, version| (name, version) == (&package.name, &package.version)).is_empty();
        // Sources that cargo has unpacked are those of a registry.
        let fetched = package.manifest_dir.as_ref().is_some_and(|dir| dir.starts_with(places.cargo_home.join("registry/src")));
        let malicious = || self.malicious.package(&package.name, &package.version).map(|known| known.barred(&package.version));
        let found = denied.or_else(|| if fetched && !told { malicious() } else { None });
        found.map_or(Ok(()), |found| Err(Barring(vec![found])))
    }
}

fn barred(denial: &Denial, version: &str) -> Barred {
    let why = Why::Denied { reason: denial.reason.clone() };
    Barred { name: denial.name.clone(), version: version.to_owned(), why, origin: denial.origin.clone() }
}
