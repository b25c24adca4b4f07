//! What somebody in a trial sent to the sink that stood in place of the internet.

use serde::{Deserialize, Serialize};

use super::actor::ActorId;
use super::hostile::Hostile;

/// One conversation, or several that were the same. Nothing of it left the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub actor: ActorId,
    /// Whose code, as `name` and `version`, where it is known.
    #[serde(default, rename = "crate", skip_serializing_if = "Option::is_none")]
    pub by: Option<(String, String)>,
    /// `timeapis.io:80`; of a name that was looked up, that name.
    pub to: Hostile,
    /// `http`, `https`, `smtp`, `dns`, `tcp` …
    pub how: String,
    /// `POST /track`, `A x.example`.
    pub what: Hostile,
    pub bytes: u64,
    /// It carried something that was laid out in one place only, for this run: who sent that has been there.
    pub proven: bool,
    /// What it carried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// So many names were looked up below `to`, one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<u64>,
}

/// A canary, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Carried {
    /// `~/.ssh/id_ed25519`, `<workspace>/.env`, `$GITHUB_TOKEN`.
    pub place: String,
    /// Of the value within its place: `OPENAI_API_KEY`.
    pub name: String,
    /// How it was written: `plain`, `base64`, `gzip` …
    pub encoding: String,
}
