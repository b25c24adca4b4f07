//! A value that nobody but this run can know: whoever says it has read the place it was laid in.

use serde::{Deserialize, Serialize};

/// One bait.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Canary {
    /// Never valid anywhere.
    pub value: String,
    /// Where it was laid: a path as people write it, `environment`, `metadata service`.
    pub place: String,
    /// What it is there: `AWS_SECRET_ACCESS_KEY`.
    pub name: String,
}
