//! What this workspace builds with, as it is now: for commands that run no build. In: the current directory, the features a report's run had. Out: units, where
//! their packages lie, the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::anyhow;

use super::asked::platforms;
use super::naming;
use super::stage;
use super::stopped::Stopped;
use crate::attribute::Graph;
use crate::baseline::{Dirs, Library, Unit};
use crate::model::ActorKind;
use crate::model::report::Report;
use crate::plan::exceptions::lock::Locked;
use crate::plan::places::ask;
use crate::plan::steering::Steering;
use crate::plan::units::{self, Found};

pub struct Now {
    pub workspace: PathBuf,
    pub units: BTreeMap<Unit, BTreeSet<String>>,
    /// With whose scripts and macros they are linked into.
    pub libraries: BTreeMap<Library, BTreeSet<(String, ActorKind)>>,
    pub dirs: Dirs,
    pub locked: Locked,
    pub graph: Graph,
    /// That, as cargo says it.
    pub text: String,
    pub cargo_home: PathBuf,
}

/// # Errors
/// Where there is no workspace, or cargo cannot say what it needs without fetching.
pub fn now(report: Option<&Report>) -> Result<Now, Stopped> {
    let env = std::env::vars_os().collect();
    let cargo = stage::find_cargo(&env, false).map_err(Stopped::usage)?;
    let root = stage::refuse_foreign_toolchain(&cargo, None, &env).map_err(Stopped::wall)?;
    let words: Vec<OsString> = ["build".into()].into_iter().chain(report.map(shaping).unwrap_or_default()).collect();
    let steering = Steering::read(&words);
    let platforms = platforms(root.as_deref(), &steering, &env);
    let mut answer = ask(&cargo, &steering, &env, (platforms.as_deref(), root.as_deref())).answer();
    let graph = answer.graph.take();
    let places = stage::find_places(answer, &steering, &env, &std::env::temp_dir()).map_err(Stopped::usage)?;
    let workspace = places.workspace.clone().ok_or_else(|| Stopped::usage(anyhow!("there is no workspace here")))?;
    let unknown = || Stopped::usage(anyhow!("cargo cannot say what is in this build without fetching: build once, or `cargo fetch`"));
    let graph = graph.ok_or_else(unknown)?;
    let locked = Locked::read(&workspace)?.ok_or_else(unknown)?;
    let parsed = Graph::parse(&graph).map_err(Stopped::usage)?;
    let dirs = naming::dirs(&parsed, &naming::named(&places));
    let Found { units, libraries } = units::of(&graph, &locked).ok_or_else(unknown)?;
    Ok(Now { units, libraries, workspace, dirs, locked, graph: parsed, text: graph, cargo_home: places.cargo_home.clone() })
}

/// The words of a run that shape its graph, and no others: a stored report may come from anywhere.
fn shaping(report: &Report) -> Vec<OsString> {
    const ALONE: [&str; 2] = ["--all-features", "--no-default-features"];
    const WITH_VALUE: [&str; 3] = ["--features", "-F", "--target"];
    let plain = |text: &str| !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-,/+?. ".contains(c));
    let words: Vec<&str> = report
        .run
        .command
        .iter()
        .take_while(|word| word.as_bytes() != b"--")
        .filter_map(|word| std::str::from_utf8(word.as_bytes()).ok())
        .collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let (key, value) = word.split_once('=').map_or((*word, words.get(at + 1).copied()), |(key, value)| (key, Some(value)));
        if ALONE.contains(word) {
            found.push(OsString::from(word));
        } else if let Some(value) = value.filter(|value| WITH_VALUE.contains(&key) && plain(value)) {
            found.extend([key, value].map(OsString::from));
        }
    }
    found
}
