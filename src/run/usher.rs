//! Who comes in: asked for every program cargo starts, it establishes who that is, resolves the policy and builds the walls.
//! In: newcomers from the launcher. Out: walls for the launcher; actors, policies and listeners for the gate; entries for the journal.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::emitters::{Emitters, Ground};
use super::layers::{Layers, let_through};
use super::reviewing::Reviewing;
use super::watch::Watch;
use crate::attribute::{ExecFacts, Identity, identify};
use crate::gate::Gate;
use crate::judge::environment::{EnvVerdict, Environment};
use crate::judge::loader::{Variable, changed, loader_tampering};
use crate::judge::rules::env_loader;
use crate::judge::{Journal, Places, Policy};
use crate::launch::confine::Walls;
use crate::launch::newborn::Edit;
use crate::launch::{Admission, Newcomer, Usher};
use crate::model::{Act, Actor, ActorId, ActorKind, Event, Hostile, Package, Status};
use crate::plan::credentials::Providers;
use crate::plan::placeholders;
use crate::plan::places::real;
use crate::plan::profile::{ActorFacts, Profile};
use crate::wall::filter::{self, Pass};
use crate::wall::ruleset::{self, Network, Pins};

/// Digits in the name of an actor's temporary directory: `TMPDIR` is rewritten in place on its stack, so all are of one length.
const DIGITS: usize = 8;

pub struct Door<'a> {
    pub profile: &'a Profile,
    pub places: Places,
    pub abi: u32,
    pub network: Network,
    pub gate: &'a Gate,
    pub journal: Arc<Journal>,
    /// The environment cargo was given.
    pub given: Vec<(OsString, OsString)>,
    /// The environment cargo really has: rustup's shims add to it.
    cargos: Vec<(OsString, OsString)>,
    emitters: Emitters,
    environment: Environment,
    filter: Vec<libc::sock_filter>,
    pass: Pass,
    pins: Pins,
    last: u32,
    /// Admitted, but not confined yet.
    waiting: Option<(Arc<Actor>, Arc<Policy>, Instant)>,
    /// What compilers write, by the stem of its file name: names the package of a proc-macro's `.so`.
    pub artifacts: HashMap<String, Package>,
    /// The real cargo, once its process has become it.
    pub cargo: Option<PathBuf>,
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
    /// Variables that only cargo was given by us.
    ours: Option<&'static str>,
    /// Variables that not even cargo has: nobody sees them.
    absent: Vec<String>,
}

