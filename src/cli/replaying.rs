//! What is to be run once more, and under which conditions.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};

use super::trying::How;

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Replay {
    /// A stored report, or a run as `report --list` names it; without one, the last with an incident
    #[arg(value_name = "REPORT", conflicts_with = "run")]
    pub report: Option<PathBuf>,
    /// The run of this name
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
    /// The directory as it is now, whatever commit and lock file were recorded
    #[arg(long)]
    pub here: bool,
    /// Where it is to believe it runs: what lies there, and which variables are set
    #[arg(long = "as", value_name = "WHERE", default_value = "laptop", value_parser = PossibleValuesParser::new(["laptop", "ci", "container", "root"]))]
    pub ground: String,
    /// Move its clock to this date: `2027-01-01`, `2027-01-01T08:30:00Z`
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    pub at: Option<String>,
    /// What its machine is called
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub hostname: Option<String>,
    /// Directory for the evidence; it must not be there yet (`brig-evidence/NAME-COMMIT-TIME` otherwise)
    #[arg(long, value_name = "D")]
    pub evidence: Option<PathBuf>,
    /// Seconds for all of it
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
}

impl Replay {
    /// The same as for a suspect.
    pub fn how(&self) -> How {
        let Replay { ground, at, hostname, evidence, seconds, .. } = self.clone();
        How { ground, at, hostname, evidence, seconds, ..How::default() }
    }
}
