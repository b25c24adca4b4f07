//! What the policy answers to an act.

use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::severity::Severity;
use super::status::Status;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Refuse and record.
    Enforce,
    /// Refuse nothing (but what would blind the record); record what enforce would refuse.
    Observe,
    /// Enforce, but for what is done to decoys: below one directory, and in a network that leads nowhere, it is let happen and recorded. Only
    /// `cargo brig try` has it; nobody can type or configure it.
    Decoy,
}

/// What the gate does with the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// Answer with this errno.
    Refuse(i32),
    /// Hand over a copy of the file with its credentials blanked (git configuration).
    Redact,
    /// Do it: enforce would refuse or blank it, and it is done to a decoy.
    Decoy,
}

/// A verdict with its reason. A refusal without a breach is quiet: the record has it, no alarm is raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub breach: Option<Breach>,
    /// Allowed in either mode, and the breach only worth a line in the report.
    pub noted: bool,
}

/// The rule an act breaks. With `Verdict::Allow` the mode only observes; with `Verdict::Decoy` it was broken on a decoy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Breach {
    pub rule: Rule,
    pub severity: Severity,
    /// Which line of policy or which class of secret, e.g. "profile `default`: secrets (project env)".
    pub reason: String,
}

impl Judgement {
    pub fn allow() -> Self {
        Judgement { verdict: Verdict::Allow, breach: None, noted: false }
    }

    /// How an act that was answered so goes into the record.
    pub fn status(&self) -> Status {
        match (self.verdict, &self.breach) {
            (Verdict::Refuse(_), _) => Status::Refused,
            (Verdict::Redact, _) => Status::Redacted,
            (Verdict::Decoy, _) => Status::Decoy,
            (Verdict::Allow, Some(_)) if !self.noted => Status::Observed,
            (Verdict::Allow, _) => Status::Allowed,
        }
    }

    pub fn refused(&self) -> bool {
        matches!(self.verdict, Verdict::Refuse(_))
    }
}
