//! What is laid out to be stolen: a value of the right shape that is worth nothing and stands in one place only, so that whoever shows it has been there.

use serde::{Deserialize, Serialize};

/// One value, unique to its place and to its run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Canary {
    /// As it is written there; never valid anywhere.
    pub value: String,
    /// As people call the place: `~/.ssh/id_ed25519`, `<workspace>/.env`, `$GITHUB_TOKEN`.
    pub place: String,
    /// Of the value within its place: `OPENAI_API_KEY`, `private key`.
    pub name: String,
}
