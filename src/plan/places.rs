//! Where things are: the workspace and its target directory (asked of cargo), cargo's and rustup's homes, the run's private temporary
//! directory. In: what steers cargo, and its environment. Out: `judge::Places`, all paths real.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::judge::Places;
use crate::plan::own_calls;
pub use crate::plan::reals::real;
use crate::plan::remembered::{Asking, Known, Package, Question};
use crate::plan::results::Workspace;
use crate::plan::steering::Steering;
use crate::plan::whose::{self, Words};
use crate::sys::walled::{PATIENCE, Running};

/// The few fields of `cargo metadata` that matter here.
#[derive(Debug, Deserialize, Serialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    build_directory: Option<PathBuf>,
    workspace_members: Vec<String>,
    packages: Vec<Listed>,
}

/// Of the workspace, or, where the graph was asked for, of any source.
#[derive(Debug, Deserialize, Serialize)]
struct Listed {
    id: String,
    name: String,
    source: Option<String>,
    manifest_path: PathBuf,
}

impl Metadata {
    fn members(&self) -> impl Iterator<Item = &Path> {
        let ids: HashSet<&String> = self.workspace_members.iter().collect();
        self.packages.iter().filter(move |package| ids.contains(&package.id)).filter_map(|package| package.manifest_path.parent())
    }
}

/// Cargo, asked where the workspace is, and perhaps for all of the graph, and thinking. Where there is no graph to be had, it is asked again.
#[derive(Default)]
pub struct Asked {
    thinking: Option<Running>,
    again: Option<Command>,
    /// The answer is known already …
    known: Option<(Metadata, String)>,
    /// … or will be kept.
    asking: Option<Asking>,
}

/// What it said.
#[derive(Default)]
pub struct Answer {
    metadata: Option<Metadata>,
    /// All of it, where everything that belongs to the graph is here and the lock file is as it is to be.
    pub graph: Option<String>,
}

/// What cargo answered (see [`ask`]), completed with the environment. Without a workspace (or with a broken manifest) cargo itself will
/// say so when it runs: then the places hold none, and the target is the current directory's.
///
/// # Errors
/// When a directory that must exist cannot be made or resolved.
pub fn find(answer: Answer, steering: &Steering, env: &[(OsString, OsString)], tmp: &Path) -> Result<Places> {
    let variable = |name: &str| {
        env.iter().find(|(key, _)| key == name).map(|(_, value)| PathBuf::from(value)).filter(|value| !value.as_os_str().is_empty())
    };
    let here = std::env::current_dir().context("find the current directory")?;
    let home = variable("HOME").map(real);
    let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
    let installs = steering.subcommand.as_deref() == Some(OsStr::new("install"));
    let metadata = answer.metadata;
    let target = match (&steering.target_dir, &metadata) {
        (Some(dir), _) => here.join(dir),
        (None, Some(metadata)) => metadata.target_directory.clone(),
        // `cargo install` builds in a directory of its own below TMPDIR, unless it is told otherwise.
        (None, None) if installs => variable("CARGO_TARGET_DIR").map_or_else(|| tmp.to_owned(), |dir| here.join(dir)),
        (None, None) => variable("CARGO_TARGET_DIR").map_or_else(|| here.join("target"), |dir| here.join(dir)),
    };
    // Without `build.build-dir` it follows `--target-dir`, which `cargo metadata` is not told.
    let build = metadata.as_ref().and_then(|found| found.build_directory.clone().filter(|build| *build != found.target_directory));
    let mut names = vec![target.clone()];
    names.extend(build.clone());
    names.extend(metadata.as_ref().map(|metadata| metadata.workspace_root.clone()));
    names.extend(variable("CARGO_HOME").or_else(|| Some(variable("HOME")?.join(".cargo"))));
    let names =
        names.into_iter().map(|name| (name.clone(), real(name))).filter(|(name, real)| name.is_absolute() && name != real).collect();
    let target = real(target);
    for tree in metadata.iter().map(|metadata| real(metadata.workspace_root.clone())).chain(home.clone()) {
        // A repository's configuration may say so; and what lies in the target directory everybody may read.
        ensure!(
            target == tree && home.as_ref() != Some(&tree) || !tree.starts_with(&target),
            "the target directory {} holds {}: name another with `--target-dir` or `CARGO_TARGET_DIR`",
            target.display(),
            tree.display()
        );
    }
    let build = build.map(real);
    let members: Vec<PathBuf> = metadata.iter().flat_map(Metadata::members).map(|dir| real(dir.to_owned())).collect();
    let cargo_home = variable("CARGO_HOME").or_else(|| in_home(".cargo")).map(real).unwrap_or_default();
    let rustup_home = variable("RUSTUP_HOME").or_else(|| in_home(".rustup")).map(real);
    if let Some(metadata) = &metadata {
        let root = real(metadata.workspace_root.clone());
        let start = if installs { steering.path.as_ref().map_or_else(|| here.clone(), |path| real(here.join(path))) } else { here.clone() };
        let typed = steering.configured();
        let ground = whose::Ground { here: &start, home: home.as_deref(), cargo_home: &cargo_home, workspace: Some(&root), typed: &typed };
        let words = Words::read(&ground);
        // Typed, in the environment, or in the user's own configuration: then the user says where, and not a file the repository brought along.
        let in_env = |names: &[&str]| names.iter().any(|name| variable(name).is_some());
        let target_named = steering.target_dir.is_some()
            || in_env(&["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"])
            || words.is_users("build", "target-dir");
        let build_named = in_env(&["CARGO_BUILD_BUILD_DIR"]) || words.is_users("build", "build-dir");
        let repository = whose::repository(&root, home.as_deref()).filter(|repository| root.starts_with(repository));
        let packages: Vec<&str> =
            metadata.packages.iter().filter(|package| package.source.is_none()).map(|package| &*package.name).collect();
        let workspace = Workspace {
            root: &root,
            repository: repository.as_deref().unwrap_or(&root),
            members: &members,
            packages: &packages,
            home: home.as_deref(),
            cargo_home: &cargo_home,
            rustup_home: rustup_home.as_deref(),
        };
        let named = (!target_named).then_some((&target, "`--target-dir` or `CARGO_TARGET_DIR`"));
        let built = build.iter().filter(|_| !build_named).map(|build| (build, "`CARGO_BUILD_BUILD_DIR`"));
        for (tree, words) in named.into_iter().chain(built) {
            if let Some(why) = workspace.objection(tree) {
                bail!(
                    "the target directory {} is named by the repository, by its cargo configuration or a link, and {why}: everybody in the build could \
                     read it\n  help: name another with {words}, or this one, if it is meant",
                    tree.display()
                );
            }
        }
    }
    Ok(Places {
        members,
        names,
        workspace: metadata.map(|metadata| real(metadata.workspace_root)),
        build: build.unwrap_or_else(|| target.clone()),
        report_dir: target.join("brig"),
        memory: super::remembered::place(env).map(real),
        target,
        cargo_home,
        rustup_home,
        home,
        tmp: real(tmp.to_owned()),
        ..Places::default()
    })
}

