//! `cargo brig try`: a crate nobody trusts is run among decoys, stage by stage, and what it did is told and kept. In: what was typed. Out: a directory of
//! evidence, a sentence, an exit code; all else is gone afterwards.

mod benches;
mod bisecting;
mod differing;
mod evidence;
mod expected;
mod found;
mod guise;
mod interrupt;
mod left;
mod letter;
mod lines;
mod members;
mod named;
mod neighbours;
mod one;
mod preparing;
mod proof;
mod reached;
mod search;
mod settings;
pub mod stage;
mod stages;
mod suspect;
mod throwaway;
mod told;
mod unpacking;
mod versions;
mod whence;

use crate::cli::Options;
use crate::cli::trying::{Bisect, Try};
use crate::model::Exit;
use crate::plan::host::Host;
use crate::report::terminal;
use crate::run::stopped::Stopped;
use named::Named;
use one::Conditions;

/// # Errors
/// When it cannot be had, or the walls cannot be built around it (104).
pub fn trial(options: &Options, wish: &Try, style: terminal::Style) -> Result<Exit, Stopped> {
    Host::look().able().map_err(Stopped::wall)?;
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

/// # Errors
/// When there are no such versions, or the walls cannot be built around them (104).
pub fn bisect(options: &Options, wish: &Bisect, style: terminal::Style) -> Result<Exit, Stopped> {
    Host::look().able().map_err(Stopped::wall)?;
    bisecting::bisect(options, wish, style)
}
