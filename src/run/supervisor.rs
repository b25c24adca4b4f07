//! What the supervisor decides at each exec stop: for every program cargo starts, who that is, which policy it has and which walls.
//! In: tracees from the launcher. Out: walls for the launcher; actors, policies and listeners for the gate; entries for the journal.

mod trust;
mod variables;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::layers::{Layers, let_through};
use super::reviewing::Reviewing;
use super::stage::tmp_of;
use super::watch::Watch;
use crate::attribute::{ExecFacts, Identity, identify};
use crate::gate::Gate;
use crate::judge::{Journal, Places, Policy};
use crate::launch::confine::Walls;
use crate::launch::{Admission, AtExecStop, Tracee};
use crate::model::{Actor, ActorId, ActorKind, Hostile, Package};
use crate::plan::actor_facts::ActorFacts;
use crate::plan::credentials::Providers;
use crate::plan::placeholders;
use crate::plan::places::real;
use crate::plan::profile::Profile;
use crate::wall::filter::{self, Pass};
use crate::wall::ruleset::{self, Network, Pins};
use trust::{helps_to_fetch, is_driver, is_installed, is_of_the_toolchain, is_the_users, wraps_the_compiler};
use variables::Variables;

/// What is decided about tracees, and what is known because of those that came before.
pub struct Supervisor<'a> {
    pub profile: &'a Profile,
    pub places: Places,
    /// The Landlock ABI rulesets are built for.
    pub abi: u32,
    pub network: Network,
    pub gate: &'a Gate,
    pub journal: Arc<Journal>,
    variables: Variables,
    filter: Vec<libc::sock_filter>,
    pass: Pass,
    pins: Pins,
    /// Number of the last actor; 0 is cargo itself.
    last: u32,
    /// Admitted, but not confined yet.
    waiting: Option<(Arc<Actor>, Arc<Policy>, Instant)>,
    /// What compilers write, by the stem of its file name: names the package of a proc-macro's `.so`.
    pub artifacts: HashMap<String, Package>,
    /// The real cargo, once its process has become it.
    pub cargo: Option<PathBuf>,
    /// How long each actor waited at its exec stop, until its listener was with the gate.
    pub confining: Vec<Duration>,
    watch: &'a Watch,
    /// The cargo that was started, whatever its name.
    started: PathBuf,
    layers: Layers,
    pub reviewing: Reviewing,
    /// Whom the user has cargo ask for tokens.
    providers: Providers,
    /// Cargo has a network now, and is helped to use it.
    fetches: bool,
}

impl<'a> Supervisor<'a> {
    /// # Errors
    /// When the filter cannot be compiled.
    pub fn new(
        profile: &'a Profile,
        places: Places,
        (abi, network): (u32, Network),
        (gate, watch): (&'a Gate, &'a Watch),
        journal: Arc<Journal>,
        given: Vec<(OsString, OsString)>,
        cargo: &Path,
    ) -> Result<Self> {
        let pass = Pass::random()?;
        let providers = Providers::find(&places.cargo_home, places.workspace.as_deref(), &given);
        Ok(Supervisor {
            providers,
            variables: Variables::new(given, profile.environment(), Arc::clone(&journal)),
            filter: filter::program(&pass)?,
            profile,
            places,
            abi,
            network,
            gate,
            watch,
            journal,
            pass,
            pins: Pins::default(),
            last: 0,
            waiting: None,
            artifacts: HashMap::new(),
            cargo: None,
            confining: Vec::new(),
            started: real(cargo.to_owned()),
            layers: Layers::ALL,
            reviewing: Reviewing::default(),
            fetches: true,
        })
    }

    /// From now on cargo only builds: without a network, with this environment, which lacks what is `absent`. `ours` is a variable that tells it
    /// so. Nobody is let in any more as one who helps it fetch.
    pub fn offline(&mut self, env: Vec<(OsString, OsString)>, ours: Option<&'static str>, absent: Vec<String>) {
        self.fetches = false;
        self.variables.only_build(env, ours, absent);
    }

    /// With fewer layers around actors, see [`Layers`].
    pub fn behind(self, layers: Layers) -> Self {
        Supervisor { layers, ..self }
    }

    /// With the reviewed allows of this run.
    pub fn reviewing(self, reviewing: Reviewing) -> Self {
        Supervisor { reviewing, ..self }
    }

    /// What scripts said last, when nobody comes in any more.
    pub fn listen(&mut self) {
        self.variables.listen(&self.places);
    }

    /// Is this cargo itself, or a part of its toolchain that drives cargo? Only such a one may start programs that are confined one by one.
    fn conducts(&mut self, tracee: &Tracee) -> bool {
        let file = tracee.exe.file_name().unwrap_or_default();
        let is_cargo = file == "cargo" || tracee.in_place && self.cargo.is_none() && tracee.exe == self.started;
        // rustup's shims become another program in place, which then is a tracee of its own.
        let is_shim = file == "rustup";
        if !(is_cargo || is_shim || is_driver(file)) || !is_installed(&tracee.exe, &self.started, &self.places) {
            return false;
        }
        if is_cargo && !is_shim && tracee.in_place {
            self.cargo.get_or_insert_with(|| tracee.exe.clone());
            if let Some(root) = tracee.exe.parent().and_then(Path::parent).filter(|root| root.join("bin/rustc").exists()) {
                self.places.toolchain = real(root.to_owned());
            }
        }
        true
    }