impl<'a> Door<'a> {
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
        Ok(Door {
            providers,
            environment: profile.environment(),
            filter: filter::program(&pass)?,
            profile,
            places,
            abi,
            network,
            gate,
            watch,
            journal,
            cargos: given.clone(),
            emitters: Emitters::default(),
            given,
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
            ours: None,
            absent: Vec::new(),
        })
    }

    /// From now on cargo only builds: without a network, with this environment, which lacks what is `absent`. `ours` is a variable that tells it
    /// so. Nobody is let in any more as one who helps it fetch.
    pub fn offline(&mut self, env: Vec<(OsString, OsString)>, ours: Option<&'static str>, absent: Vec<String>) {
        self.cargos.clone_from(&env);
        self.given = env;
        (self.fetches, self.ours, self.absent) = (false, ours, absent);
    }

    pub fn behind(self, layers: Layers) -> Self {
        Door { layers, ..self }
    }

    pub fn reviewing(self, reviewing: Reviewing) -> Self {
        Door { reviewing, ..self }
    }

    /// Is this cargo itself, or a part of its toolchain that drives cargo? Only such a one may start programs that are confined one by one.
    fn conducts(&mut self, newcomer: &Newcomer) -> bool {
        let file = newcomer.exe.file_name().unwrap_or_default();
        let is_cargo = file == "cargo" || newcomer.in_place && self.cargo.is_none() && newcomer.exe == self.started;
        // rustup's shims become another program in place, which then is a newcomer of its own.
        let is_shim = file == "rustup";
        if !(is_cargo || is_shim || is_driver(file)) || !self.is_installed(&newcomer.exe) {
            return false;
        }
        if is_cargo && !is_shim && newcomer.in_place {
            self.cargo.get_or_insert_with(|| newcomer.exe.clone());
            if let Some(root) = newcomer.exe.parent().and_then(Path::parent).filter(|root| root.join("bin/rustc").exists()) {
                self.places.toolchain = real(root.to_owned());
            }
        }
        true
    }

    /// Does the user keep programs of cargo's there? Nothing a build could have put in a place of its own counts.
    fn is_installed(&self, exe: &Path) -> bool {
        let places = &self.places;
        if of_the_build(exe, places) {
            return false;
        }
        let usual = [places.cargo_home.join("bin"), places.toolchain.join("bin"), "/usr/bin".into(), "/usr/local/bin".into()];
        let in_a_toolchain = places.rustup_home.as_ref().is_some_and(|home| exe.starts_with(home.join("toolchains")));
        exe == self.started
            || in_a_toolchain
            || self.is_linked(exe)
            || exe.parent().is_some_and(|parent| usual.iter().any(|dir| dir == parent))
    }

    /// `rustup toolchain link`: the user's own toolchain, which rustup knows by a link.
    fn is_linked(&self, exe: &Path) -> bool {
        let toolchains = self.places.rustup_home.as_ref().and_then(|home| std::fs::read_dir(home.join("toolchains")).ok());
        let links = toolchains.into_iter().flatten().flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
        links.filter_map(|link| link.path().canonicalize().ok()).any(|toolchain| exe.parent() == Some(&toolchain.join("bin")))
    }

    /// Cargo's own helpers keep cargo's trust, and so do those the user told cargo to ask.
    fn is_cargos_helper(&self, newcomer: &Newcomer) -> bool {
        let provider = || self.providers.started(&newcomer.exe, newcomer.argv);
        is_of_the_toolchain(newcomer, &self.places)
            || self.fetches
                && (is_cargos_helper(newcomer, &self.places) || provider().is_some_and(|file| is_the_users(&file, &self.places)))
    }

    /// Where this actor keeps temporary files: made now, readable by nobody else's user.
    fn tmp_for(&self, id: u32) -> Result<PathBuf> {
        let dir = tmp_of(&self.places.tmp, id);
        std::fs::DirBuilder::new().mode(0o700).create(&dir).with_context(|| format!("make {}", dir.display()))?;
        Ok(dir)
    }

    /// A conductor is not confined, so nothing a build script put into its environment may decide what it loads or starts.
    fn untampered(&self, newcomer: &Newcomer) -> Vec<Edit> {
        let (given, seen) = (bytes(&self.given), bytes(&newcomer.env));
        let tampered = loader_tampering(ActorKind::Rustc, &given, &seen, &self.places);
        let edit = |(name, value): &(&[u8], &[u8])| {
            if tampered.iter().any(|loader| loader == name) { restore(&given, name, value) } else { Edit::Keep }
        };
        seen.iter().map(edit).collect()
    }

    /// Asks what scripts have said of this newcomer's linker arguments and of these variables, some of them known to be `tampered` with.
    /// Returns the variables that a script set.
    fn trace<'v>(&mut self, identity: &Identity, newcomer: &Newcomer, tampered: &[Vec<u8>], changed: &[Variable<'v>]) -> Vec<&'v [u8]> {
        let given = bytes(&self.given);
        let ground = Ground { journal: &self.journal, places: &self.places, given: &given };
        let last = &mut self.last;
        let mut next = || {
            *last += 1;
            ActorId(*last)
        };
        let package = identity.package.as_ref();
        self.emitters.listen(false, &ground);
        if identity.kind == ActorKind::Rustc {
            self.emitters.link(newcomer.argv, &newcomer.cwd, package, &ground, &mut next);
        }
        // The package of a program is told by its environment, so what was tampered with may be anybody's.
        let is_tampered = |name: &[u8]| tampered.iter().any(|loader| loader == name);
        let mut said = |variable: &&Variable| self.emitters.told(**variable, is_tampered(variable.0), package, &ground, &mut next);
        changed.iter().filter(|variable| said(variable)).map(|(name, _)| *name).collect()
    }

    /// What scripts said last, when nobody comes in any more.
    pub fn listen(&mut self) {
        let given = bytes(&self.given);
        self.emitters.listen(true, &Ground { journal: &self.journal, places: &self.places, given: &given });
    }

    /// One edit per variable, and the names that were withheld.
    fn edits(&mut self, identity: &Identity, newcomer: &Newcomer, tmp: &Path, actor: ActorId) -> (Vec<Edit>, Vec<String>) {
        let (kind, seen) = (identity.kind, bytes(&newcomer.env));
        let is_directed = !matches!(kind, ActorKind::Tool | ActorKind::BuildScript);
        let tampered = loader_tampering(kind, &bytes(&self.given), &seen, &self.places);
        let mut directed = Vec::new();
        if is_directed {
            let mut changed = changed(kind, &bytes(&self.cargos), &seen);
            changed.extend(seen.iter().filter(|(name, _)| tampered.iter().any(|loader| loader == name)));
            directed = self.trace(identity, newcomer, &tampered, &changed);
        }
        let given = bytes(&self.given);
        let is_tampered = |name: &[u8]| directed.contains(&name) || tampered.iter().any(|loader| loader == name);
        let mut withheld = self.absent.clone();
        let edits = seen
            .iter()
            .map(|(name, value)| {
                if *name == b"TMPDIR" && (value.starts_with(self.places.tmp.as_os_str().as_bytes()) || is_tampered(name)) {
                    return own_tmp(value, tmp);
                }
                if is_tampered(name) {
                    return restore(&given, name, value);
                }
                if self.ours.is_some_and(|ours| ours.as_bytes() == *name) {
                    return Edit::Remove;
                }
                match self.environment.decide(kind, name, value) {
                    EnvVerdict::Keep => Edit::Keep,
                    EnvVerdict::Withhold => {
                        withheld.push(String::from_utf8_lossy(name).into_owned());
                        Edit::Remove
                    }
                }
            })
            .collect();
        for (name, _) in seen.iter().filter(|(name, _)| is_tampered(name)) {
            let name_told = directed.contains(name);
            let name = String::from_utf8_lossy(name).into_owned();
            // Whoever said it has the finding already; this one was only to be given it.
            let breach = (!name_told).then(|| env_loader::changed(&name));
            let act = Act::Withhold { name };
            self.journal.event(Event { actor, pid: newcomer.pid as u32, act, status: Status::Refused, breach, blame: None });
        }
        (edits, withheld)
    }
}

