//! What is set up before a build and taken down after it: the run's private directories, cargo's environment, the files reports go to.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tempfile::TempDir;

use super::stopped::Stopped;
use crate::judge::Places;
use crate::launch::search;
use crate::model::Exit;
use crate::model::report::Weakness;
use crate::plan::errand::Errand;
use crate::plan::placeholders;
use crate::plan::places::{self, Answer};
use crate::plan::rustup::is_rustup;
use crate::plan::steering::Steering;
use crate::plan::users_tools::Told;
use crate::plan::whose::{Ground, Words};
use crate::plan::{installed, mounts, quoted, steered};
use crate::sys::{sweep, walled};

pub type Env = Vec<(OsString, OsString)>;

/// Cargo writes this into a target directory it makes; where we make it first, so do we (cargo-util, `paths::create_dir_all_excluded_from_backups_atomic`).
const CACHE_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This file is a cache directory tag created by cargo.\n\
    # For information about cache directory tags see https://bford.info/cachedir/\n";

/// Files through which one step of a CI job commands the next.
const CI_FILES: [&str; 5] = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];
/// For rustup to say which toolchain it runs.
const RUSTUP: Duration = Duration::from_secs(3600);
const AGENTS: [&str; 3] = ["SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DOCKER_HOST"];

pub fn variable<'e>(env: &'e Env, name: &str) -> Option<&'e OsStr> {
    env.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
}

/// The cargo to run: the one that called us, else the first on `PATH`. A `+toolchain` is for rustup's shim, which is found there.
///
/// # Errors
/// When there is none.
pub fn find_cargo(env: &Env, toolchain: bool) -> Result<PathBuf> {
    if let Some(cargo) = variable(env, "CARGO").filter(|_| !toolchain) {
        return Ok(cargo.into());
    }
    let path = variable(env, "PATH").unwrap_or_default();
    search(OsStr::new("cargo"), path).ok_or_else(|| anyhow!("there is no `cargo` on PATH"))
}

/// Before anything reads them: are there links among the files that cargo and rustup quote?
///
/// # Errors
/// With the link (exit 96: the configuration is not one to build with).
pub fn refuse_quoted(steering: &Steering, errand: &Errand, env: &Env) -> Result<(), Stopped> {
    let home = variable(env, "HOME").map(PathBuf::from);
    let cargo_home = variable(env, "CARGO_HOME").map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(".cargo")));
    let here = std::env::current_dir().unwrap_or_default();
    // Configuration and toolchain are looked for from where cargo is started, manifests from where it is told to work.
    for start in std::iter::once(here.clone()).chain(steering.start().map(|start| here.join(start))) {
        let found = quoted::check(&start, home.as_deref(), cargo_home.as_deref().unwrap_or(Path::new("")), errand.packs());
        found.map_err(|link| Stopped { exit: Exit::Config, cause: link.into() })?;
    }
    Ok(())
}

/// Before cargo has a network: does the repository say where the user's credentials go? Tokens for registries that only it names are in the answer.
///
/// # Errors
/// With the word that does (exit 96).
pub fn refuse_steered(steering: &Steering, places: &Places, env: &Env) -> Result<Vec<Weakness>, Stopped> {
    let here = std::env::current_dir().unwrap_or_default();
    // `cargo install` reads the configuration of what it installs, or its home's alone.
    let start = match (&steering.subcommand, &steering.path) {
        (Some(told), Some(path)) if told == "install" => places::real(here.join(path)),
        (Some(told), None) if told == "install" => places.cargo_home.clone(),
        _ => here,
    };
    let typed = steering.configured();
    let workspace = places.workspace.as_deref();
    let ground = Ground { here: &start, home: places.home.as_deref(), cargo_home: &places.cargo_home, workspace, typed: &typed };
    let words = Words::read(&ground);
    let found = steered::check(&words, places.home.as_deref(), &places.cargo_home, env);
    found.map_err(|word| Stopped { exit: Exit::Config, cause: word.into() })?;
    Ok(steered::entrusted(&words, &places.cargo_home, env))
}

/// A repository's `rust-toolchain.toml` may name a toolchain by its path, and rustup would run the cargo it finds there: before any wall
/// stands. Where rustup chooses, its choice must be one of the toolchains the user installed.
///
/// # Errors
/// When it is not, with the way out. Otherwise the answer is where the toolchain lies, if that can be told.
pub fn refuse_foreign_toolchain(cargo: &Path, toolchain: Option<&OsStr>, env: &Env) -> Result<Option<PathBuf>> {
    let program = if is_rustup(cargo) { chosen_toolchain(cargo, "cargo", toolchain, env)? } else { Some(places::real(cargo.to_owned())) };
    Ok(program.and_then(|program| Some(program.parent()?.parent()?.to_owned())))
}

/// Where cargo was not started by rustup's shim (an editor names a toolchain's own), the `rustc` it finds on `PATH` may be one all the same.
/// What that shim would choose is said to cargo here, as its own shim would have said it: then cargo starts the compiler itself, and no
/// shim has to find out behind a compiler's wall.
///
/// # Errors
/// As for [`refuse_foreign_toolchain`].
pub fn name_toolchain(cargo: &Path, env: &mut Env) -> Result<()> {
    if is_rustup(cargo) || variable(env, "RUSTUP_TOOLCHAIN").is_some() {
        return Ok(());
    }
    let shim = search(OsStr::new("rustc"), variable(env, "PATH").unwrap_or_default()).filter(|rustc| is_rustup(rustc));
    let chosen = shim.map(|shim| chosen_toolchain(&shim, "rustc", None, env)).transpose()?.flatten();
    let name = chosen.as_deref().and_then(|rustc| rustc.parent()?.parent()?.file_name());
    if let Some(name) = name.map(OsStr::to_owned) {
        env.retain(|(known, _)| known != "RUSTUP_TOOLCHAIN");
        env.push(("RUSTUP_TOOLCHAIN".into(), name));
    }
    Ok(())
}

