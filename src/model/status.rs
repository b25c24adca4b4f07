//! What became of an act.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Allowed,
    /// Done on a copy without the credentials.
    Redacted,
    /// Done, but enforce would have refused it.
    Observed,
    Refused,
}