/// The actor's own, where it fits into the place; a shorter one was not cargo's.
fn own_tmp(value: &[u8], tmp: &Path) -> Edit {
    if value.len() >= tmp.as_os_str().len() { Edit::Replace(tmp.as_os_str().to_owned()) } else { Edit::Remove }
}

/// What the user had comes back, where it fits into the place; a longer one cannot have been put in front of.
fn restore(given: &[(&[u8], &[u8])], name: &[u8], value: &[u8]) -> Edit {
    let before = given.iter().find(|(known, _)| *known == name).map(|(_, before)| *before);
    match before.filter(|before| before.len() <= value.len()) {
        Some(before) => Edit::Replace(OsString::from_vec(before.to_vec())),
        None => Edit::Remove,
    }
}

fn bytes(env: &[(OsString, OsString)]) -> Vec<(&[u8], &[u8])> {
    env.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

/// The directory of actor `id`; cargo's own is number 0.
pub fn tmp_of(tmp: &Path, id: u32) -> PathBuf {
    tmp.join(format!("{id:0DIGITS$}"))
}

/// `cargo-clippy`, `cargo-nextest` …: as trusted as cargo, where the user installed them beside it.
fn is_driver(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"cargo-") && !name.as_bytes().starts_with(b"cargo-credential-")
}

