//! One build behind the walls: set the stage, prove the walls, run cargo, end survivors, tell what happened.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};

use super::asked::platforms;
use super::barring::Bars;
use super::bounded::limits;
use super::chosen::Chosen;
use super::committed;
use super::ending::{self, Ran};
use super::excepting::Excepting;
use super::fetch::{Wanted, fetch};
use super::given::Given;
use super::job;
use super::layers::Layers;
use super::live;
use super::outputs::Outputs;
use super::repository;
use super::screen::Screen;
use super::sinking;
use super::stage::{self, Env};
use super::stopped::Stopped;
use super::streams::Heedless;
use super::supervisor::Supervisor;
use super::watch::Watch;
use crate::attribute::Unwinder;
use crate::cli::Options;
use crate::gate::Gate;
use crate::gate::net::Sockets;
use crate::judge::{Journal, Places};
use crate::launch::{self, Cargo};
use crate::model::barred::{Barred, Barring};
use crate::model::report::{self, Costs, Enforcement, Loosened, Run};
use crate::model::{Exit, Hostile, Mode, Reach};
use crate::plan::cargo_prepared::Prepared;
use crate::plan::cargo_stand::Stand;
use crate::plan::cargo_wall::CargoWall;
use crate::plan::errand::Errand;
use crate::plan::exceptions::day::Day;
use crate::plan::exceptions::lock::Locked;
use crate::plan::host::{Host, Walls};
use crate::plan::phases::Phases;
use crate::plan::steering::Steering;
use crate::plan::{self, Profile, compiler_caches, config, histories, places, remembered};
use crate::report::terminal::Verbosity;
use crate::report::{escape, terminal};
use crate::wall::cargos::{Files, Stops};
use crate::wall::ruleset;

