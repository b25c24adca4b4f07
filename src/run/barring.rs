//! What keeps a build from beginning. In: what the user denies, what is known to be malicious, the lock of behaviours; the lock file, and packages as their
//! code comes in. Out: those that must not be there, for the report to tell.

use std::cell::RefCell;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::baseline::{Lock, compare};
use crate::judge::Places;
use crate::model::barred::{Barred, Barring, Why};
use crate::model::{ActorKind, Package, compiles_a_macro};
use crate::plan::behaviours;
use crate::plan::exceptions::Denial;
use crate::plan::exceptions::lock::Locked;
use crate::plan::malicious::List;
use crate::plan::units;

/// By default nothing is.
#[derive(Default)]
pub struct Bars {
    denials: Vec<Denial>,
    malicious: List,
    /// The workspace's lock of behaviours, as it was before the build.
    accepted: Option<Lock>,
    /// What it does not hold must not be built.
    held: bool,
    /// As it was looked at.
    locked: RefCell<Locked>,
}

impl Bars {
    pub fn new(denials: Vec<Denial>, malicious: List) -> Self {
        Bars { denials, malicious, ..Bars::default() }
    }

    /// With a lock of behaviours.
    pub fn accepting(self, accepted: Option<Lock>, held: bool) -> Self {
        Bars { accepted, held, ..self }
    }

    /// The lock of behaviours, and whether it must hold all.
    pub fn accepted(&self) -> Option<(&Lock, bool)> {
        self.accepted.as_ref().map(|lock| (lock, self.held))
    }

    /// Before cargo builds. What the lock file holds counts, for whatever platform: that is what was chosen, and what the next machine builds. What runs code of
    /// others counts by cargo's graph, for the platforms that are built for. What is not accepted, and need not be, is given back.
    ///
    /// # Errors
    /// With the packages that must not be there.
    pub fn look(&self, places: &Places, graph: Option<&str>) -> Result<Vec<Barred>, Barring> {
        let locked = places.workspace.as_deref().and_then(Locked::read).unwrap_or_default();
        let of = |denial: &Denial| {
            locked.which(|name, _| name == denial.name).into_iter().map(|package| package.version.clone()).collect::<Vec<_>>()
        };
        let denied = self.denials.iter().flat_map(|denial| of(denial).into_iter().map(move |version| barred(denial, &version)));
        let mut all: Vec<Barred> = self.malicious.locked(&locked).chain(denied).collect();
        let units = graph.filter(|_| self.accepted.is_some()).and_then(|graph| units::of(graph, &locked)).unwrap_or_default();
        let unaccepted = self.accepted.iter().flat_map(|lock| compare::unaccepted(lock, units.keys(), behaviours::NAME)).collect();
        self.locked.replace(locked);
        let told = if self.held {
            all.extend(unaccepted);
            Vec::new()
        } else {
            unaccepted
        };
        if all.is_empty() { Ok(told) } else { Err(Barring(all)) }
    }

    /// As its code comes in: a package that no lock file told of, as where `cargo install` brings its own; and one that no graph told of.
    ///
    /// # Errors
    /// With the package, where it must not be there.
    pub fn admit(&self, (package, kind, argv): (Option<&Package>, ActorKind, &[OsString]), places: &Places) -> Result<(), Barring> {
        let Some(package) = package else { return Ok(()) };
        // Cargo may have made the lock file itself, before it built.
        if self.locked.borrow().packages.is_empty() {
            self.look(places, None)?;
        }
        let locked = self.locked.borrow();
        let denied = self.denials.iter().find(|denial| denial.name == package.name).map(|denial| barred(denial, &package.version));
        let told = !locked.which(|name, version| (name, version) == (&package.name, &package.version)).is_empty();
        // Sources that cargo has unpacked are those of a registry.
        let fetched = package.manifest_dir.as_ref().is_some_and(|dir| dir.starts_with(places.cargo_home.join("registry/src")));
        let malicious = || self.malicious.package(&package.name, &package.version).map(|known| known.barred(&package.version));
        let found = denied.or_else(|| if fetched && !told { malicious() } else { None });
        let found = found.or_else(|| self.unaccepted(package, unit(kind, argv)?, &locked));
        found.map_or(Ok(()), |found| Err(Barring(vec![found])))
    }

    /// Of several packages of one name and version, nobody knows which this is: all must be accepted.
    fn unaccepted(&self, package: &Package, kind: ActorKind, locked: &Locked) -> Option<Barred> {
        let lock = self.accepted.as_ref().filter(|_| self.held)?;
        let units = units::locked(locked, &package.name, &package.version, kind);
        compare::unaccepted(lock, &units, behaviours::NAME).into_iter().next()
    }
}

/// The kind of unit whose code is about to run, or to be compiled.
fn unit(kind: ActorKind, argv: &[OsString]) -> Option<ActorKind> {
    match kind {
        ActorKind::BuildScript => Some(kind),
        ActorKind::Rustc if compiles_a_macro(argv.iter().map(|word| word.as_bytes())) => Some(ActorKind::ProcMacro),
        _ => None,
    }
}

fn barred(denial: &Denial, version: &str) -> Barred {
    let why = Why::Denied { reason: denial.reason.clone() };
    Barred { name: denial.name.clone(), version: version.to_owned(), why, origin: denial.origin.clone() }
}
