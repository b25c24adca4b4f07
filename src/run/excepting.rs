//! Which exceptions of the user's an actor has, and what became of each in this run. In: actors as they come in, the workspace's lock file.
//! Out: what is granted to one; at the end, all exceptions with their state.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::reviewing::{Reviewing, needed};
use crate::attribute::Identity;
use crate::attribute::identity::BY_ENVIRONMENT;
use crate::attribute::registered::Registered;
use crate::judge::Places;
use crate::judge::exceptions::Granted;
use crate::model::{Actor, ActorKind, Exception, ExceptionState, ExceptionUse, Package};
use crate::plan::ConfigError;
use crate::plan::actor_facts::ActorFacts;
use crate::plan::excepted;
use crate::plan::exceptions::day::Day;
use crate::plan::exceptions::lock::{self, Locked};
use crate::plan::exceptions::whom::{Origin, Whom};
use crate::plan::exceptions::{Allow, Exceptions};
use crate::plan::places::real;
use crate::plan::public;

/// By default there are none.
#[derive(Default)]
pub struct Excepting {
    entries: Vec<Entry>,
    today: Option<Day>,
}

struct Entry {
    allow: Allow,
    counts: bool,
    /// The lock file has no such package.
    absent: bool,
    /// Somebody it is for has come.
    reached: bool,
    /// Of a macro's: the packages of the graph it is for, once a compiler has come.
    macros: Option<Vec<Registered>>,
    /// How a package of its name and version that has come, from elsewhere than it says, has to be called.
    instead: Option<String>,
}

/// An actor, as exceptions look at it.
pub struct Newcomer<'a> {
    pub identity: &'a Identity,
    pub argv: &'a [OsString],
    pub facts: &'a ActorFacts,
    pub places: &'a Places,
    pub cargo: &'a Path,
    /// Compilations seen in this run.
    pub artifacts: &'a HashMap<String, Package>,
}

impl Excepting {
    /// `locked` is the workspace's lock file, where there is one.
    ///
    /// # Errors
    /// When an entry cannot stand in this workspace, with its place.
    pub fn new(exceptions: Exceptions, places: &Places, locked: Option<&Locked>, today: Day) -> Result<Excepting, ConfigError> {
        let mut entries = Vec::new();
        for allow in exceptions.allows {
            let counts = allow.counts(today);
            if counts {
                excepted::check(&allow, places)?;
            }
            let (mut absent, mut instead) = (false, None);
            if let Some(locked) = locked.filter(|_| allow.whom != Whom::Workspace) {
                let named = locked.which(|name, version| allow.whom.is(name, version));
                let origin = |package: &'_ lock::Package| {
                    Origin { source: package.source.as_deref(), fetched: None }.name(&package.name, &package.version)
                };
                absent = !named.iter().any(|package| is_locked(&allow, package));
                let other = named.iter().find(|package| is_from(&allow, package)).and_then(|package| package.checksum.as_ref());
                instead = match other {
                    Some(sum) if absent => Some(format!("{}, checksum {}…", allow.told.whom, sum.get(..16).unwrap_or(sum))),
                    _ => named.first().filter(|_| absent).map(|package| origin(package)),
                };
            }
            entries.push(Entry { allow, counts, absent, reached: false, macros: None, instead });
        }
        Ok(Excepting { entries, today: Some(today) })
    }

    /// Programs that entries let run.
    pub fn programs(&self, places: &Places) -> Vec<PathBuf> {
        excepted::programs(self.entries.iter().filter(|entry| entry.counts).map(|entry| &entry.allow), places)
    }

    /// What an actor is granted. For macros the graph may have to be read.
    pub fn of(&mut self, one: &Newcomer, reviewing: &mut Reviewing) -> Vec<Granted> {
        let mut granted = Vec::new();
        if !is_what_it_says(one) {
            return granted;
        }
        for entry in self.entries.iter_mut().filter(|entry| entry.counts && !entry.absent) {
            let allow = &entry.allow;
            if allow.actor != ActorKind::ProcMacro {
                match whose(allow, one, reviewing) {
                    Some(Whose::Meant) => {
                        granted.push(excepted::grant(allow, one.places, one.facts, None));
                        entry.reached = true;
                    }
                    Some(Whose::Other(name)) => entry.instead = Some(name),
                    None => {}
                }
                continue;
            }
            let compiles = matches!(one.identity.kind, ActorKind::Rustc | ActorKind::Rustdoc);
            let Some(compiled) = one.facts.package_dir.as_ref().filter(|_| compiles) else { continue };
            if entry.macros.is_none() {
                reviewing.read_graph(one.places, one.cargo);
            }
            let macros = entry.macros.get_or_insert_with(|| {
                reviewing.graph.as_ref().map(|graph| graph.macros(|package| is_meant(allow, package, one.places))).unwrap_or_default()
            });
            for objects in macros.iter().filter_map(|registered| needed(registered, compiled, one.argv, one.artifacts)) {
                entry.reached |= !objects.is_empty();
                granted.push(excepted::grant(allow, one.places, one.facts, Some(objects)));
            }
        }
        granted
    }

    /// All exceptions, in the order they stand in, with what became of them.
    pub fn told(&self, spent: &[(Exception, u64)]) -> Vec<ExceptionUse> {
        let one = |entry: &Entry| {
            let count = spent.iter().find(|(by, _)| *by == *entry.allow.told).map_or(0, |(_, count)| *count);
            let state = match () {
                () if !entry.counts => ExceptionState::Expired,
                () if count > 0 => ExceptionState::Used,
                () if entry.absent => ExceptionState::Absent,
                () if entry.reached => ExceptionState::Unused,
                () if entry.instead.is_some() => ExceptionState::Absent,
                () => ExceptionState::NotReached,
            };
            let days = entry.allow.until.zip(self.today).map(|(until, today)| until.left(today)).filter(|days| *days > 0);
            let instead = entry.instead.clone().filter(|_| state == ExceptionState::Absent);
            ExceptionUse { exception: Exception::clone(&entry.allow.told), state, count, days, instead }
        };
        self.entries.iter().map(one).collect()
    }
}

