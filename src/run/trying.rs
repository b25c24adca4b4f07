//! `cargo brig try`: a crate nobody trusts is run among decoys, stage by stage, and what it did is told and kept. In: what was typed. Out: a directory of
//! evidence, a sentence, an exit code; all else is gone afterwards.

mod abandoned;
mod again;
mod apart;
mod aside;
mod benches;
mod bisecting;
mod checkout;
mod differing;
mod evidence;
mod expected;
mod found;
mod guise;
mod habits;
mod interrupt;
mod laid;
mod left;
mod letter;
mod lines;
mod located;
mod looked_up;
mod members;
mod named;
mod neighbours;
mod one;
mod preparing;
mod proof;
mod reached;
mod recorded;
mod replaying;
mod search;
mod settings;
pub mod stage;
mod stages;
mod started;
mod suspect;
mod throwaway;
mod told;
mod unpacking;
mod versions;
mod view;
mod whence;
mod words;

use anyhow::Context;

use crate::cli::Options;
use crate::cli::replaying::Replay;
use crate::cli::trying::{Bisect, Try};
use crate::launch::keeper;
use crate::model::Exit;
use crate::plan::host::Host;
use crate::report::terminal;
use crate::run::stopped::Stopped;
use named::Named;
use one::Conditions;

/// # Errors
/// When it cannot be had, or the walls cannot be built around it (104).
pub fn trial(options: &Options, wish: &Try, style: terminal::Style) -> Result<Exit, Stopped> {
    begin()?;
    if let [a, b] = &wish.diff[..] {
        return differing::two(options, wish, (a, b), style);
    }
    let (named, lock) = match &wish.from {
        Some(id) => {
            let (named, lock) = whence::suspect(options, id)?;
            (named, Some(lock))
        }
        None => (Named::read(wish).map_err(Stopped::usage)?, wish.lock.clone()),
    };
    let conditions = Conditions::of(options, &wish.how, style)?;
    conditions.one(&named, lock.as_deref(), wish.how.evidence.as_deref()).map(|tried| tried.exit)
}

/// Who ends early leaves nothing: neither this trial, whichever of its processes is killed, nor one before it.
fn begin() -> Result<(), Stopped> {
    Host::look().able().map_err(Stopped::wall)?;
    keeper::split_and(|| abandoned::remove(&std::env::temp_dir())).context("split into supervisor and keeper")?;
    abandoned::remove(&std::env::temp_dir());
    Ok(())
}

/// # Errors
/// When there are no such versions, or the walls cannot be built around them (104).
pub fn bisect(options: &Options, wish: &Bisect, style: terminal::Style) -> Result<Exit, Stopped> {
    begin()?;
    bisecting::bisect(options, wish, style)
}

/// # Errors
/// When that run cannot be had again, or the walls cannot be built around it (104).
pub fn replay(options: &Options, wish: &Replay, style: terminal::Style) -> Result<Exit, Stopped> {
    begin()?;
    replaying::replay(options, wish, style)
}