/// Runs cargo with `args` behind the walls.
///
/// # Errors
/// Whatever keeps the build from starting, or from being confined.
pub fn build(
    options: &Options,
    toolchain: Option<&OsStr>,
    args: &[OsString],
    layers: Layers,
    style: terminal::Style,
) -> Result<Exit, Stopped> {
    // Splitting needs /proc, and some more of what would be found missing later.
    Host::look().able().map_err(Stopped::wall)?;
    launch::keeper::split().context("split into supervisor and keeper")?;
    let began = Instant::now();
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut env: Env = std::env::vars_os().collect();
    refuse_wrappers(&env)?;
    let args: Vec<OsString> = toolchain.map(OsStr::to_owned).into_iter().chain(args.iter().cloned()).collect();
    let mut steering = Steering::read(&args);
    steering.bootstraps = env.iter().any(|(name, _)| name == "RUSTC_BOOTSTRAP");
    let errand = Errand::read(&args);
    stage::refuse_quoted(&steering, &errand, &env)?;
    let cargo = stage::find_cargo(&env, toolchain.is_some()).map_err(Stopped::usage)?;
    let root = stage::refuse_foreign_toolchain(&cargo, toolchain, &env).map_err(Stopped::wall)?;
    stage::name_toolchain(&cargo, &mut env).map_err(Stopped::wall)?;
    let tmp = stage::make_tmp().map_err(Stopped::usage)?;
    let compiler = root.as_ref().map(|root| root.join("bin/rustc")).filter(|rustc| rustc.is_file());
    let platforms = platforms(root.as_deref(), &steering, &env);
    let asked = places::ask(&cargo, &steering, &env, (platforms.as_deref(), root.as_deref()));
    // While cargo thinks about where the workspace is; judged once the profile is known.
    let host = Host::examine(tmp.path());
    let mut answer = asked.answer();
    let graph = answer.graph.take();
    let mut places = stage::find_places(answer, &steering, &env, tmp.path()).map_err(Stopped::usage)?;
    let Chosen { profile, timeout, loosened, floors, exceptions, malicious, accepted, imports, held } = Chosen::read(options, &places)?;
    tracing::debug!(?cargo, profile = ?profile.chain, target = ?places.target, build = ?places.build, tmp = ?places.tmp, "set out");

    let phases = Phases::of(&steering, profile.cargo.network, graph.is_none() && places.workspace.is_some());
    // What takes a package out of the workspace, or only looks, runs nobody's code.
    let runs = !phases.network || phases.weakness().is_some();
    let locked = places.workspace.as_deref().filter(|_| runs).map(Locked::read).transpose()?.flatten();
    let bars = if runs { Bars::new(exceptions.denials.clone(), malicious).accepting(accepted, imports, held) } else { Bars::default() };
    let bars = Rc::new(bars);
    let revealed = exceptions.revealed(Day::today());
    let digest = exceptions.digest(profile.digest());
    let excepting = Excepting::new(exceptions, &places, locked.as_ref(), Day::today())?;
    plan::cargo_stand::refuse_misled(&places, &errand).map_err(Stopped::usage)?;
    let entrusted = if phases.network || phases.fetch { stage::refuse_steered(&steering, &places, &env)? } else { Vec::new() };
    let (sockets, mut enforcement) = suffices(&host, options, &profile, (loosened, floors))?;
    if options.lure.is_some() && sockets.name() != "private-network" {
        let cause =
            anyhow!("decoys need a network of their own for whoever takes them, and this machine has none to give: {}", sockets.name());
        return Err(Stopped::wall(cause));
    }
    enforcement.degraded.extend(entrusted);
    enforcement.degraded.extend(options.weaker.iter().cloned());
    enforcement.degraded.extend(phases.weakness());
    let fresh = options.fresh.then(|| private_target(&mut places, &steering, &mut env)).transpose()?;
    // `cargo clean` takes the report directory with it.
    let cleans = steering.subcommand.as_deref() == Some(OsStr::new("clean"));
    if places.workspace.is_some() && fresh.is_none() && !cleans {
        places.results().try_for_each(|tree| stage::make_target(tree)).map_err(Stopped::usage)?;
    }
    refuse_links(&profile, &places)?;
    let outputs = Outputs::prepare(options, &places, cleans)?;
    let reach = reach(options, &steering, &places);

    let within = places.workspace.as_deref().map(|workspace| repository::below(workspace, &env));
    let within = within.filter(|within| !within.as_os_str().is_empty());
    let mut run = Run {
        id: String::new(),
        command: [OsString::from("cargo")].into_iter().chain(args.iter().cloned()).map(Hostile::from).collect(),
        mode: profile.mode,
        profile: profile.chain.clone(),
        policy_digest: digest,
        workspace: places.workspace.as_deref().map(Hostile::from),
        within: within.map(Hostile::from),
        target: Some(Hostile::from(&*places.target)),
        source: committed::source(places.workspace.as_deref().filter(|_| options.lure.is_none())),
        job: job::named(&env).as_deref().map(Hostile::from),
        started,
        duration_ms: 0,
        fresh: options.fresh,
        timeout_ms: timeout.map(|limit| limit.as_millis() as u64),
        phases: report::Phases { fetched: phases.fetch, offline: !phases.network, wanted: 0 },
        costs: Costs::default(),
    };
    terminal::before(&mut Heedless(io::stderr().lock()), &run, &enforcement, style).context("write to stderr")?;

    env.retain(|(name, _)| name != "TMPDIR");
    env.push(("TMPDIR".into(), places.cargos_tmp().into_os_string()));
    compiler_caches::leave_out(&mut env);
    histories::leave_out(&mut env);
    let journal = Arc::new(if options.lure.is_some() { Journal::of_a_trial() } else { Journal::default() });
    let unwinder = Arc::new(Unwinder::new());
    let sink = match &options.lure {
        Some(lure) => Some(sinking::among_decoys(lure, &mut env)?),
        None => options.sink.as_deref().map(|dir| sinking::open(dir, profile.mode, sockets)).transpose()?,
    };
    let inet = Sockets::only(Some(sockets.name())).sinking(sink.clone());
    let gate = Gate::new(Arc::clone(&journal), Arc::clone(&unwinder), Arc::new(inet))?;
    let watch = Watch::default();
    let walls = (host.abi(), sockets.network());
    let typed = phases.arguments(&steering, &args);
    let (cargos, absent) = phases.environment(&steering, &env, &profile.environment_passing(&revealed));
    let ours = phases.variable(&steering);
    // What a wall may grant has to be there when it is built: each phase has its own, built when it begins.
    let (ground, stands) = (places.clone(), layers.wall);
    let programs = excepting.programs(&places);
    // Could somebody in this build write down what the next one believes of its graph?
    let exposed = Cell::new(false);
    let wall_for = |errand: &Errand| -> anyhow::Result<(Prepared, CargoWall, Option<OwnedFd>)> {
        let trusted = phases.network || errand.name == "fetch" || !revealed.is_empty();
        let stand = Stand::new(&ground, &steering, errand, &env, trusted);
        let prepared = Prepared::new(&stand);
        let mut wall = CargoWall::new(&profile, &stand, &env, &cargo);
        wall.grants.read.extend(programs.iter().cloned());
        if let Some(lure) = &options.lure {
            let trees = || lure.more.iter().chain([&lure.root]).cloned();
            wall.grants.read.extend(trees().chain([lure.certificate()]));
            wall.grants.write.extend(trees());
        }
        tracing::debug!(errand = errand.name, read = ?wall.grants.read, write = ?wall.grants.write, "cargo's own wall");
        if !stands || profile.mode == Mode::Observe || !remembered::is_apart(&env, &ground, &wall.grants) {
            exposed.set(true);
            remembered::forget(&env);
        }
        let ruleset = ruleset::of_cargo(&wall.grants, &wall.emptied, &wall.listed, host.abi(), profile.mode != Mode::Observe)?;
        Ok((prepared, wall, stands.then_some(ruleset)))
    };
    let started = (&*cargo, steering.clone());
    let supervisor = Supervisor::new(&profile, places, walls, (&gate, &watch), Arc::clone(&journal), env.clone(), started)?;
    let mut supervisor =
        supervisor.behind(layers).excepting(excepting, Rc::clone(&bars)).giving(Given::look(args.iter().map(OsString::as_os_str)));
    supervisor.limits = options.lure.as_ref().map(|lure| limits(&lure.limits));
    supervisor.reviewing.said(graph);
    // A stderr that is gone loses a hint, nothing else.
    let tell = |unaccepted: Vec<Barred>| {
        drop(terminal::unaccepted(&mut io::stderr().lock(), &unaccepted, style));
        drop(terminal::imported(&mut io::stderr().lock(), (&bars.vouched(), &bars.unpinned()), style));
    };
    let fence = Fence::raise();
    let screen = Screen::look();
    let ended = thread::scope(|scope| {
        // A thread that cannot be had costs the time limit, so the build must not begin without one.
        let clock = thread::Builder::new().name("clock".into()).stack_size(CLOCK_STACK);
        clock.spawn_scoped(scope, || watch.watch(&gate, &journal, timeout, style)).context("start a thread")?;
        let _ending = watch.ending();
        let mut _reading = None;
        if options.live && style.verbosity != Verbosity::Quiet {
            let (heard, journal) = (journal.listen(), &*journal);
            _reading = Some(live::reading(journal));
            let reader = thread::Builder::new().name("live".into()).stack_size(CLOCK_STACK);
            reader.spawn_scoped(scope, move || live::tell(&heard, journal, style)).context("start a thread")?;
        }
        if phases.fetch {
            let (prepared, wall, ruleset) = wall_for(&Errand { name: "fetch".into(), ..Errand::default() })?;
            supervisor.enter(wall);
            let platforms = platforms.as_deref().unwrap_or_default();
            let wanted = Wanted { cargo: &cargo, steering: &steering, platforms, compiler, env: &env, wall: ruleset };
            let fetched = fetch(wanted, &mut supervisor)?;
            drop(prepared);
            if fetched.graph.is_none() && !fetched.partly {
                return Ok(fetched.ended);
            }
            // What was not known before; and what is told of whoever must not be there.
            supervisor.reviewing.said(fetched.graph);
            let locked = ground.workspace.as_deref().filter(|_| runs).map(Locked::read).transpose()?.flatten();
            bars.look(locked, supervisor.reviewing.told()).map(tell)?;
            if fetched.partly {
                terminal::partly_fetched(&mut Heedless(io::stderr().lock()), style).context("write to stderr")?;
            }
        } else {
            bars.look(locked, supervisor.reviewing.told()).map(tell)?;
        }
        let (_prepared, wall, ruleset) = wall_for(&errand)?;
        supervisor.enter(wall);
        if !phases.network {
            supervisor.offline(cargos.clone(), ours, absent);
        }
        // Cargo that only builds reads much. Elsewhere what it reads goes somewhere: into archives, `vendor/`, and sources that it fixes.
        let files = match &*errand.name {
            "clean" => Files::None,
            "fix" => Files::Read,
            _ if phases.network => Files::Read,
            _ => Files::Changed,
        };
        let stops = Stops { network: !phases.network, files };
        let starts = Cargo { path: cargo.clone(), args: typed, env: cargos, wall: ruleset, stops, stdout: None };
        launch::run(&starts, &mut supervisor)
    });
    // Before anything else: whoever outlives cargo acts now.
    if let Ok(ended) = &ended {
        ending::survivors(&gate, &journal, ended.interrupted || watch.timed_out());
    }
    if exposed.get() {
        remembered::forget(&env);
    }
    supervisor.listen();
    screen.settle();
    drop(fence);
    let (mut ended, mut barred) = match ended.map_err(anyhow::Error::downcast::<Barring>) {
        Ok(ended) => (Some(ended), None),
        Err(Ok(barred)) => (None, Some(barred)),
        Err(Err(error)) => return Err(Stopped::met(error, Stopped::usage)),
    };
    gate.close();
    if let Some(sink) = sink {
        let pids: HashMap<u32, u32> = journal.snapshot().actors.iter().map(|actor| (actor.id.0, actor.pid)).collect();
        sink.finish(&|actor| pids.get(&actor).copied().unwrap_or(0)).context("write down what was sent").map_err(Stopped::usage)?;
    }
    if let Some(failure) = ended.as_mut().and_then(|ended| ended.failure.take()) {
        match failure.downcast::<Barring>() {
            Ok(found) => barred = Some(found),
            // Whoever broke a rule before does not get away without a report by breaking the build.
            Err(failure) if journal.snapshot().breaches.is_empty() => return Err(Stopped::met(failure, Stopped::wall)),
            Err(failure) => journal.lost(&format!("the build was stopped: {failure:#}")),
        }
    }
    drop(fresh);
    run.phases.wanted = ended.as_ref().map_or(0, |ended| ended.refused);
    if run.phases.wanted > 0 {
        // A stderr that is gone loses a hint, nothing else.
        let _ = terminal::wanted_network(&mut io::stderr().lock(), run.phases.wanted, style);
    }
    let (cargo_exit, barred) = (ended.map(|ended| ended.code), barred.map(|barred| barred.0).unwrap_or_default());
    let require_run = options.require_run && runs;
    let ran = Ran {
        run,
        host,
        enforcement,
        cargo,
        cargo_exit,
        barred,
        typed: options.policy.is_some(),
        require_run,
        timed_out: watch.timed_out(),
        began,
        unwinder,
        reach,
    };
    let told = ending::tell(ran, &mut supervisor, &outputs, style);
    if options.lure.is_some() {
        tmp.leave();
    }
    told
}

