//! What may be typed behind `baseline`, for clap to read.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;

use super::reports::Of;

/// `cargo brig baseline …`
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum Baseline {
    /// Writes into `brig.lock` what the last run did: of all packages whose code ran, or of these
    Accept {
        /// Packages; one that did not run is accepted for its name alone
        #[arg(value_name = "CRATE", value_parser = NonEmptyStringValueParser::new())]
        names: Vec<String>,
        /// Also all code that did not run, unseen
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
    /// What the last run did that `brig.lock` does not hold, and the other way round; or what one report or lock holds and another does not
    Diff {
        #[arg(value_name = "A", requires = "b")]
        a: Option<PathBuf>,
        #[arg(value_name = "B", conflicts_with_all = ["run", "report"])]
        b: Option<PathBuf>,
        #[command(flatten)]
        of: Of,
    },
    /// Whether `brig.lock` holds all code that this workspace builds with, and all that the last run did (102, if not)
    Check,
    /// Writes into `brig.lock` which files the locks of others are (`[imports.NAME]` in `brig.toml`): only what is pinned counts
    Import,
    /// Takes out of `brig.lock` what Cargo.lock does not hold any more
    Prune,
}
