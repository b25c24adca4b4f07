//! What keeps a build from beginning. In: what the user denies, what is known to be malicious, the lock of behaviours; the lock file, and packages as their
//! code comes in. Out: those that must not be there, for the report to tell.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::baseline::vouch::vouched;
use crate::baseline::{Lock, compare};
use crate::judge::Places;
use crate::model::barred::{Barred, Barring, Why};
use crate::model::report::{Unpinned, Vouched};
use crate::model::{ActorKind, Package, compiles_a_macro};
use crate::plan::behaviours;
use crate::plan::exceptions::Denial;
use crate::plan::exceptions::lock::Locked;
use crate::plan::imports::Imports;
use crate::plan::malicious::List;
use crate::plan::units;

/// By default nothing is.
#[derive(Default)]
pub struct Bars {
    denials: Vec<Denial>,
    malicious: List,
    /// The workspace's lock of behaviours, as it was before the build.
    accepted: RefCell<Option<Arc<Lock>>>,
    /// Locks of others that count beside it.
    imports: RefCell<Imports>,
    /// What they have vouched for.
    vouched: RefCell<Vec<Vouched>>,
    /// What it does not hold must not be built.
    held: bool,
    /// As it was looked at; nothing where there is none, or none yet.
    locked: RefCell<Option<Locked>>,
    /// Cargo's graph was looked at.
    looked: Cell<bool>,
}

impl Bars {
    pub fn new(denials: Vec<Denial>, malicious: List) -> Self {
        Bars { denials, malicious, ..Bars::default() }
    }

    /// With a lock of behaviours.
    pub fn accepting(self, accepted: Option<Lock>, imports: Imports, held: bool) -> Self {
        Bars { accepted: RefCell::new(accepted.map(Arc::new)), imports: RefCell::new(imports), held, ..self }
    }

    /// The lock of behaviours, with what others vouch for, and whether it must hold all.
    pub fn accepted(&self) -> Option<(Arc<Lock>, bool)> {
        self.accepted.borrow().clone().map(|lock| (lock, self.held))
    }

    /// What others have vouched for.
    pub fn vouched(&self) -> Vec<Vouched> {
        self.vouched.borrow().clone()
    }

    /// Locks of others that are not the files that are pinned.
    pub fn unpinned(&self) -> Vec<Unpinned> {
        self.imports.borrow().unpinned.clone()
    }

    /// The same, where nothing may be done that it does not hold.
    pub fn held(&self) -> Option<Arc<Lock>> {
        self.accepted.borrow().clone().filter(|_| self.held)
    }

    /// Before cargo builds. What the lock file holds counts, for whatever platform: that is what was chosen, and what the next machine builds. What runs code of
    /// others counts by cargo's graph, for the platforms that are built for. What is not accepted, and need not be, is given back.
    ///
    /// # Errors
    /// [`Barring`] with the packages that must not be there; what is wrong with a lock of others that lies in one of them.
    pub fn look(&self, locked: Option<Locked>, graph: Option<&str>) -> Result<Vec<Barred>> {
        let empty = Locked::default();
        let known = locked.as_ref().unwrap_or(&empty);
        let of = |denial: &Denial| {
            known.which(|name, _| name == denial.name).into_iter().map(|package| package.version.clone()).collect::<Vec<_>>()
        };
        let denied = self.denials.iter().flat_map(|denial| of(denial).into_iter().map(move |version| barred(denial, &version)));
        let mut all: Vec<Barred> = self.malicious.locked(known).chain(denied).collect();
        graph.map_or(Ok(()), |graph| self.imports.borrow_mut().complete(graph))?;
        let lock = self.accepted.borrow().clone();
        let found = graph.filter(|_| lock.is_some()).and_then(|graph| units::of(graph, known));
        self.looked.set(self.looked.get() || found.is_some());
        let found = found.unwrap_or_default();
        let lock = lock.map(|lock| {
            let (with, vouched) = vouched(&lock, &self.imports.borrow().counted, found.units.keys(), found.libraries.keys());
            self.vouched.borrow_mut().extend(vouched);
            Arc::new(with)
        });
        self.accepted.replace(lock.clone());
        let unaccepted = lock.iter().flat_map(|lock| {
            let units = compare::unaccepted(lock, found.units.keys(), behaviours::NAME);
            units.into_iter().chain(compare::unlinked(lock, &found.libraries, behaviours::NAME))
        });
        let unaccepted: Vec<Barred> = unaccepted.collect();
        self.locked.replace(locked);
        let told = if self.held {
            all.extend(unaccepted);
            Vec::new()
        } else {
            unaccepted
        };
        if all.is_empty() { Ok(told) } else { Err(Barring(all).into()) }
    }

    /// As its code comes in: a package that no lock file told of, as where `cargo install` brings its own; and one that no graph told of. `ask` has cargo say what
    /// the graph is.
    ///
    /// # Errors
    /// [`Barring`] with the package, where it must not be there; what is wrong with a lock file that cargo has made meanwhile; where nobody can tell.
    pub fn admit(
        &self,
        (package, kind, argv): (Option<&Package>, ActorKind, &[OsString]),
        places: &Places,
        ask: impl FnOnce() -> Option<String>,
    ) -> Result<()> {
        let Some(package) = package else { return Ok(()) };
        // Cargo may have made the lock file itself, before it built.
        if self.locked.borrow().is_none() {
            let made = places.workspace.as_deref().map(Locked::read).transpose()?.flatten();
            if made.is_some() {
                self.look(made, None)?;
            }
        }
        let unit = unit(kind, argv);
        if unit.is_some() && self.held && self.accepted.borrow().is_some() && !self.looked.get() {
            let graph = ask().context(
                "cargo cannot say what this build is made of, so nobody can tell whether brig.lock holds it\n  help: `cargo fetch`, and build again",
            )?;
            let locked = self.locked.borrow().clone();
            self.look(locked, Some(&graph))?;
            if !self.looked.get() {
                bail!("what cargo says this build is made of is not understood, so nobody can tell whether brig.lock holds it");
            }
        }
        let locked = self.locked.borrow();
        let denied = self.denials.iter().find(|denial| denial.name == package.name).map(|denial| barred(denial, &package.version));
        let is_it = |name: &str, version: &str| (name, version) == (&*package.name, &*package.version);
        let told = locked.as_ref().is_some_and(|locked| !locked.which(is_it).is_empty());
        // Sources that cargo has unpacked are those of a registry.
        let fetched = package.manifest_dir.as_ref().is_some_and(|dir| dir.starts_with(places.cargo_home.join("registry/src")));
        let malicious = || self.malicious.package(&package.name, &package.version).map(|known| known.barred(&package.version));
        let found = denied.or_else(|| if fetched && !told { malicious() } else { None });
        let found = found.or_else(|| self.unaccepted(package, unit?, locked.as_ref()?));
        found.map_or(Ok(()), |found| Err(Barring(vec![found]).into()))
    }

    /// Of several packages of one name and version, nobody knows which this is: all must be accepted.
    fn unaccepted(&self, package: &Package, kind: ActorKind, locked: &Locked) -> Option<Barred> {
        let lock = self.held()?;
        let units = units::locked(locked, &package.name, &package.version, kind);
        compare::unaccepted(&lock, &units, behaviours::NAME).into_iter().next()
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
