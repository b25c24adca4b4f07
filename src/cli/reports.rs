//! Which stored report is meant.

use std::path::PathBuf;

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Which {
    /// A stored report; without one, the last of this workspace
    #[arg(conflicts_with_all = ["list", "run"])]
    pub file: Option<PathBuf>,
    /// List the runs whose reports are kept, newest first
    #[arg(long, conflicts_with_all = ["run", "json", "sarif", "html", "markdown"])]
    pub list: bool,
    /// Print the JSON Schema of a report: what every field means
    #[arg(long, conflicts_with_all = ["file", "list", "run", "json", "sarif", "html", "markdown"])]
    pub schema: bool,
    /// The report of this run, as `--list` names it
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
}
