//! Which exceptions of the user's an actor has, and what became of each in this run. In: actors as they come in, the workspace's lock file.
//! Out: what is granted to one; at the end, all exceptions with their state.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::reviewing::{Reviewing, objects};
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
use crate::plan::exceptions::lock::Locked;
use crate::plan::exceptions::whom::Whom;
use crate::plan::exceptions::{Allow, Exceptions};
use crate::plan::places::real;

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
    /// # Errors
    /// When an entry cannot stand in this workspace, with its place.
    pub fn new(exceptions: Exceptions, places: &Places, today: Day) -> Result<Excepting, ConfigError> {
        let allows = exceptions.allows;
        let locked = places.workspace.as_deref().filter(|_| !allows.is_empty()).and_then(Locked::read);
        let mut entries = Vec::new();
        for allow in allows {
            let counts = allow.counts(today);
            if counts {
                excepted::check(&allow, places)?;
            }
            let is = |name: &str, version: &str| allow.whom.is(name, version);
            if counts && locked.as_ref().is_some_and(|locked| locked.is_ambiguous(is)) {
                let message =
                    format!("`{}`: Cargo.lock has several packages of that name and version, from different sources", allow.told.whom);
                return Err(allow.complaint(message));
            }
            let absent = allow.whom != Whom::Workspace && locked.as_ref().is_some_and(|locked| locked.which(is).is_empty());
            entries.push(Entry { allow, counts, absent, reached: false, macros: None });
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
                if is_for(allow, one) {
                    granted.push(excepted::grant(allow, one.places, one.facts, None));
                    entry.reached = true;
                }
                continue;
            }
            let compiles = matches!(one.identity.kind, ActorKind::Rustc | ActorKind::Rustdoc);
            let Some(compiled) = one.facts.package_dir.as_ref().filter(|_| compiles) else { continue };
            if entry.macros.is_none() {
                reviewing.read_graph(one.places, one.cargo);
            }
            let macros = entry.macros.get_or_insert_with(|| {
                reviewing.graph.as_ref().map(|graph| graph.macros(|package| is_meant(&allow.whom, package, one.places))).unwrap_or_default()
            });
            for registered in macros.iter().filter(|registered| registered.is_needed_by(compiled)) {
                let objects = objects(registered, one.argv, one.artifacts);
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
                () => ExceptionState::NotReached,
            };
            let days = entry.allow.until.zip(self.today).map(|(until, today)| until.left(today)).filter(|days| *days > 0);
            ExceptionUse { exception: Exception::clone(&entry.allow.told), state, count, days }
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

fn is_for(allow: &Allow, one: &Newcomer) -> bool {
    let kind = one.identity.kind == allow.actor || one.facts.doctests && allow.actor == ActorKind::Program;
    kind && one.identity.package.as_ref().is_some_and(|package| is_meant(&allow.whom, package, one.places))
}

fn is_meant(whom: &Whom, package: &Package, places: &Places) -> bool {
    match whom {
        Whom::Workspace => package.manifest_dir.clone().map(real).is_some_and(|dir| places.members.contains(&dir)),
        whom => whom.is(&package.name, &package.version),
    }
}
