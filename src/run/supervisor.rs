//! What the supervisor decides at each exec stop: for every program cargo starts, who that is, which policy it has and which walls.
//! In: tracees from the launcher. Out: walls for the launcher; actors, policies and listeners for the gate; entries for the journal.

mod cargos_calls;
mod chain;
mod entries;
mod formatter;
mod instrumented;
mod led;
mod manual;
mod trust;
mod unasked;
mod variables;

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::barring::Bars;
use super::excepting::{Excepting, Newcomer};
use super::failing::Failing;
use super::given::Given;
use super::holding::Holding;
use super::layers::{Layers, let_through};
use super::reviewing::Reviewing;
use super::watch::Watch;
use crate::attribute::identity::{ran_for, users_compiler};
use crate::attribute::source::{clean, package_in};
use crate::attribute::{ExecFacts, Identity, Light, identify};
use crate::gate::Gate;
use crate::judge::exceptions::Granted;
use crate::judge::rules::proc_tamper;
use crate::judge::{Journal, Places, Policy};
use crate::launch::confine::Walls;
use crate::launch::tried::Tried;
use crate::launch::{Admission, AtExecStop, Tracee};
use crate::model::{Actor, ActorId, ActorKind, Package, Status};
use crate::plan::actor_facts::ActorFacts;
use crate::plan::cargo_wall::CargoWall;
use crate::plan::configured::{self, Configured};
use crate::plan::credentials::Providers;
use crate::plan::excepted;
use crate::plan::placeholders;
use crate::plan::places::real;
use crate::plan::profile::Profile;
use crate::plan::steering::Steering;
use crate::plan::users_tools::Told;
use crate::wall::filter::{self, Pass};
use crate::wall::ruleset::{self, Network, Pins};
use chain::{Chain, Post, Rank};
use entries::{actor_facts, breach, entry, started};
use instrumented::Instrumented;
use led::Led;
use trust::{Between, between, helps_to_fetch, is_the_users, local_repositories};
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
    /// Somebody has come in.
    met: bool,
    /// Admitted, but not confined yet.
    waiting: Option<(Arc<Actor>, Arc<Policy>, Instant)>,
    /// What compilers write, by the stem of its file name: names the package of a proc-macro's `.so`.
    pub artifacts: HashMap<String, Package>,
    /// The real cargo, once its process has become it.
    pub cargo: Option<PathBuf>,
    /// How long each actor waited at its exec stop, until its listener was with the gate.
    pub confining: Vec<Duration>,
    pub failing: Failing,
    /// What the user opened for programs.
    pub given: Given,
    /// What cargo itself was refused.
    pub led: Led,
    instrumented: Instrumented,
    watch: &'a Watch,
    /// The cargo that was started, whatever its name.
    started: PathBuf,
    chain: Chain,
    /// What cargo's configuration files name.
    configured: Configured,
    /// Who stands for the repository's in the record, once it is needed.
    repository: Option<ActorId>,
    users_words: HashSet<OsString>,
    /// Compilers the user named by their path.
    users_compilers: Vec<(PathBuf, ActorKind)>,
    layers: Layers,
    pub reviewing: Reviewing,
    pub excepting: Excepting,
    pub bars: Rc<Bars>,
    holding: Holding,
    /// What cargo, and so everybody, is inside of.
    pub wall: CargoWall,
    /// Whom the user has cargo ask for tokens.
    providers: Providers,
    /// Cargo has a network now, and is helped to use it.
    fetches: bool,
    pub limits: Option<crate::sys::limits::Limits>,
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
        (cargo, steering): (&Path, Steering),
    ) -> Result<Self> {
        let pass = Pass::random()?;
        let cwd = std::env::current_dir().context("find the current directory")?;
        let configured = Configured::read(&cwd, places.workspace.as_deref(), &places.cargo_home, &given, &steering);
        let typed = steering.configured();
        let (home, workspace) = (places.home.as_deref(), places.workspace.as_deref());
        let ground = crate::plan::whose::Ground { here: &cwd, home, cargo_home: &places.cargo_home, workspace, typed: &typed };
        let users_compilers = Told::read(&steering, &given, &ground).compilers();
        let users_words = configured::users_words(&steering, &given).into_iter().collect();
        let started = real(cargo.to_owned());
        let providers = Providers::find(&places.cargo_home, places.workspace.as_deref(), &given);
        Ok(Supervisor {
            providers,
            variables: Variables::new(given, profile.environment(), Arc::clone(&journal)),
            filter: filter::program_of(profile.makes_up_clocks(), &pass)?,
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
            met: false,
            waiting: None,
            artifacts: HashMap::new(),
            cargo: None,
            confining: Vec::new(),
            failing: Failing::default(),
            given: Given::default(),
            led: Led::default(),
            instrumented: Instrumented::default(),
            chain: Chain::new(cwd.join(cargo), started.clone(), configured.aliases.clone()),
            started,
            configured,
            repository: None,
            users_words,
            users_compilers,
            layers: Layers::ALL,
            reviewing: Reviewing::new(profile.reviewed, steering),
            excepting: Excepting::default(),
            bars: Rc::default(),
            holding: Holding::default(),
            wall: CargoWall::default(),
            fetches: true,
            limits: None,
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

    /// With what the user opened for programs.
    pub fn giving(self, given: Given) -> Self {
        Supervisor { given, ..self }
    }

    /// With these exceptions of the user's.
    pub fn excepting(self, excepting: Excepting, bars: Rc<Bars>) -> Self {
        Supervisor { excepting, bars, ..self }
    }

    /// Inside cargo's own wall: so is cargo when we ask it for the graph.
    pub fn enter(&mut self, wall: CargoWall) {
        self.reviewing.trees.clone_from(&wall.grants.read);
        self.wall = wall;
    }

    /// What scripts said last, when nobody comes in any more.
    pub fn listen(&mut self) {
        self.variables.listen(&self.places);
    }

    /// One of those who start programs that are confined one by one.
    fn conduct(&mut self, tracee: &Tracee, post: &Post) -> Admission {
        tracing::debug!(pid = tracee.pid, ?post, exe = ?tracee.exe, "conductor");
        self.instrumented.hear(&tracee.env);
        if tracee.in_place {
            self.variables.cargos = tracee.env.clone();
            if let Post::Cargo(_) = post {
                self.cargo.get_or_insert_with(|| tracee.exe.clone());
                if let Some(root) = tracee.exe.parent().and_then(Path::parent).filter(|root| root.join("bin/rustc").exists()) {
                    self.places.toolchain = real(root.to_owned());
                    let bin = self.places.toolchain.join("bin");
                    let own = [("rustc", ActorKind::Rustc), ("rustdoc", ActorKind::Rustdoc), ("clippy-driver", ActorKind::Rustc)];
                    self.users_compilers.extend(own.map(|(name, kind)| (bin.join(name), kind)));
                }
            }
        }
        Admission::Conductor(self.variables.untampered(tracee, self.chain.starters(tracee), &self.places))
    }

    /// Cargo's own helpers keep cargo's trust, and so do those the user told cargo to ask.
    fn is_cargos_helper(&self, tracee: &Tracee) -> bool {
        let provider = || self.providers.started(&tracee.exe, tracee.argv);
        let asked = helps_to_fetch(tracee, &self.places) || provider().is_some_and(|file| is_the_users(&file, &self.places));
        let within = |path: &PathBuf| self.wall.grants.read.iter().any(|tree| path.starts_with(tree));
        let here = local_repositories(tracee.argv).into_iter().map(real).all(|path| within(&path));
        self.fetches && asked && here && self.chain.is_cargos_child(tracee)
    }

    /// Has the user named it as a compiler?
    fn has_named(&self, script: &Path) -> bool {
        users_compiler(&self.places.by_real_name(&clean(script)), &self.users_compilers).is_some()
    }

    /// Nothing of the user's may stand between cargo and the compiler; what the build put there is somebody's act, and no reason to end
    /// without a report.
    fn refuse_what_is_between(&self, tracee: &Tracee) -> Result<()> {
        match between(tracee, &self.places) {
            Some(_) if self.variables.is_led_astray(tracee, &self.places) => Ok(()),
            Some(Between::Wrapper(wrapper)) => bail!(
                "{wrapper:?} wraps the compiler, and a wrapper such as sccache compiles in a server outside every wall\n  \
                 help: run without it: `RUSTC_WRAPPER= RUSTC_WORKSPACE_WRAPPER= cargo brig …` (an empty variable overrides `build.rustc-wrapper`)"
            ),
            Some(Between::Script(script)) if !self.places.is_of_the_build(&script) && !self.has_named(&script) => bail!(
                "the compiler {script:?} is a script: behind a compiler's wall it could start nothing\n  \
                 help: name the compiler itself: `RUSTC=/…/bin/rustc cargo brig …`"
            ),
            _ => Ok(()),
        }
    }

    fn facts(&self, tracee: &Tracee, ends_cargo: bool) -> ExecFacts {
        ExecFacts {
            exe: tracee.exe.clone(),
            called: self.places.by_real_name(&clean(&tracee.called)),
            argv: tracee.argv.to_vec(),
            env: tracee.env.clone(),
            cwd: tracee.cwd.clone(),
            ends_cargo,
        }
    }

    fn identify(&mut self, tracee: &Tracee, ends_cargo: bool) -> Identity {
        let facts = self.facts(tracee, ends_cargo);
        let mut identity = self.look(&facts);
        if identity.is_disputed {
            // Rare, and worth asking cargo for its targets.
            self.reviewing.read_graph(&self.places, self.cargo.as_deref().unwrap_or(&self.started));
            identity = self.look(&facts);
        }
        let built = identity.kind == ActorKind::BuildScript || identity.kind == ActorKind::Program;
        if !built && self.configured.names(&tracee.called, tracee.argv) {
            let (ran, _) = ran_for(&facts, &self.places);
            identity = Identity {
                kind: ActorKind::Program,
                // What is run by a runner is the package's; a credential provider or a browser is the repository's own idea.
                crate_name: ran.is_none().then(|| Actor::CONFIGURATION.to_owned()),
                package: ran.or_else(|| self.places.workspace.as_deref().and_then(package_in)),
                attributed_by: "named by the repository's cargo configuration: confined like a program",
                outputs: Vec::new(),
                artifact: None,
                invocation: None,
                ..identity
            };
        }
        identity
    }

    fn look(&self, facts: &ExecFacts) -> Identity {
        let users = |word: &OsStr| self.users_words.contains(word);
        let light = Light { places: &self.places, graph: self.reviewing.graph.as_ref(), users: &users, compilers: &self.users_compilers };
        identify(facts, &light)
    }

    /// Its exceptions. A package that must not be there, and was not in the lock file, comes no further.
    fn granted(&mut self, identity: &Identity, tracee: &Tracee, facts: &ActorFacts) -> Result<Vec<Granted>> {
        let cargo = self.cargo.as_deref().unwrap_or(&self.started);
        let ask = || self.reviewing.ask_text(&self.places, cargo);
        self.bars.admit((identity.package.as_ref(), identity.kind, tracee.argv), &self.places, ask)?;
        let one = Newcomer { identity, argv: tracee.argv, facts, places: &self.places, cargo, artifacts: &self.artifacts };
        let granted = self.excepting.of(&one, &mut self.reviewing);
        let reveals = granted.iter().filter(|granted| self.variables.withholds(identity.kind, tracee, granted.in_environment()));
        reveals.for_each(|granted| self.journal.spent(&granted.by));
        Ok(granted)
    }

    /// Where this actor keeps temporary files: made now, readable by nobody else's user.
    fn tmp_for(&self, id: u32) -> Result<PathBuf> {
        let dir = Places::tmp_of(&self.places.tmp, id);
        std::fs::DirBuilder::new().mode(0o700).create(&dir).with_context(|| format!("make {}", dir.display()))?;
        Ok(dir)
    }
}

impl AtExecStop for Supervisor<'_> {
    fn started(&mut self, cargo: Option<OwnedFd>, pid: i32) {
        self.chain.begin();
        super::bounded::put_on(pid, self.limits.as_ref(), &self.journal);
        self.watch.starts(cargo, pid as u32);
    }

    fn admit(&mut self, tracee: &Tracee) -> Result<Admission> {
        let began = Instant::now();
        let rank = self.chain.enter(tracee, &self.places);
        if let Rank::Conducts(post) = &rank {
            return Ok(self.conduct(tracee, post));
        }
        let ends_cargo = matches!(rank, Rank::Stranger { ends_cargo: true });
        // A runner stands between cargo and a program, whatever its words look like.
        if !ends_cargo && !self.configured.names(&tracee.called, tracee.argv) {
            self.refuse_what_is_between(tracee)?;
        }
        let mut identity = self.identify(tracee, ends_cargo);
        if rank == Rank::Helps {
            (identity.kind, identity.attributed_by) = (ActorKind::Program, formatter::ATTRIBUTED_BY);
        } else if rank == Rank::Shows {
            (identity.kind, identity.attributed_by) = (ActorKind::Program, manual::ATTRIBUTED_BY);
        } else if identity.kind == ActorKind::Tool && !self.is_cargos_helper(tracee) {
            // A runner, or a program a configuration file named: not cargo's, so not trusted like cargo.
            identity.kind = ActorKind::Program;
            identity.attributed_by = "started by cargo, not built by it: confined like a program";
            // Cargo gives it what it gives the program that it is to run.
            identity.package = identity.package.or_else(|| ran_for(&self.facts(tracee, false), &self.places).0);
        }
        if !std::mem::replace(&mut self.met, true) {
            // Looks into a few directories, which a build that starts nobody need not.
            self.places.linkers = placeholders::linkers(&self.places);
        }
        self.last += 1;
        let id = ActorId(self.last);
        let tmp = self.tmp_for(id.0)?;
        let mut facts = actor_facts(&identity, tracee, &tmp);
        let granted = if matches!(rank, Rank::Helps | Rank::Shows) { Vec::new() } else { self.granted(&identity, tracee, &facts)? };
        let revealed: Vec<&str> = granted.iter().flat_map(|granted| granted.in_environment().iter().map(String::as_str)).collect();
        let (mut edits, withheld) = self.variables.edits((&identity, &revealed), tracee, (id, &tmp), &self.places, &mut self.last);
        facts.script = trust::users_script(tracee, &self.places).filter(|_| !self.configured.names(&tracee.called, tracee.argv));
        let cargo = self.cargo.as_deref().unwrap_or(&self.started);
        facts.reviewed = self.reviewing.of(&identity, tracee.argv, &self.places, cargo, &self.artifacts);
        let mut policy = excepted::extend(self.profile.resolve(&self.places, &facts), granted);
        if rank == Rank::Helps {
            formatter::permit(&mut policy, &self.wall, &self.places);
        } else if rank == Rank::Shows {
            manual::permit(&mut policy, &self.places);
        }
        self.instrumented.permit(&mut policy, tracee, &self.places);
        if let Some(lock) = self.bars.held().filter(|_| Holding::is_about(policy.kind)) {
            self.reviewing.read_graph(&self.places, self.cargo.as_deref().unwrap_or(&self.started));
            policy.accepted = self.holding.of(lock, (&identity, &tmp), self.reviewing.graph.as_ref(), &self.places);
        }
        if policy.kind == ActorKind::Tool {
            // Its own wall is as wide as cargo's. Where cargo's ends, the gate has to do what is granted: nothing may be left to the kernel there.
            policy.kernel.read.clone_from(&self.wall.grants.read);
        } else if let Err(path) = self.wall.contains(&policy.kernel) {
            tracing::warn!(kind = policy.kind.name(), ?path, "granted, and outside of cargo's own wall");
        }
        // Whom the user asked for, or what runs it; nobody who helps, and nothing that a configuration file names by itself.
        let asked = policy.kind == ActorKind::Program && !matches!(rank, Rank::Helps | Rank::Shows) && identity.package.is_some();
        let given = if asked { self.given.to(&mut policy) } else { Vec::new() };
        self.given.edit(&mut edits, tracee, &given);
        let policy = Arc::new(policy);
        let ruleset = ruleset::build(&policy, self.abi, self.network, &mut self.pins)?.filter(|_| self.layers.wall);
        if let (Some(artifact), Some(package)) = (&identity.artifact, &identity.package) {
            self.artifacts.insert(artifact.clone(), package.clone());
        }
        let breach = breach(&identity, tracee, &self.places);
        self.unasked(&identity, id, tracee.pid);
        let actor = Arc::new(entry(identity, id, tracee, tmp, withheld));
        tracing::debug!(id = id.0, kind = actor.kind.name(), package = ?actor.package.as_ref().map(|package| &package.name), exe = ?tracee.exe, "actor");
        self.journal.actor((*actor).clone());
        self.failing.starts(id, tracee.pid as u32);
        if breach.is_some() {
            self.journal.event(started(&actor, tracee, Status::Allowed, breach));
        }
        if actor.kind == ActorKind::BuildScript {
            self.variables.ran(&actor);
        }
        let asks_for_time = policy.shift.is_some();
        self.waiting = Some((actor, policy, began));
        Ok(Admission::Actor(Walls { ruleset, filter: self.filter.clone(), pass: self.pass, edits, given, asks_for_time }))
    }

    fn refuse(&mut self, tracee: &Tracee, why: &anyhow::Error) -> bool {
        let actor = match self.waiting.take() {
            Some((actor, ..)) => actor,
            None => {
                let identity = self.identify(tracee, false);
                self.last += 1;
                Arc::new(entry(identity, ActorId(self.last), tracee, "/".into(), Vec::new()))
            }
        };
        // Of what the build made, its makers are to be told of; anything else is the machine's, or the user's.
        if !matches!(actor.kind, ActorKind::BuildScript | ActorKind::Program) || !self.places.is_of_the_build(&tracee.exe) {
            return false;
        }
        self.journal.actor((*actor).clone());
        self.journal.event(started(&actor, tracee, Status::Refused, Some(proc_tamper::unconfined(&format!("{why:#}")))));
        true
    }

    fn may_read(&mut self, tried: &Tried) -> bool {
        self.leads_to_sources(tried)
    }

    fn refused_by_kernel(&mut self, tried: &Tried) {
        self.led(tried);
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
