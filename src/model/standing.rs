//! What an earlier run found, and no later one has looked at again.

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::hostile::Hostile;
use super::reported::ReportedActor;

/// Findings of one earlier run. Their numbers, and those of their actors, go on from those of the report they stand in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Under which that run's own report is kept.
    pub run: String,
    /// When it was, in seconds since the epoch.
    pub started: u64,
    /// The cargo command line, as typed.
    pub command: Vec<Hostile>,
    /// Those the findings are about, and the compilers they ran in.
    pub actors: Vec<ReportedActor>,
    pub findings: Vec<Finding>,
}
