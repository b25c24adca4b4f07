//! An exception of the user's (`[[allow]]` in `brig.toml`), as the journal and the report know it. Plain data.

use serde::{Deserialize, Serialize};

use super::actor::ActorKind;

/// One `[[allow]]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exception {
    /// As written: `ort-sys@2.0.0`, or `workspace`.
    #[serde(rename = "crate")]
    pub whom: String,
    pub actor: ActorKind,
    /// `connect cdn.example.org:443`, one for each entry of each list.
    pub grants: Vec<String>,
    pub reason: String,
    /// `2027-02-01`, or `never`.
    pub expires: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `brig.toml:12`.
    pub origin: String,
    /// Wider than evidence can be, and said to be meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wide: bool,
}

/// What became of it in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionState {
    /// It let something happen.
    Used,
    /// Somebody it is for ran, and needed none of it.
    Unused,
    /// Nobody it is for ran: nothing is known.
    NotReached,
    /// The workspace's lock file has no such package any more.
    Absent,
    /// Its day is over: it did not count.
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionUse {
    #[serde(flatten)]
    pub exception: Exception,
    pub state: ExceptionState,
    /// How many acts it let happen.
    pub count: u64,
    /// Days it still counts, today included; nothing where it does not expire, or has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u64>,
    /// How the package there is has to be called: it comes from elsewhere than the exception says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

impl ExceptionUse {
    /// Days before its end at which it is told.
    pub const NEAR: u64 = 14;

    pub fn is_near(&self) -> bool {
        self.days.is_some_and(|days| days <= Self::NEAR)
    }
}

/// The narrowest exception that would let a finding's acts happen: what `cargo brig allow` is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// `quickfetch-sys@0.3.2`.
    #[serde(rename = "crate")]
    pub whom: String,
    pub actor: ActorKind,
    /// `read`, `write`, `exec`, `connect` or `unix`.
    pub list: String,
    pub what: Vec<String>,
    /// These are secrets: to be named by whoever means it, and never taken over from a finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

impl Proposal {
    /// What `cargo brig` is told for it, to be completed by a reason; it holds no quote and no control character.
    pub fn words(&self) -> String {
        let what: String = self.what.iter().map(|what| format!(" --{} '{what}'", self.list)).collect();
        let quote = if self.whom.contains('#') { "'" } else { "" };
        format!("allow {quote}{}{quote} --{}{what} --reason …", self.whom, self.actor.name())
    }
}