/// The `program` of an installed toolchain that rustup would run here; nothing where it cannot say.
fn chosen_toolchain(shim: &Path, program: &str, toolchain: Option<&OsStr>, env: &Env) -> Result<Option<PathBuf>> {
    let mut command = Command::new(places::real(shim.to_owned()));
    command.arg0("rustup").arg("which");
    if let Some(name) = toolchain.and_then(|name| name.as_bytes().strip_prefix(b"+")) {
        command.arg("--toolchain").arg(OsStr::from_bytes(name));
    }
    command.arg(program).env_clear().envs(env.iter().cloned()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // It may fetch a toolchain first.
    let output = walled::Running::start(&mut command, RUSTUP).and_then(walled::Running::output);
    // What rustup cannot resolve it will not run either, and says so itself.
    let Some(output) = output.ok().filter(|output| output.status.success()) else { return Ok(None) };
    let chosen = Path::new(OsStr::from_bytes(output.stdout.trim_ascii_end())).to_owned();
    let home = variable(env, "RUSTUP_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(variable(env, "HOME")?).join(".rustup")));
    let toolchains = home.map(|home| home.join("toolchains"));
    let is_below = |tree: PathBuf| [tree.clone(), places::real(tree)].iter().any(|tree| chosen.starts_with(tree));
    // As rustup says it: an installed toolchain may be a link of the user's. A way up out of that directory is none that rustup takes by itself, and leads
    // wherever the repository likes.
    let climbs = chosen.components().any(|part| part == Component::ParentDir);
    if !climbs && toolchains.is_some_and(is_below) {
        return Ok(Some(chosen));
    }
    bail!(
        "the toolchain chosen here is no installed one: {}\n  \
         help: a `rust-toolchain` file of the repository names it by path; say which to use: `cargo-brig +stable …`, or set RUSTUP_TOOLCHAIN",
        chosen.display()
    )
}

/// A directory that actors fill; removed when dropped, whatever they left in it.
pub struct Filled(TempDir);

impl Filled {
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Filled {
    /// What actors left in it is wanted: whoever does takes it away.
    pub fn leave(self) {
        let mut this = std::mem::ManuallyDrop::new(self);
        this.0.disable_cleanup(true);
    }
}

impl From<TempDir> for Filled {
    fn from(dir: TempDir) -> Filled {
        Filled(dir)
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        sweep::empty(self.0.path());
    }
}

/// The run's temporary directory, with cargo's own below it.
///
/// # Errors
/// When it cannot be made.
pub fn make_tmp() -> Result<Filled> {
    let tmp = tempfile::Builder::new().prefix("brig-").permissions(std::fs::Permissions::from_mode(0o700)).tempdir();
    let tmp = tmp.context("make a temporary directory")?;
    let cargos = Places::tmp_of(tmp.path(), 0);
    std::fs::create_dir(&cargos).with_context(|| format!("make {}", cargos.display()))?;
    Ok(tmp.into())
}

/// Completes the places with what the environment says, once the toolchain is as good as known.
pub fn find_places(answer: Answer, steering: &Steering, env: &Env, tmp: &Path) -> Result<Places> {
    let mut places = places::find(answer, steering, env, tmp)?;
    places.ci_files = CI_FILES.iter().filter_map(|name| variable(env, name)).map(|path| places::real(path.into())).collect();
    places.agents = AGENTS.iter().filter_map(|name| variable(env, name)).map(socket).filter(|path| path.is_absolute()).collect();
    places.second = mounts::second_paths(&places);
    places.path_dirs = placeholders::path_dirs(variable(env, "PATH").unwrap_or_default(), &places);
    places.installed = installed::of_path(&places.path_dirs, &places);
    let (here, typed) = (std::env::current_dir().unwrap_or_default(), steering.configured());
    let (home, workspace) = (places.home.as_deref(), places.workspace.as_deref());
    let ground = Ground { here: &here, home, cargo_home: &places.cargo_home, workspace, typed: &typed };
    let named = Told::read(steering, env, &ground).programs();
    places.installed.extend(installed::of_named(named, &places));
    if places.workspace.is_none() {
        // `cargo install`, or a directory without a workspace: there is no target directory of anybody's to put reports into.
        let state =
            variable(env, "XDG_STATE_HOME").map(PathBuf::from).or_else(|| places.home.as_ref().map(|home| home.join(".local/state")));
        places.report_dir = places::real(state.unwrap_or_else(|| tmp.to_owned()).join("brig"));
    }
    Ok(places)
}

/// `unix:///run/docker.sock`, `/tmp/agent:0:1`, or a plain path.
fn socket(text: &OsStr) -> PathBuf {
    let text = text.to_string_lossy();
    let path = text.strip_prefix("unix://").unwrap_or(&text);
    places::real(path.split(':').next().unwrap_or_default().into())
}

/// Makes the target directory as cargo would have made it: the walls are built around what exists.
///
/// # Errors
/// When it cannot be made.
pub fn make_target(target: &Path) -> Result<()> {
    if target.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(target).with_context(|| format!("make the target directory {}", target.display()))?;
    std::fs::write(target.join("CACHEDIR.TAG"), CACHE_TAG).with_context(|| format!("write into {}", target.display()))
}