/// Asks cargo where the workspace is, and, with `platforms`, for the graph as its lock file and its caches have it: an answer means that there is
/// nothing to fetch. It takes cargo some ten milliseconds to say: there is other work meanwhile, and what it said the last time is remembered.
/// `toolchain` is where the compiler lies.
pub fn ask(
    cargo: &Path,
    steering: &Steering,
    env: &[(OsString, OsString)],
    (platforms, toolchain): (Option<&[OsString]>, Option<&Path>),
) -> Asked {
    if steering.subcommand.as_deref() == Some(OsStr::new("install")) && steering.path.is_none() {
        return Asked::default();
    }
    let compiler = toolchain.map(|root| root.join("bin/rustc")).filter(|rustc| rustc.is_file());
    // What it may read is not known before it has answered; the compiler it asks is the toolchain's, and nobody's flags are given to it.
    let base = || {
        let mut command = own_calls::command(cargo, env, &["/".into()]).ok()?;
        command.args(&steering.toolchain).args(["metadata", "--offline", "--format-version=1"]);
        if let Some(path) = &steering.path {
            command.arg("--manifest-path").arg(path.join("Cargo.toml"));
        }
        command.envs(compiler.iter().map(|compiler| ("RUSTC", compiler))).stdout(Stdio::piped());
        Some(command)
    };
    let (Some(mut places), Some(mut graph)) = (base(), base()) else { return Asked::default() };
    places.arg("--no-deps").args(steering.places_asked());
    let Some(platforms) = platforms else { return Asked { thinking: started(&mut places), ..Asked::default() } };
    graph.args((!steering.locked).then_some("--locked")).args(steering.question());
    graph.args(platforms.iter().flat_map(|platform| [OsStr::new("--filter-platform"), platform]));
    let question = toolchain.filter(|_| compiler.is_some()).and_then(|root| Question::of(&graph, steering, root, env));
    let known = question.as_ref().and_then(Question::recall);
    let known = known.and_then(|known| Some((serde_json::from_str(&known.head).ok()?, known.graph)));
    tracing::debug!(asked = question.is_some(), remembered = known.is_some(), "the graph");
    if known.is_some() {
        return Asked { known, ..Asked::default() };
    }
    let asking = question.and_then(Question::asking);
    Asked { thinking: started(&mut graph), again: Some(places), known: None, asking }
}

fn started(command: &mut Command) -> Option<Running> {
    Running::start(command, PATIENCE).ok()
}

impl Asked {
    pub fn answer(self) -> Answer {
        if let Some((metadata, graph)) = self.known {
            return Answer { metadata: Some(metadata), graph: Some(graph) };
        }
        let said = |asked: Running| {
            let output = asked.output().ok().filter(|output| output.status.success())?;
            String::from_utf8(output.stdout).ok()
        };
        let first = self.thinking.and_then(said);
        let is_all = first.is_some() && self.again.is_some();
        let text = first.or_else(|| said(started(&mut self.again?)?));
        let metadata: Option<Metadata> = text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let graph = text.filter(|_| is_all);
        if let (Some(asking), Some(metadata), Some(graph)) = (self.asking, &metadata, &graph) {
            let kept = keep(asking, metadata, graph);
            tracing::debug!(kept = kept.is_some(), "cargo said what the graph is");
        }
        Answer { metadata, graph }
    }
}

fn keep(asking: Asking, metadata: &Metadata, graph: &str) -> Option<()> {
    let known = Known { head: serde_json::to_string(metadata).ok()?, graph: graph.to_owned() };
    let packages = metadata.packages.iter().map(|listed| Package { manifest: &listed.manifest_path, is_local: listed.source.is_none() });
    asking.keep(&known, &metadata.workspace_root, &packages.collect::<Vec<_>>())
}
