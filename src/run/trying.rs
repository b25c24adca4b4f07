//! `cargo brig try`: a crate nobody trusts is run among decoys, stage by stage, and what it did is told and kept. In: what was typed. Out: a directory of
//! evidence, a sentence, an exit code; all else is gone afterwards.

mod evidence;
mod found;
mod guise;
mod interrupt;
mod left;
mod letter;
mod lines;
mod named;
mod preparing;
mod proof;
mod settings;
pub mod stage;
mod stages;
mod suspect;
mod throwaway;
mod told;
mod unpacking;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};

use super::stage::{self as ground, Env};
use super::stopped::Stopped;
use super::streams::Heedless;
use crate::cli::Options;
use crate::cli::trying::Try;
use crate::model::Exit;
use crate::model::report::VerdictWord;
use crate::plan::host::Host;
use crate::plan::places::real;
use crate::report::joined::joined;
use crate::report::terminal;
use crate::suspect::decoys::{Ground, lay};
use evidence::Evidence;
use found::Found;
use guise::Guise;
use interrupt::Interrupt;
use left::Look;
use named::Named;
use preparing::Fetching;
use proof::Proof;
use stages::{Ended, Stages};
use throwaway::Throwaway;

/// # Errors
/// When it cannot be had, or the walls cannot be built around it (104).
pub fn trial(options: &Options, wish: &Try, style: terminal::Style) -> Result<Exit, Stopped> {
    Host::look().able().map_err(Stopped::wall)?;
    let named = Named::read(wish).map_err(Stopped::usage)?;
    let interrupt = Interrupt::heed()?;
    let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let guise = Guise::read(wish, started).map_err(anyhow::Error::msg).map_err(Stopped::usage)?;
    let user: Env = std::env::vars_os().collect();
    let cargo = ground::find_cargo(&user, false).map_err(Stopped::usage)?;
    let toolchain = ground::refuse_foreign_toolchain(&cargo, None, &user).map_err(Stopped::wall)?;
    let toolchain = toolchain.context("find out which toolchain is used here").map_err(Stopped::usage)?;
    let throwaway = Throwaway::make().map_err(Stopped::usage)?;
    let cargo_home = ground::variable(&user, "CARGO_HOME").map(Into::into);
    let cargo_home = cargo_home.or_else(|| Some(PathBuf::from(ground::variable(&user, "HOME")?).join(".cargo")));
    let (env, interrupted) = (throwaway.fetching(&user, &toolchain), &interrupt);
    let fetching = Fetching { throwaway: &throwaway, env, interrupt: interrupted, cargo_home };
    let prepared = fetching.prepare(wish, &named).map_err(Stopped::usage)?;
    let suspect = &prepared.suspect;
    let evidence = Evidence::begin(wish.evidence.as_deref(), suspect, started).map_err(Stopped::usage)?;
    let mut out = Heedless(io::stdout());
    told::before(&mut out, &prepared, style).context("write to stdout")?;

    let laid = lay(&throwaway.home, &throwaway.app(), place(&wish.ground)).context("lay decoys")?;
    let mut env = throwaway.environment(&user, &toolchain, &laid.environment);
    guise.dress(&mut env);
    told::guise(&mut out, &guise, style).context("write to stdout")?;
    let without = throwaway.without();
    let before = Look::at(&throwaway.root, &without);
    let (seconds, allow_degraded, echo) = (wish.seconds, options.allow_degraded, options.verbose);
    let closed = closed(&user, fetching.cargo_home.as_deref());
    let canaries = laid.canaries;
    let stages = Stages { throwaway: &throwaway, env, interrupt: interrupted, canaries, closed, seconds, allow_degraded, guise };
    let ended = stages.play(&prepared, |one| {
        if echo {
            let _ = io::stderr().write_all(&one.said);
        }
        told::stage(&mut out, one, style)
    })?;
    let left = Look::at(&throwaway.root, &without).since(&before, &evidence.files())?;

    let command = ["cargo", "brig", "try", &suspect.name];
    let mut all = joined(ended.iter().filter_map(|one| one.report.clone()), &command)
        .ok_or_else(|| anyhow!("no stage has left a report"))
        .map_err(Stopped::wall)?;
    stages::settle(&mut all, &ended);
    let sinks = throwaway.sinks();
    let proof = Proof::of(ended.iter().zip(sinks.iter().map(|dir| &**dir)));
    let found = Found { prepared: &prepared, all: &all, ended: &ended, left: &left, proof: &proof, whose: "your" };
    evidence.keep(&Found { whose: "the decoy", ..found }, &throwaway)?;
    told::after(&mut out, &found, &evidence, style).context("write to stdout")?;
    Ok(exit(all.outcome.verdict, &ended, interrupt.came()))
}

/// What is the user's, by real paths. The root of all is nobody's.
fn closed(user: &Env, cargo_home: Option<&Path>) -> Vec<PathBuf> {
    let homes = ["HOME", "RUSTUP_HOME"].into_iter().filter_map(|name| ground::variable(user, name)).map(PathBuf::from);
    let here = std::env::current_dir().ok();
    let all = homes.chain(cargo_home.map(Path::to_owned)).chain(here).map(real);
    all.filter(|path| path.is_absolute() && path.parent().is_some()).collect()
}

/// The words are those of the command line.
fn place(word: &str) -> Ground {
    match word {
        "ci" => Ground::Ci,
        "container" => Ground::Container,
        "root" => Ground::Root,
        _ => Ground::Laptop,
    }
}

/// Its own tests may fail, and take too long: that is no incident. Nothing is said of what did not run.
fn exit(verdict: VerdictWord, ended: &[Ended], interrupted: bool) -> Exit {
    match verdict {
        VerdictWord::Violation => Exit::Violation,
        VerdictWord::Incomplete | VerdictWord::NotRun => Exit::Incomplete,
        _ if interrupted => Exit::Cargo(130),
        _ if !ended.iter().any(Ended::was_built) => Exit::Incomplete,
        _ => Exit::Success,
    }
}