/// How a command that is typed here finds the report of this run. What cargo alone is told of where it works (`--manifest-path`, `--target-dir`, `--config`) no
/// such command knows.
fn reach(options: &Options, steering: &Steering, places: &Places) -> Reach {
    let elsewhere = steering.start().is_some() || steering.target_dir.is_some() || !steering.configured().is_empty();
    let here = std::env::current_dir().unwrap_or_default();
    let short = |path: &Path| path.strip_prefix(&here).unwrap_or(path).to_owned();
    let its = |workspace: &Path| config::find(Some(workspace), None).ok().flatten().unwrap_or_else(|| workspace.join("brig.toml"));
    let its = places.workspace.as_deref().filter(|_| steering.start().is_some()).map(its);
    Reach {
        // What is taken away again is nothing to be named.
        report_dir: options.report_dir.clone().filter(|_| !options.passing).or_else(|| elsewhere.then(|| short(&places.report_dir))),
        config: options.config.clone().or_else(|| its.as_deref().map(short)),
        ..Reach::default()
    }
}

/// What the clock does is little.
const CLOCK_STACK: usize = 256 << 10;

/// Known before anything starts: a wrapper set in the environment. One from a configuration file is met at its exec stop.
fn refuse_wrappers(env: &Env) -> Result<(), Stopped> {
    for name in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER"] {
        if let Some(value) = stage::variable(env, name) {
            return Err(Stopped::wall(anyhow!(
                "{name}={} wraps the compiler, and a wrapper such as sccache compiles in a server outside every wall\n  help: run without it: `env -u {name} cargo brig …`",
                value.to_string_lossy()
            )));
        }
    }
    Ok(())
}

