//! What the gate writes down: one judged act, one started process.

use serde::{Deserialize, Serialize};

use super::act::Act;
use super::actor::ActorId;
use super::blame::Blame;
use super::hostile::Hostile;
use super::status::Status;
use super::verdict::Breach;

/// One judged act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub actor: ActorId,
    /// Thread-group id of the process that acted.
    pub pid: u32,
    pub act: Act,
    pub status: Status,
    pub breach: Option<Breach>,
    pub blame: Option<Blame>,
    /// Milliseconds since the run began. The journal says it as it enters the event.
    pub at_ms: u64,
}

/// A process of an actor's tree, known from its exec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub actor: ActorId,
    pub pid: u32,
    /// 0 when unknown.
    pub parent: u32,
    pub exe: Hostile,
    /// Redacted: values that look like credentials are replaced.
    pub argv: Vec<Hostile>,
    /// Milliseconds since the run began.
    pub started_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<Blame>,
    /// It opened code that is not the system's, as a loader does, or was to be traced: what it does need not be its program's own doing. Looked for in
    /// trials alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub steered: bool,
}
