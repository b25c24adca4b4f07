//! The report. `assemble` makes it from what the journal holds; `terminal` and `json` are pure functions of `&Report`, and
//! `redact` keeps credentials out of it. In: `Material` (what happened), `Facts` (about the run), `Who` (the build graph).
//! Out: a `model::Report`, its text, its file. No clock and no environment in here.

pub mod assemble;
pub mod derive;
pub mod escape;
pub mod findings;
pub mod json;
pub mod normalise;
pub mod outcome;
pub mod redact;
#[cfg(test)]
mod samples;
pub mod terminal;
pub mod trace;
pub mod who;
pub mod wording;

pub use assemble::{Facts, Material, assemble};
pub use normalise::Places;
pub use outcome::decide;
pub use who::Who;
