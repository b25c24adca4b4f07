//! What became of an act.

use serde::{Deserialize, Serialize};

/// As it stands in the report, in kebab case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Done as it was asked for.
    Allowed,
    /// Done on a copy without the credentials.
    Redacted,
    /// Done to a decoy: enforce would have refused it, and nothing of the user's was touched.
    Decoy,
    /// Done, but enforce would have refused it.
    Observed,
    /// Answered with an errno, and not done.
    Refused,
}

impl Status {
    /// As it stands in the report.
    pub fn name(self) -> &'static str {
        match self {
            Status::Allowed => "allowed",
            Status::Redacted => "redacted",
            Status::Decoy => "decoy",
            Status::Observed => "observed",
            Status::Refused => "refused",
        }
    }
}
