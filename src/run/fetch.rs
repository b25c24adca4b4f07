//! The first phase: cargo alone fetches what is missing, before any code of others runs. In: the supervisor, what was typed, which platforms count. Out:
//! cargo's end, and what it said of the graph.

use std::ffi::OsString;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::stage::Env;
use super::supervisor::Supervisor;
use crate::launch::{self, Cargo, Ended};
use crate::plan::steering::Steering;
use crate::plan::{own_calls, phases};
use crate::sys::walled;
use crate::wall::cargos::{Files, Stops};

/// What is asked for, and with what.
pub struct Wanted<'a> {
    pub cargo: &'a Path,
    pub steering: &'a Steering,
    pub platforms: &'a [OsString],
    /// The toolchain's.
    pub compiler: Option<PathBuf>,
    pub env: &'a Env,
    /// The Landlock ruleset it fetches behind.
    pub wall: Option<OwnedFd>,
}

/// How it ended. Without a failure of ours, what is there is enough for what was typed, or `ended` tells how cargo failed.
pub struct Fetched {
    pub ended: Ended,
    /// What cargo said of the graph, if it has fetched all of it.
    pub graph: Option<String>,
    /// Not all could be fetched, but what this command needs is there.
    pub partly: bool,
}

/// Fetches: `cargo metadata` resolves, writes the lock file, and brings all that belongs to the graph. It speaks to the user as ever.
///
/// # Errors
/// When cargo could not be started at all, or its answer not be read.
pub fn fetch(mut wanted: Wanted, supervisor: &mut Supervisor) -> Result<Fetched> {
    let mut answer = tempfile::tempfile().context("make a temporary file")?;
    let cargo = Cargo {
        path: wanted.cargo.to_owned(),
        args: with_path(wanted.steering, phases::fetch(wanted.steering, wanted.platforms)),
        env: own_calls::unsteered(wanted.env, wanted.compiler.clone()),
        wall: wanted.wall.take(),
        stops: Stops { network: false, files: Files::Read },
        stdout: Some(answer.try_clone().context("share a temporary file")?),
    };
    let ended = launch::run(&cargo, supervisor)?;
    let stopped = ended.interrupted || ended.failure.is_some();
    let mut graph = None;
    if ended.code == 0 && !stopped {
        let mut text = String::new();
        answer.rewind().and_then(|()| answer.read_to_string(&mut text)).context("read what cargo says of the graph")?;
        graph = Some(text);
    }
    let partly = ended.code != 0 && !stopped && is_enough(&wanted);
    Ok(Fetched { ended, graph, partly })
}

/// Is what this command needs there? A workspace may name what its user cannot reach, and build without it.
fn is_enough(wanted: &Wanted) -> bool {
    let Ok(mut command) = own_calls::command(wanted.cargo, wanted.env, &["/".into()]) else { return false };
    command.args(with_path(wanted.steering, phases::suffices(wanted.steering)));
    command.envs(wanted.compiler.iter().map(|compiler| ("RUSTC", compiler)));
    walled::output(&mut command).is_ok_and(|output| output.status.success())
}

/// `cargo install --path` says where by another word.
fn with_path(steering: &Steering, mut words: Vec<OsString>) -> Vec<OsString> {
    if let Some(path) = &steering.path {
        words.extend(["--manifest-path".into(), path.join("Cargo.toml").into_os_string()]);
    }
    words
}
