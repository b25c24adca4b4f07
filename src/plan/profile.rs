//! A profile: what each kind of actor may do. In: layers of TOML, the most specific first. Out: merged lists in which every line
//! knows where it came from; `resolve` turns them into a `judge::Policy` for one actor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::judge::environment::EnvironmentLists;
use crate::judge::{Decoys, Environment, Places, Policy, SecretLists};
use crate::model::{ActorKind, Mode, Shift};
use crate::plan::actor_facts::ActorFacts;
use crate::plan::cargo_table::Cargo;
use crate::plan::document::ConfigError;
use crate::plan::grants::{Change, Grants};
use crate::plan::kernel_grants::{PUBLISHED, carve};
use crate::plan::layer::{Layer, TABLES};
use crate::plan::places::real;
use crate::plan::resolve::Settled;
use crate::plan::reviewed;

/// The profiles shipped with the program: the files are the documentation.
pub const EMBEDDED: [(&str, &str); 4] = [
    ("default", include_str!("../../profiles/default.toml")),
    ("strict", include_str!("../../profiles/strict.toml")),
    ("observe", include_str!("../../profiles/observe.toml")),
    ("ci", include_str!("../../profiles/ci.toml")),
];

pub fn embedded(name: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// What the walls must be able to do, or the run does not start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Require {
    /// Lowest Landlock ABI.
    pub landlock: u32,
    /// An incomplete record is an error.
    pub complete: bool,
    /// With a `brig.lock`: what is not accepted in it is not built, and what is done beyond it is an error.
    pub accepted: bool,
}

/// A merged profile.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: String,
    /// The profile and what it inherits, most specific first.
    pub chain: Vec<String>,
    pub description: String,
    pub mode: Mode,
    pub require: Require,
    /// Do the reviewed allows count (`plan::reviewed`)? Not where no file says so.
    pub reviewed: bool,
    /// The line that says so, or the other.
    pub reviewed_by: Option<String>,
    pub environment: EnvironmentLists,
    pub secrets: SecretLists,
    pub actors: BTreeMap<ActorKind, Grants>,
    pub cargo: Cargo,
    /// Of a run in `Mode::Decoy`: what may be stolen and broken. No file can say so.
    pub decoys: Option<Decoys>,
    /// Of such a run, how far the clock on the wall is moved.
    pub shift: Option<Shift>,
    /// And what the machine is called.
    pub hostname: Option<Arc<str>>,
    pub(crate) settled: OnceLock<Arc<Settled>>,
}

impl Profile {
    /// Merges layers, the most specific first.
    pub(crate) fn from_chain(chain: Vec<(String, Layer)>) -> Result<Self, ConfigError> {
        let mut profile = Profile {
            name: chain.first().map(|(name, _)| name.clone()).unwrap_or_default(),
            chain: chain.iter().map(|(name, _)| name.clone()).collect(),
            description: String::new(),
            mode: Mode::Enforce,
            require: Require::default(),
            reviewed: false,
            reviewed_by: None,
            environment: EnvironmentLists::default(),
            secrets: SecretLists::default(),
            actors: TABLES.into_iter().map(|kind| (kind, Grants::default())).collect(),
            cargo: Cargo::default(),
            decoys: None,
            shift: None,
            hostname: None,
            settled: OnceLock::new(),
        };
        for (_, layer) in chain.into_iter().rev() {
            profile.description = layer.description.unwrap_or(profile.description);
            profile.mode = layer.mode.unwrap_or(profile.mode);
            profile.require.landlock = layer.landlock.unwrap_or(profile.require.landlock);
            profile.require.complete = layer.complete.unwrap_or(profile.require.complete);
            profile.require.accepted = layer.accepted.unwrap_or(profile.require.accepted);
            if let Some((reviewed, origin)) = layer.reviewed {
                (profile.reviewed, profile.reviewed_by) = (reviewed, Some(origin));
            }
            for (at, change) in layer.lists {
                profile.apply(at, change);
            }
            profile.cargo.apply(layer.cargo);
        }
        Ok(profile)
    }

