//! What `cargo brig try` and `cargo brig bisect` are told: the suspect, and how it is looked at.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};

use crate::model::Rule;

/// A crate nobody trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Try {
    /// `CRATE`, `CRATE@VERSION`, a `.crate` file, or a directory with a `Cargo.toml` (a path with a slash in it)
    #[arg(value_name = "WHAT", required_unless_present_any = ["git", "from", "diff"])]
    pub what: Option<OsString>,
    /// A git repository instead of the registry; WHAT is then the crate in it, where it holds several
    #[arg(long, value_name = "URL", requires = "rev", value_parser = NonEmptyStringValueParser::new())]
    pub git: Option<String>,
    /// Its revision
    #[arg(long, value_name = "R", requires = "git", value_parser = NonEmptyStringValueParser::new())]
    pub rev: Option<String>,
    /// Take the versions of this `Cargo.lock`, of the crate and of what it needs
    #[arg(long, value_name = "CARGO.LOCK", conflicts_with = "git")]
    pub lock: Option<PathBuf>,
    /// The crate that a finding of the last report names, with the version and the `Cargo.lock` of this workspace
    #[arg(long, value_name = "F1", conflicts_with_all = ["what", "git", "lock"], value_parser = NonEmptyStringValueParser::new())]
    pub from: Option<String>,
    /// Two versions of WHAT, or without it two of what WHAT may be, under the same conditions: only what differs is shown
    #[arg(long, value_names = ["A", "B"], num_args = 2, conflicts_with_all = ["git", "lock", "from"])]
    pub diff: Vec<OsString>,
    #[command(flatten)]
    pub how: How,
}

/// How a suspect is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct How {
    /// Features of the crate
    #[arg(long, value_name = "F", value_delimiter = ',')]
    pub features: Vec<String>,
    /// Where it is to believe it runs: what lies there, and which variables are set
    #[arg(long = "as", value_name = "WHERE", default_value = "laptop", value_parser = PossibleValuesParser::new(["laptop", "ci", "container", "root"]))]
    pub ground: String,
    /// Move its clock to this date: `2027-01-01`, `2027-01-01T08:30:00Z`
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    pub at: Option<String>,
    /// What its machine is called
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub hostname: Option<String>,
    /// Which language its variables say it has, such as `de_DE.UTF-8`
    #[arg(long, value_name = "LOCALE", value_parser = NonEmptyStringValueParser::new())]
    pub locale: Option<String>,
    /// On how many processors it may run, at most those there are
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub cpus: Option<u32>,
    /// Directory for the evidence; it must not be there yet (`brig-evidence/CRATE-VERSION-TIME` otherwise)
    #[arg(long, value_name = "D")]
    pub evidence: Option<PathBuf>,
    /// Seconds for each stage: build and harness, its own tests, its doctests, its examples
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
}

/// Since which version a crate does something.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Bisect {
    /// Its name in the registry
    #[arg(value_name = "CRATE", value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
    /// Versions, the first and the last among them: `1.0.0..1.0.9`
    #[arg(value_name = "A..B", value_parser = NonEmptyStringValueParser::new())]
    pub range: String,
    /// The rule that is broken
    #[arg(long, value_name = "RULE", hide_possible_values = true, value_parser = PossibleValuesParser::new(Rule::ALL.iter().map(|rule| rule.id())))]
    pub does: String,
    #[command(flatten)]
    pub how: How,
}
