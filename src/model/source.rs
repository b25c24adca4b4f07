//! What was built, as far as it can be had again: for whoever wants to run it once more.

use serde::{Deserialize, Serialize};

use super::hostile::Hostile;

/// Of a workspace, when cargo was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The commit that its git repository stood at, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Where the workspace lies in that repository, if not at its top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Hostile>,
    /// Where cargo was started, from the workspace; nothing at its top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Hostile>,
    /// Cargo was started elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
    /// SHA-256 of `Cargo.lock` as it was when cargo had ended, in hex. Of runs with an incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Did the repository hold anything that the commit does not? Of runs with an incident; absent where nobody could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// The first of what it held otherwise, from the top of the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Hostile>,
}