/// Is whose it is known by more than words a build could have left?
fn is_what_it_says(one: &Newcomer) -> bool {
    let Newcomer { identity, facts, places, .. } = one;
    let of_the_configuration = identity.crate_name.as_deref() == Some(Actor::CONFIGURATION);
    // A runner, a pager, a formatter is none of the package's programs.
    let made = || facts.program.as_ref().is_some_and(|program| places.result(program.as_os_str().as_encoded_bytes()).is_some());
    !identity.is_exchanged
        && !identity.is_disputed
        && !of_the_configuration
        && identity.attributed_by != BY_ENVIRONMENT
        && (identity.kind != ActorKind::Program || made())
}

/// Whose code an actor is, to an exception that is for its kind, and for a package of its name and version.
enum Whose {
    Meant,
    /// From elsewhere than the exception says: so it has to be called.
    Other(String),
}

fn whose(allow: &Allow, one: &Newcomer, reviewing: &mut Reviewing) -> Option<Whose> {
    let kind = one.identity.kind == allow.actor || one.facts.doctests && allow.actor == ActorKind::Program;
    let package = one.identity.package.as_ref().filter(|_| kind)?;
    if allow.whom == Whom::Workspace {
        return is_member(package, one.places).then_some(Whose::Meant);
    }
    if !allow.whom.is(&package.name, &package.version) {
        return None;
    }
    // Where its code lies, cargo has said whose that is.
    reviewing.read_graph(one.places, one.cargo);
    let dir = package.manifest_dir.as_deref()?;
    let known = reviewing.graph.as_ref().and_then(|graph| graph.package_in(dir)).or_else(|| unpacked(package, one.places))?;
    if is_meant(allow, &known, one.places) {
        return Some(Whose::Meant);
    }
    let origin = Origin::of(known.source.as_deref(), known.manifest_dir.as_deref(), &one.places.cargo_home);
    Some(Whose::Other(origin.name(&known.name, &known.version)))
}

/// Of no graph at all (`cargo install`): what cargo has unpacked of the public registry says so itself.
fn unpacked(package: &Package, places: &Places) -> Option<Package> {
    let dir = package.manifest_dir.as_deref()?;
    let source = public::unpacked(dir.strip_prefix(places.cargo_home.join("registry/src")).ok()?.iter().next()?)?;
    Some(Package { source: Some(source.to_owned()), ..package.clone() })
}

/// `package` as the graph has it.
fn is_meant(allow: &Allow, package: &Package, places: &Places) -> bool {
    if allow.whom == Whom::Workspace {
        return is_member(package, places);
    }
    let origin = Origin::of(package.source.as_deref(), package.manifest_dir.as_deref(), &places.cargo_home);
    allow.whom.is(&package.name, &package.version)
        && allow.whom.is_from(origin)
        && (allow.checksum.is_none() || allow.checksum == package.checksum)
}

/// The same by what a lock file tells.
fn is_locked(allow: &Allow, package: &lock::Package) -> bool {
    is_from(allow, package) && (allow.checksum.is_none() || allow.checksum == package.checksum)
}

fn is_from(allow: &Allow, package: &lock::Package) -> bool {
    allow.whom.is_from(Origin { source: package.source.as_deref(), fetched: None })
}

fn is_member(package: &Package, places: &Places) -> bool {
    package.manifest_dir.clone().map(real).is_some_and(|dir| places.members.contains(&dir))
}