/// In a tree that a repository or a package brought along, or that the build writes to.
fn of_the_build(exe: &Path, places: &Places) -> bool {
    let caches = ["registry", "git"].map(|dir| places.cargo_home.join(dir));
    let trees = places.workspace.iter().chain(places.results()).chain(&places.packages).chain([&places.tmp]);
    trees.chain(&caches).any(|tree| tree.is_absolute() && exe.starts_with(tree))
}

/// Neither the build's, nor where anybody could have put it.
fn is_the_users(exe: &Path, places: &Places) -> bool {
    let anybodys = ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|tree| exe.starts_with(tree));
    let of_the_user = places.home.iter().chain([&places.cargo_home]).any(|home| home.is_absolute() && exe.starts_with(home));
    (!anybodys || of_the_user) && !of_the_build(exe, places)
}

/// The toolchain's own programs that run no code of the build (rustfmt) keep cargo's trust.
fn is_of_the_toolchain(newcomer: &Newcomer, places: &Places) -> bool {
    newcomer.exe.parent() == Some(&places.toolchain.join("bin"))
}

/// Those who help cargo fetch keep its trust, too: git (it works in cargo's home) and credential providers. Not what a repository brought
/// along: its configuration can name any provider.
fn is_cargos_helper(newcomer: &Newcomer, places: &Places) -> bool {
    let (exe, file) = (&newcomer.exe, newcomer.exe.file_name().unwrap_or_default());
    let fetches = file == "git" && !places.cargo_home.as_os_str().is_empty() && newcomer.cwd.starts_with(places.cargo_home.join("git"));
    let provides = file.as_bytes().starts_with(b"cargo-credential-");
    (fetches || provides) && is_the_users(exe, places)
}

/// A wrapper gets the compiler as its first argument (a script has its own name before that), and may hand the work to a server outside
/// every wall, as sccache does.
fn wraps_the_compiler(newcomer: &Newcomer, places: &Places) -> bool {
    let is_compiler = |word: &OsString| Path::new(word).file_name() == Some(OsStr::new("rustc"));
    let compiles = newcomer.argv.iter().any(|word| word == "--crate-name" || word == "-vV");
    let known = ["rustc", "clippy-driver", "rustup"].iter().any(|name| newcomer.exe.file_name() == Some(OsStr::new(name)));
    !known
        && compiles
        && places.result(newcomer.exe.as_os_str().as_bytes()).is_none()
        && newcomer.argv.iter().skip(1).take(2).any(is_compiler)
}

