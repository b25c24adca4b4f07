//! The report. `assemble` makes it from what the journal holds; the renderers are pure functions of `&Report` and a writer, and
//! `redact` keeps credentials out of it. In: `Material` (what happened), `Facts` (about the run), `Who` (the build graph).
//! Out: a `model::Report`, its text, its file. No clock and no environment in here.

mod advice;
mod alerts;
pub mod assemble;
pub mod barred;
pub mod baselined;
mod capabilities;
#[cfg(test)]
mod channels_tests;
pub mod chrome;
mod classes;
pub mod code_quality;
mod correlate;
pub mod crates;
pub mod derive;
pub mod egress;
pub mod escape;
pub mod events;
pub mod excepted;
pub mod findings;
#[cfg(test)]
mod forged_tests;
pub mod html;
pub mod in_toto;
pub mod incidents;
mod inert;
pub mod joined;
pub mod json;
pub mod junit;
pub mod kept;
pub mod led;
mod loaded;
pub mod markdown;
pub mod material;
pub mod normalise;
mod numbers;
pub mod outcome;
mod packages;
pub mod parties;
mod place;
mod plain;
mod proposal;
pub mod redact;
pub mod remedy;
pub mod rotate;
pub mod runs;
#[cfg(test)]
pub(crate) mod samples;
pub mod sarif;
pub mod sent;
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
    JUnit,
    CodeQuality,
    Events,
    Trace,
    InToto,
    Egress,
}

impl Format {
    pub const ALL: [Format; 10] = [
        Format::Json,
        Format::Sarif,
        Format::Html,
        Format::Markdown,
        Format::JUnit,
        Format::CodeQuality,
        Format::Events,
        Format::Trace,
        Format::InToto,
        Format::Egress,
    ];

    /// What its option is called.
    pub fn option(self) -> &'static str {
        match self {
            Format::Json => "--json",
            Format::Sarif => "--sarif",
            Format::Html => "--html",
            Format::Markdown => "--markdown",
            Format::JUnit => "--junit",
            Format::CodeQuality => "--code-quality",
            Format::Events => "--events",
            Format::Trace => "--trace",
            Format::InToto => "--in-toto",
            Format::Egress => "--egress",
        }
    }

    pub fn write(self, report: &crate::model::report::Report, w: &mut dyn Write) -> io::Result<()> {
        match self {
            Format::Json => json::write(report, w),
            Format::Sarif => sarif::write(report, w),
            Format::Html => html::write(report, w),
            Format::Markdown => markdown::write(report, w),
            Format::JUnit => junit::write(report, w),
            Format::CodeQuality => code_quality::write(report, w),
            Format::Events => events::write(report, w),
            Format::Trace => chrome::write(report, w),
            Format::InToto => in_toto::write(report, w),
            Format::Egress => egress::write(report, w),
        }
    }
}