    fn apply(&mut self, at: (Option<ActorKind>, &'static str), change: Change) {
        let texts = || change.lines.iter().map(|line| line.text.clone());
        match at {
            (Some(kind), key) => {
                if let Some(list) = self.actors.entry(kind).or_default().list(key) {
                    if !change.extend {
                        list.clear();
                    }
                    list.extend(change.lines);
                }
            }
            (None, "secrets") => {
                if !change.extend {
                    self.secrets.catalogue = false;
                    self.secrets.extra.clear();
                }
                self.secrets.extra.extend(texts());
            }
            (None, "not-secrets") => self.secrets.except.extend(texts()),
            (None, "withhold") => {
                if !change.extend {
                    self.environment.catalogue = false;
                    self.environment.withhold.clear();
                }
                self.environment.withhold.extend(texts());
            }
            (None, _) => {
                if !change.extend {
                    self.environment.pass.clear();
                }
                self.environment.pass.extend(texts());
            }
        }
    }

    /// The grants of a kind of actor; a proc-macro and a linker live behind the compiler's wall.
    pub fn grants(&self, kind: ActorKind) -> &Grants {
        let kind = if matches!(kind, ActorKind::ProcMacro | ActorKind::Linker) { ActorKind::Rustc } else { kind };
        &self.actors[&kind]
    }

    pub fn environment(&self) -> Environment {
        Environment::compile(&self.environment)
    }

    /// The same, and cargo keeps these whatever a pattern says, to give them to whom they are for.
    pub fn environment_passing(&self, names: &[String]) -> Environment {
        let mut lists = self.environment.clone();
        lists.pass.extend_from_slice(names);
        Environment::compile(&lists)
    }

    /// Are its actors told another time, or another name of their machine?
    pub fn makes_up_clocks(&self) -> bool {
        self.shift.is_some() || self.hostname.is_some()
    }

    /// The policy of one actor. The first call looks at the file system; later ones with the same places only put paths together.
    pub fn resolve(&self, places: &Places, facts: &ActorFacts) -> Policy {
        let settle = || Settled::new(&self.actors, &self.secrets, places);
        let settled = self.settled.get_or_init(|| Arc::new(settle()));
        let policy = |settled: &Settled| {
            let policy = Policy { shift: self.shift, hostname: self.hostname.clone(), ..settled.policy(&self.name, self.mode, facts) };
            match &self.decoys {
                Some(decoys) => among_decoys(policy, decoys),
                None => policy,
            }
        };
        if *settled.places == *places { policy(settled) } else { policy(&settle()) }
    }

    /// Tells two profiles apart in reports: 64-bit FNV-1a of everything that decides.
    pub fn digest(&self) -> String {
        let reviewed = if self.reviewed { reviewed::TEXT } else { "" };
        let (mode, require, cargo) = (self.mode, self.require, &self.cargo);
        let text = format!("{mode:?}{require:?}{cargo:?}{:?}{:?}{:?}{reviewed}", self.environment, self.secrets, self.actors);
        crate::model::digest::hex(text.as_bytes())
    }
}

const SHARED_MEMORY: &str = "/dev/shm";

/// What the kernel grants ends where something of the user's begins, wherever that lies; programs of the system may be run.
fn among_decoys(mut policy: Policy, decoys: &Decoys) -> Policy {
    let holes: Vec<&Path> = decoys.closed.iter().map(PathBuf::as_path).collect();
    let carved = |trees: &[PathBuf]| trees.iter().flat_map(|tree| carve(tree, &holes)).collect::<Vec<_>>();
    policy.kernel.read = carved(&policy.kernel.read);
    policy.kernel.exec = carved(&policy.kernel.exec);
    // Everybody's shared memory is what is left of the machine's own, and it stays when the trial is over; unless it is the trial's.
    let shared = !decoys.more.iter().any(|tree| tree.as_path() == Path::new(SHARED_MEMORY));
    let kernel = &mut policy.kernel;
    for trees in [&mut policy.read, &mut policy.write, &mut policy.exec, &mut kernel.read, &mut kernel.write, &mut kernel.exec] {
        trees.retain(|tree| !(shared && tree.starts_with(SHARED_MEMORY)));
    }
    let systems = PUBLISHED.map(PathBuf::from).into_iter().filter(|tree| tree.exists()).map(real).collect::<Vec<_>>();
    policy.among_decoys(decoys, &carved(&systems))
}

#[cfg(test)]
mod tests;