/// A grant below the target directory or in the workspace is that very directory. Nothing of a build can lay a link there any more; whoever did,
/// before or without us, wanted the next build to write to where it leads.
fn refuse_links(profile: &Profile, places: &Places) -> Result<(), Stopped> {
    let found = plan::linked(&profile.actors, places).into_iter().find(|_| profile.mode != Mode::Observe);
    found.map_or(Ok(()), |link| {
        let shown = Hostile::from(&*link);
        Err(Stopped::wall(anyhow!(
            "a symbolic link stands where profile `{}` grants a directory: {}\n  help: it would open what it leads to; look who made it, and remove it",
            escape::ours(&profile.name),
            escape::quoted(&shown)
        )))
    })
}

/// Whether what this kernel can enforce, proved on it, is what the profile requires.
fn suffices(
    host: &Host,
    options: &Options,
    profile: &Profile,
    (loosened, floors): (Option<Loosened>, Vec<Hostile>),
) -> Result<(plan::host::Sockets, Enforcement), Stopped> {
    host.able().map_err(Stopped::wall)?;
    if !options.allow_degraded {
        host.require(profile.require.landlock).map_err(Stopped::wall)?;
    }
    let sockets = host.sockets.context("find out how sockets can be kept in")?;
    tracing::debug!(kernel = host.kernel, landlock = host.abi(), sockets = sockets.name(), "this machine");
    if !matches!(host.walls, Some(Walls::Hold { .. })) {
        return Err(Stopped::wall(anyhow!("the walls were not tried")));
    }
    let degraded = host.weaknesses(sockets);
    Ok((
        sockets,
        Enforcement {
            landlock_abi: host.abi(),
            probed: true,
            sockets: sockets.name().into(),
            degraded,
            loosened,
            floors,
            vouched: Vec::new(),
        },
    ))
}

