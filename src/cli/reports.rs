//! Which stored report is meant: the one to be shown again, and the one that a command goes by.

use std::path::PathBuf;

use super::forms;

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Which {
    /// A stored report; without one, the last of this workspace
    #[arg(conflicts_with_all = ["list", "run"])]
    pub file: Option<PathBuf>,
    /// List the runs whose reports are kept, newest first
    #[arg(long, conflicts_with = "run", conflicts_with_all = forms::NAMES)]
    pub list: bool,
    /// Print the JSON Schema of a report: what every field means
    #[arg(long, conflicts_with_all = ["file", "list", "run"], conflicts_with_all = forms::NAMES)]
    pub schema: bool,
    /// The report of this run, as `--list` names it
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
}

/// Which one a command goes by: the last, if none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Of {
    /// The report of this run instead of the last, as `report --list` names it
    #[arg(long, value_name = "ID", conflicts_with = "report")]
    pub run: Option<String>,
    /// The report in this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}