impl Usher for Door<'_> {
    fn started(&mut self, cargo: Option<OwnedFd>, pid: i32) {
        self.watch.starts(cargo, pid as u32);
    }

    fn admit(&mut self, newcomer: &Newcomer) -> Result<Admission> {
        let began = Instant::now();
        if self.conducts(newcomer) {
            tracing::debug!(pid = newcomer.pid, exe = ?newcomer.exe, "conductor");
            if newcomer.in_place {
                self.cargos = newcomer.env.clone();
            }
            return Ok(Admission::Conductor(self.untampered(newcomer)));
        }
        if wraps_the_compiler(newcomer, &self.places) {
            let before = newcomer.argv.iter().skip(1).position(|word| Path::new(word).file_name() == Some(OsStr::new("rustc")));
            let wrapper = before.filter(|at| *at > 0).map_or(newcomer.exe.as_os_str(), |at| newcomer.argv[at].as_os_str());
            bail!(
                "{:?} wraps the compiler, and a wrapper such as sccache compiles in a server outside every wall\n  \
                 help: run without it: `RUSTC_WRAPPER= RUSTC_WORKSPACE_WRAPPER= cargo brig …` (an empty variable overrides `build.rustc-wrapper`)",
                wrapper
            );
        }
        let facts =
            ExecFacts { exe: newcomer.exe.clone(), argv: newcomer.argv.to_vec(), env: newcomer.env.clone(), cwd: newcomer.cwd.clone() };
        let mut identity = identify(&facts, &self.places);
        if identity.kind == ActorKind::Tool && !self.is_cargos_helper(newcomer) {
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
        let (edits, withheld) = self.edits(&identity, newcomer, &tmp, id);
        let mut facts = actor_facts(&identity, newcomer, &tmp);
        let cargo = self.cargo.as_deref().unwrap_or(&self.started);
        facts.reviewed = self.reviewing.of(&identity, newcomer.argv, &self.places, cargo, &self.artifacts);
        let policy = Arc::new(self.profile.resolve(&self.places, &facts));
        let ruleset = ruleset::build(&policy, self.abi, self.network, &mut self.pins)?.filter(|_| self.layers.wall);
        if let (Some(artifact), Some(package)) = (&identity.artifact, &identity.package) {
            self.artifacts.insert(artifact.clone(), package.clone());
        }
        tracing::debug!(id = id.0, kind = identity.kind.name(), package = ?identity.package.as_ref().map(|package| &package.name), exe = ?newcomer.exe, "actor");
        let actor = Arc::new(Actor {
            id,
            kind: identity.kind,
            package: identity.package,
            host: None,
            pid: newcomer.pid as u32,
            exe: newcomer.exe.clone(),
            argv: newcomer.argv.iter().cloned().map(Hostile::from).collect(),
            cwd: newcomer.cwd.clone(),
            crate_name: identity.crate_name,
            attributed_by: identity.attributed_by,
            outputs: identity.outputs,
            tmp,
            withheld,
        });
        self.journal.actor((*actor).clone());
        if actor.kind == ActorKind::BuildScript {
            self.emitters.ran(&actor);
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

fn actor_facts(identity: &Identity, newcomer: &Newcomer, tmp: &Path) -> ActorFacts {
    // Cargo writes `-C name=value`, as two words.
    let argument = |name: &str| newcomer.argv.iter().find_map(|word| word.as_bytes().strip_prefix(name.as_bytes()));
    ActorFacts {
        kind: identity.kind,
        package_dir: identity.package.as_ref().and_then(|package| package.manifest_dir.clone()),
        outputs: identity.outputs.clone(),
        tmp: tmp.to_owned(),
        program: Some(newcomer.exe.clone()),
        extra_filename: argument("extra-filename=").map(|value| String::from_utf8_lossy(value).into_owned()),
        crate_name: identity.crate_name.clone(),
        linker: argument("linker=").map(|value| PathBuf::from(OsStr::from_bytes(value))),
        reviewed: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_be_trusted_by_name() {
        let places = Places {
            workspace: Some("/home/u/app".into()),
            target: "/home/u/app/target".into(),
            build: "/var/build/app".into(),
            packages: vec!["/home/u/lib".into()],
            cargo_home: "/home/u/.cargo".into(),
            rustup_home: Some("/home/u/.rustup".into()),
            toolchain: "/home/u/.rustup/toolchains/stable".into(),
            tmp: "/tmp/brig-1".into(),
            ..Places::default()
        };
        for (exe, built) in [
            ("/home/u/.rustup/toolchains/stable/bin/cargo", false),
            ("/home/u/.cargo/bin/cargo", false),
            ("/home/u/.cargo/registry/src/idx/x-1.0.0/cargo", true),
            ("/home/u/.cargo/git/checkouts/x/1/cargo-credential-x", true),
            ("/home/u/app/tools/cargo-credential-x", true),
            ("/home/u/lib/cargo", true),
            ("/var/build/app/debug/cargo", true),
            ("/tmp/brig-1/3/cargo", true),
        ] {
            assert_eq!(of_the_build(Path::new(exe), &places), built, "{exe}");
        }
        let helps = |exe: &str, cwd: &str| {
            let newcomer = Newcomer { pid: 1, in_place: false, exe: exe.into(), argv: &[], env: Vec::new(), cwd: cwd.into() };
            is_cargos_helper(&newcomer, &places)
        };
        assert!(helps("/usr/bin/git", "/home/u/.cargo/git/db/x") && !helps("/usr/bin/git", "/home/u/app"));
        assert!(helps("/usr/libexec/cargo-credential-libsecret", "/") && !helps("/home/u/app/tools/cargo-credential-x", "/"));
        assert!(!helps("/dev/shm/cargo-credential-x", "/") && !helps("/tmp/git", "/home/u/.cargo/git/db/x"));
    }
}