    /// Cargo's own helpers keep cargo's trust, and so do those the user told cargo to ask.
    fn is_cargos_helper(&self, tracee: &Tracee) -> bool {
        let provider = || self.providers.started(&tracee.exe, tracee.argv);
        is_of_the_toolchain(tracee, &self.places)
            || self.fetches && (helps_to_fetch(tracee, &self.places) || provider().is_some_and(|file| is_the_users(&file, &self.places)))
    }

    /// Where this actor keeps temporary files: made now, readable by nobody else's user.
    fn tmp_for(&self, id: u32) -> Result<PathBuf> {
        let dir = tmp_of(&self.places.tmp, id);
        std::fs::DirBuilder::new().mode(0o700).create(&dir).with_context(|| format!("make {}", dir.display()))?;
        Ok(dir)
    }
}

impl AtExecStop for Supervisor<'_> {
    fn started(&mut self, cargo: Option<OwnedFd>, pid: i32) {
        self.watch.starts(cargo, pid as u32);
    }

    fn admit(&mut self, tracee: &Tracee) -> Result<Admission> {
        let began = Instant::now();
        if self.conducts(tracee) {
            tracing::debug!(pid = tracee.pid, exe = ?tracee.exe, "conductor");
            if tracee.in_place {
                self.variables.cargos = tracee.env.clone();
            }
            return Ok(Admission::Conductor(self.variables.untampered(tracee, &self.places)));
        }
        if wraps_the_compiler(tracee, &self.places) {
            let before = tracee.argv.iter().skip(1).position(|word| Path::new(word).file_name() == Some(OsStr::new("rustc")));
            let wrapper = before.filter(|at| *at > 0).map_or(tracee.exe.as_os_str(), |at| tracee.argv[at].as_os_str());
            bail!(
                "{:?} wraps the compiler, and a wrapper such as sccache compiles in a server outside every wall\n  \
                 help: run without it: `RUSTC_WRAPPER= RUSTC_WORKSPACE_WRAPPER= cargo brig …` (an empty variable overrides `build.rustc-wrapper`)",
                wrapper
            );
        }
        let facts = ExecFacts { exe: tracee.exe.clone(), argv: tracee.argv.to_vec(), env: tracee.env.clone(), cwd: tracee.cwd.clone() };
        let mut identity = identify(&facts, &self.places);
        if identity.kind == ActorKind::Tool && !self.is_cargos_helper(tracee) {
            // A runner, or a program a configuration file in the repository named: not cargo's, so not trusted like cargo.
            identity.kind = ActorKind::Program;
            identity.attributed_by = "started by cargo, not built by it: confined like a program";
        }
        if self.last == 0 {
            // Looks into a few directories, which a build that starts nobody need not.
            self.places.linkers = placeholders::linkers(&self.places);
        }
        self.last += 1;
        let id = ActorId(self.last);
        let tmp = self.tmp_for(id.0)?;
        let (edits, withheld) = self.variables.edits(&identity, tracee, (id, &tmp), &self.places, &mut self.last);
        let mut facts = actor_facts(&identity, tracee, &tmp);
        let cargo = self.cargo.as_deref().unwrap_or(&self.started);
        facts.reviewed = self.reviewing.of(&identity, tracee.argv, &self.places, cargo, &self.artifacts);
        let policy = Arc::new(self.profile.resolve(&self.places, &facts));
        let ruleset = ruleset::build(&policy, self.abi, self.network, &mut self.pins)?.filter(|_| self.layers.wall);
        if let (Some(artifact), Some(package)) = (&identity.artifact, &identity.package) {
            self.artifacts.insert(artifact.clone(), package.clone());
        }
        tracing::debug!(id = id.0, kind = identity.kind.name(), package = ?identity.package.as_ref().map(|package| &package.name), exe = ?tracee.exe, "actor");
        let actor = Arc::new(Actor {
            id,
            kind: identity.kind,
            package: identity.package,
            host: None,
            pid: tracee.pid as u32,
            exe: tracee.exe.clone(),
            argv: tracee.argv.iter().cloned().map(Hostile::from).collect(),
            cwd: tracee.cwd.clone(),
            crate_name: identity.crate_name,
            attributed_by: identity.attributed_by,
            outputs: identity.outputs,
            tmp,
            withheld,
        });
        self.journal.actor((*actor).clone());
        if actor.kind == ActorKind::BuildScript {
            self.variables.ran(&actor);
        }
        self.waiting = Some((actor, policy, began));
        Ok(Admission::Actor(Walls { ruleset, filter: self.filter.clone(), pass: self.pass, edits }))
    }

    fn entered(&mut self, listener: OwnedFd) -> Result<()> {
        let (actor, policy, began) = self.waiting.take().context("a listener without an actor")?;
        match self.layers.has_gate(actor.kind) {
            true => self.gate.admit(actor, policy, listener)?,
            false => let_through(listener).context("let everything through")?,
        }
        self.confining.push(began.elapsed());
        Ok(())
    }
}

fn actor_facts(identity: &Identity, tracee: &Tracee, tmp: &Path) -> ActorFacts {
    // Cargo writes `-C name=value`, as two words.
    let argument = |name: &str| tracee.argv.iter().find_map(|word| word.as_bytes().strip_prefix(name.as_bytes()));
    ActorFacts {
        kind: identity.kind,
        package_dir: identity.package.as_ref().and_then(|package| package.manifest_dir.clone()),
        outputs: identity.outputs.clone(),
        tmp: tmp.to_owned(),
        program: Some(tracee.exe.clone()),
        extra_filename: argument("extra-filename=").map(|value| String::from_utf8_lossy(value).into_owned()),
        crate_name: identity.crate_name.clone(),
        linker: argument("linker=").map(|value| PathBuf::from(OsStr::from_bytes(value))),
        reviewed: Vec::new(),
    }
}
