//! An act (or several of the same shape) that breaks a rule.

use serde::{Deserialize, Serialize};

use super::act::Act;
use super::actor::{ActorId, Package};
use super::blame::Blame;
use super::exception::Proposal;
use super::hostile::Hostile;
use super::rule::Rule;
use super::severity::Severity;
use super::status::Status;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable within a report: `F1`, `F2` … in report order.
    pub id: String,
    pub rule: Rule,
    pub severity: Severity,
    /// `refused`, `observed` (would be refused), or `allowed` (recorded only).
    pub status: Status,
    pub actor: ActorId,
    /// The package named by the finding: the actor's own, or the one found on the stack inside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offender: Option<Package>,
    /// What the offender did it through: libraries between it and the act, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<Package>,
    /// It is a member of the workspace: the user's own code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// A compiler read it, for text that it compiles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compiled: bool,
    /// Who may be behind it besides, and is not accused: who needs the offender, a library, where nobody on the stack called it; of what a compiler read for
    /// text that it compiles, the macros that may have written that text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Package>,
    pub evidence: Vec<Evidence>,
    /// Left-out evidence, when the list was capped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub truncated: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<Blame>,
    /// Which line of policy.
    pub reason: String,
    /// Root package to offender and on to what it did it through, e.g. `app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2`, one element each.
    /// Empty where it is not known, and where candidates would each be on another.
    pub path_in_graph: Vec<String>,
    /// `new` or `known` against the baseline; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// The last version before this one that was accepted and did not do it (brig.lock).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// `Cargo.lock:1204`, or the line in the sources of a package that has them in the repository; counted from the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Hash of (rule, crate, actor kind, normalised act): the same in every run.
    pub fingerprint: String,
    /// What would allow it: a line of `brig.toml`, to be used with `policy = "mine"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<String>,
    /// The same for the one who did it, and nobody else: an exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Proposal>,
    /// What to do, where that is not what is to be done about the rule in general.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
}

impl Finding {
    /// What became of one of its acts.
    pub fn status_of(&self, evidence: &Evidence) -> Status {
        evidence.status.unwrap_or(self.status)
    }

    /// Is it for everybody to read, and not only for those who ask? Who was still running at a time-out is no alarm, but the answer.
    pub fn is_told(&self) -> bool {
        self.severity > Severity::Info || matches!(self.rule, Rule::ProcTimeout | Rule::BaselineNew)
    }
}

/// One act behind a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    #[serde(flatten)]
    pub act: Act,
    /// How often the same act was tried.
    pub count: u64,
    /// What became of it, where that is not what became of the finding as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Processes from the actor's root to the one that acted: program names.
    pub chain: Vec<Hostile>,
    /// The process that tried it first; 0 where that was not written down.
    #[serde(default, skip_serializing_if = "is_none")]
    pub pid: u32,
    /// When that was, in milliseconds since the run began; 0 where that was not written down.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub at_ms: u64,
    /// Of a trial: all stacks that were seen behind it, where it is told by them whether somebody did as was said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacks: Vec<Blame>,
}

impl Evidence {
    /// An act of which nothing more is known.
    pub fn of(act: Act, count: u64) -> Evidence {
        Evidence { act, count, status: None, chain: Vec::new(), pid: 0, at_ms: 0, stacks: Vec::new() }
    }
}

fn is_none(pid: &u32) -> bool {
    *pid == 0
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
