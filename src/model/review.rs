//! The use of a reviewed allow: what `profiles/reviewed.toml` granted a crate in this run, for the journal and the report.

use serde::{Deserialize, Serialize};

use super::actor::ActorKind;

/// One line of an entry, as one package used it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reviewed {
    /// Name and version of the package the entry is about.
    #[serde(rename = "crate")]
    pub name: String,
    pub version: String,
    pub actor: ActorKind,
    /// `read`, `write` or `exec`.
    pub list: String,
    /// The line, as written.
    pub grant: String,
    /// The versions the entry holds for.
    pub versions: String,
    pub reason: String,
    /// `profiles/reviewed.toml:31`.
    pub origin: String,
}
