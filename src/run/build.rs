//! One build behind the walls: set the stage, prove the walls, run cargo, end survivors, tell what happened.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};

use super::Stopped;
use super::ending::{self, Ran};
use super::stage::{self, Env};
use super::usher::{Door, tmp_of};
use crate::attribute::Unwinder;
use crate::cli::Options;
use crate::gate::Gate;
use crate::gate::net::Sockets;
use crate::judge::{Journal, Places};
use crate::launch::{self, Cargo};
use crate::model::report::{Costs, Enforcement, Run};
use crate::model::{Exit, Hostile};
use crate::plan::host::{Host, Walls};
use crate::plan::places;
use crate::plan::steering::Steering;
use crate::plan::{self, Profile, config};
use crate::report::json::Output;
use crate::report::{Format, terminal};

/// Runs cargo with `args` behind the walls.
///
/// # Errors
/// Whatever keeps the build from starting, or from being confined.
pub fn build(options: &Options, toolchain: Option<&OsStr>, args: &[OsString], style: terminal::Style) -> Result<Exit, Stopped> {
    // Splitting needs /proc, and some more of what would be found missing later.
    Host::look().able().map_err(Stopped::wall)?;
    launch::keeper::split().context("split into supervisor and keeper")?;
    let began = Instant::now();
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut env: Env = std::env::vars_os().collect();
    refuse_wrappers(&env)?;
    let cargo = stage::find_cargo(&env, toolchain.is_some()).map_err(Stopped::usage)?;
    stage::refuse_foreign_toolchain(&cargo, toolchain, &env).map_err(Stopped::wall)?;
    let args: Vec<OsString> = toolchain.map(OsStr::to_owned).into_iter().chain(args.iter().cloned()).collect();
    let steering = Steering::read(&args);
    let tmp = stage::make_tmp().map_err(Stopped::usage)?;
    let asked = places::ask(&cargo, &steering, &env);
    // While cargo thinks about where the workspace is; judged once the profile is known.
    let host = Host::examine(tmp.path());
    let mut places = stage::find_places(asked, &steering, &env, tmp.path()).map_err(Stopped::usage)?;
    let profile = load_profile(options, &places)?;
    tracing::debug!(?cargo, profile = ?profile.chain, target = ?places.target, build = ?places.build, tmp = ?places.tmp, "set out");

    let (sockets, enforcement) = suffices(&host, options, &profile)?;
    let fresh = options.fresh.then(|| private_target(&mut places, &steering, &mut env)).transpose()?;
    // `cargo clean` takes the report directory with it.
    let cleans = steering.subcommand.as_deref() == Some(OsStr::new("clean"));
    if places.workspace.is_some() && fresh.is_none() && !cleans {
        places.results().try_for_each(|tree| stage::make_target(tree)).map_err(Stopped::usage)?;
    }
    let outputs = prepare(options, &places, cleans)?;

    let run = Run {
        command: [OsString::from("cargo")].into_iter().chain(args.iter().cloned()).map(Hostile::from).collect(),
        mode: profile.mode,
        profile: profile.chain.clone(),
        policy_digest: profile.digest(),
        workspace: places.workspace.as_deref().map(Hostile::from),
        target: Some(Hostile::from(&*places.target)),
        started,
        duration_ms: 0,
        costs: Costs::default(),
    };
    terminal::before(&mut io::stderr().lock(), &run, &enforcement, style).context("write to stderr")?;

    env.retain(|(name, _)| name != "TMPDIR");
    env.push(("TMPDIR".into(), tmp_of(&places.tmp, 0).into_os_string()));
    let journal = Arc::new(Journal::default());
    let unwinder = Arc::new(Unwinder::new());
    let gate = Gate::new(Arc::clone(&journal), Arc::clone(&unwinder), Arc::new(Sockets::only(Some(sockets.name()))))?;
    let mut door = Door::new(&profile, places, (host.abi(), sockets.network()), &gate, Arc::clone(&journal), env.clone(), &cargo)?;
    let fence = Fence::raise();
    let ended = launch::run(&Cargo { path: cargo.clone(), args: args.clone(), env }, &mut door);
    drop(fence);
    let ended = ended.map_err(Stopped::usage)?;
    ending::survivors(&gate, &journal, ended.interrupted);
    gate.close();
    if let Some(failure) = ended.failure {
        return Err(Stopped::wall(failure));
    }
    drop(fresh);
    let ran = Ran { run, host, enforcement, cargo, steering, cargo_exit: ended.code, began, unwinder };
    ending::tell(ran, &door, &outputs, style)
}

/// Known before anything starts: a wrapper set in the environment. One from a configuration file is met at the door.
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

fn load_profile(options: &Options, places: &Places) -> Result<Profile, Stopped> {
    let file = config::find(places.workspace.as_deref(), options.config.as_deref())?;
    let written = file.as_deref().map(config::read).transpose()?.unwrap_or_default();
    let name = options.policy.clone().or(written.policy).unwrap_or_else(|| "default".into());
    let mut profile = plan::load(&name, file.as_deref())?;
    if let Some(mode) = options.mode.or(written.mode) {
        profile.mode = mode;
    }
    Ok(profile)
}

/// Whether what this kernel can enforce, proved on it, is what the profile requires.
fn suffices(host: &Host, options: &Options, profile: &Profile) -> Result<(plan::host::Sockets, Enforcement), Stopped> {
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
    Ok((sockets, Enforcement { landlock_abi: host.abi(), probed: true, sockets: sockets.name().into(), degraded }))
}

/// `--fresh`: a target directory of this run's own, so that every script and macro runs; removed when dropped.
fn private_target(places: &mut Places, steering: &Steering, env: &mut Env) -> Result<tempfile::TempDir, Stopped> {
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
    Ok(dir)
}

/// Every file that will be written is opened now: a bad path must not be found out after an hour of building.
fn prepare(options: &Options, places: &Places, cleans: bool) -> Result<Vec<(Format, Output)>, Stopped> {
    let directory = options.report_dir.clone().unwrap_or_else(|| places.report_dir.clone());
    let mut outputs = Vec::new();
    for (format, path) in options.outputs() {
        outputs.push((format, Output::prepare(path).map_err(Stopped::usage)?));
    }
    if cleans && options.report_dir.is_none() {
        return Ok(outputs);
    }
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("make the report directory {} (`--report-dir` names another)", directory.display()))
        .map_err(Stopped::usage)?;
    for (format, name) in [(Format::Json, "report.json"), (Format::Html, "report.html")] {
        outputs.push((format, Output::prepare_in(&directory, name).map_err(Stopped::usage)?));
    }
    Ok(outputs)
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