/// `--fresh`: a target directory of this run's own, so that every script and macro runs; removed when dropped.
fn private_target(places: &mut Places, steering: &Steering, env: &mut Env) -> Result<stage::Filled, Stopped> {
    if steering.target_dir.is_some() {
        return Err(Stopped::usage(anyhow!("`--fresh` brings a target directory of its own: leave `--target-dir` out")));
    }
    let parent = places.target.parent().unwrap_or(Path::new("/")).to_owned();
    let parent = if places.workspace.is_some() {
        stage::make_target(&places.target).map_err(Stopped::usage)?;
        places.target.clone()
    } else {
        parent
    };
    let dir = tempfile::Builder::new()
        .prefix("brig-fresh-")
        .tempdir_in(&parent)
        .context("make a private target directory")
        .map_err(Stopped::usage)?;
    places.target = plan::places::real(dir.path().to_owned());
    places.build = places.target.clone();
    for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR", "CARGO_BUILD_TARGET_DIR"] {
        env.retain(|(known, _)| known != name);
        env.push((name.into(), places.target.clone().into_os_string()));
    }
    Ok(dir.into())
}

/// On GitHub Actions, lines of the build that look like workflow commands are not obeyed while this stands.
struct Fence(Option<String>);

impl Fence {
    fn raise() -> Self {
        let token = ending::on_github_actions()
            .then(|| tempfile::Builder::new().rand_bytes(24).make(|path| Ok(path.to_owned())).ok())
            .flatten()
            .and_then(|name| Some(name.path().file_name()?.to_str()?.trim_start_matches('.').to_owned()));
        if let Some(token) = &token {
            let _ = writeln!(io::stderr(), "::stop-commands::{token}");
        }
        Fence(token)
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        if let Some(token) = &self.0 {
            let _ = writeln!(io::stderr(), "::{token}::");
        }
    }
}
