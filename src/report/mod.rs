//! The report. `assemble` makes it from what the journal holds; the renderers are pure functions of `&Report` and a writer, and
//! `redact` keeps credentials out of it. In: `Material` (what happened), `Facts` (about the run), `Who` (the build graph).
//! Out: a `model::Report`, its text, its file. No clock and no environment in here.

mod advice;
pub mod assemble;
pub mod barred;
pub mod baselined;
#[cfg(test)]
mod channels_tests;
mod classes;
mod correlate;
pub mod crates;
pub mod derive;
pub mod escape;
pub mod excepted;
pub mod findings;
#[cfg(test)]
mod forged_tests;
pub mod html;
pub mod incidents;
mod inert;
pub mod json;
pub mod kept;
pub mod led;
mod loaded;
pub mod markdown;
pub mod material;
pub mod normalise;
pub mod outcome;
mod packages;
mod parties;
mod place;
mod proposal;
pub mod redact;
pub mod remedy;
pub mod rotate;
pub mod runs;
#[cfg(test)]
pub(crate) mod samples;
pub mod sarif;
mod steady;
mod tally;
pub mod terminal;
pub mod trace;
mod unit;
pub mod who;
pub mod wording;
mod written;

pub use assemble::assemble;
pub use material::{Facts, Material};
pub use normalise::Places;
pub use who::Who;

use std::io::{self, Write};

/// The forms a report can be stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Sarif,
    Html,
    Markdown,
}

impl Format {
    pub fn write(self, report: &crate::model::report::Report, w: &mut dyn Write) -> io::Result<()> {
        match self {
            Format::Json => json::write(report, w),
            Format::Sarif => sarif::write(report, w),
            Format::Html => html::write(report, w),
            Format::Markdown => markdown::write(report, w),
        }
    }
}
