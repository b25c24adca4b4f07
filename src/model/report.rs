//! The report: what `report.json` holds, field for field. `end` is the last key, so a cut-off file is recognised.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::act::Act;
use super::actor::ActorId;
use super::event::Process;
use super::exception::ExceptionUse;
use super::finding::Finding;
use super::hostile::Hostile;
use super::reach::Reach;
pub use super::reported::{PolicyLine, ReportedActor, ReportedPackage};
use super::review::Reviewed;
use super::sent::Sent;
use super::source::Source;
use super::standing::Standing;
use super::status::Status;
use super::verdict::Mode;

/// Names of the profiles that come with the program.
pub const SHIPPED: [&str; 4] = ["default", "strict", "observe", "ci"];

pub const SCHEMA: &str = "brig.report/2";
/// The one before: what it has is here as well, and means the same.
pub const SCHEMA_BEFORE: &str = "brig.report/1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub schema: String,
    pub tool: Tool,
    pub run: Run,
    pub host: Host,
    pub enforcement: Enforcement,
    pub coverage: Coverage,
    pub outcome: Outcome,
    /// Packages whose code ran, and those that findings name.
    #[serde(default)]
    pub packages: Vec<ReportedPackage>,
    pub actors: Vec<ReportedActor>,
    pub processes: Vec<Process>,
    /// Processes left out of `processes` when the cap was reached.
    pub processes_truncated: u64,
    pub behaviour: Vec<Behaviour>,
    /// Distinct ordinary acts left out of `behaviour` when an actor's cap was reached; refusals never are.
    #[serde(default)]
    pub behaviour_truncated: u64,
    pub findings: Vec<Finding>,
    /// Of a trial: what was sent to the sink that stood in place of the internet, what carried a decoy first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<Sent>,
    /// What was kept without alarm from actors that then failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// What was in force, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<PolicyLine>,
    /// Reviewed allows (`profiles/reviewed.toml`) that were used; those that were not are not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewed: Vec<ReviewedUse>,
    /// Exceptions of the user's (`[[allow]]`), all of them, with what became of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<ExceptionUse>,
    /// Findings of earlier runs whose code did not run again since, latest run first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<Standing>,
    /// Secrets that were read while nothing was refused: to be taken for known to others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotate: Vec<Rotate>,
    pub end: bool,
    /// How commands that are printed about it have to name it; known to whoever holds it, and in no file.
    #[serde(skip)]
    pub reach: Reach,
}

impl Report {
    pub fn actor(&self, id: ActorId) -> Option<&ReportedActor> {
        // In our own reports actors are numbered from 1 without gaps; a stored one may come from anywhere.
        let place = self.actors.get((id.0 as usize).saturating_sub(1)).filter(|actor| actor.id == id);
        let earlier = || self.standing.iter().flat_map(|standing| &standing.actors);
        place.or_else(|| self.actors.iter().chain(earlier()).find(|actor| actor.id == id))
    }

    /// Its own findings, and after them those that stand from earlier runs.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.standing.iter().flat_map(|standing| &standing.findings))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What the report is kept under: a name for `cargo brig report --run`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The cargo command line, as typed.
    pub command: Vec<Hostile>,
    pub mode: Mode,
    /// The profile and what it inherits, most specific first; [`SHIPPED`] ones need no file.
    pub profile: Vec<String>,
    /// SHA-256-free content digest of the resolved policy (64-bit FNV-1a, hex): tells two policies apart, proves nothing.
    pub policy_digest: String,
    pub workspace: Option<Hostile>,
    /// Where that lies in its repository, if not at its top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Hostile>,
    pub target: Option<Hostile>,
    /// What was built, for whoever wants to run it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The job of a CI server that it ran in, by its address, as the server's variables say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Hostile>,
    /// Seconds since the epoch.
    pub started: u64,
    pub duration_ms: u64,
    /// In a target directory of its own (`--fresh`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// How long cargo was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    #[serde(default)]
    pub phases: Phases,
    #[serde(default)]
    pub costs: Costs,
}

/// When cargo itself had a network. What it starts is another matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// It fetched what was missing, before it built.
    pub fetched: bool,
    /// It had none while it did what was typed.
    pub offline: bool,
    /// How often it wanted one all the same, and did not get it.
    pub wanted: u64,
}

/// What confinement itself cost in this run, for `scripts/bench` and for complaints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Mean time from an actor's exec stop to its release, microseconds.
    pub confine_us: u64,
    /// The first look at a stack, microseconds; 0 when there was none.
    pub blame_first_us: u64,
    /// Median of the later ones, microseconds.
    pub blame_later_us: u64,
    /// Peak resident memory of the supervisor, KiB.
    pub peak_memory_kib: u64,
    /// Processor time of the supervisor, milliseconds: without cargo and what it starts. Since it has been recorded.
    #[serde(default)]
    pub processor_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    pub kernel: String,
    pub arch: String,
    pub rustc: Option<String>,
    pub cargo: Option<String>,
    pub user: String,
}

/// What was really enforced, on this machine, in this run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforcement {
    pub landlock_abi: u32,
    /// The probe child was refused what it had to be refused.
    pub probed: bool,
    /// `private-network`, `loopback-device` or `no-sockets`.
    pub sockets: String,
    /// What is weaker here than on a current kernel, and what that means; empty when nothing is.
    pub degraded: Vec<Weakness>,
    /// The repository's own policy file granted more than what would have been in force without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loosened: Option<Loosened>,
    /// Files that say what is the least, and that nothing in force may have more than.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub floors: Vec<Hostile>,
    /// Code that somebody else's lock of behaviours has accepted, and this workspace's has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouched: Vec<Vouched>,
}

/// A lock of others that vouches for nobody in a run, as it is not the file that `brig.lock` pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpinned {
    pub name: String,
    /// The package it lies in, and its version.
    pub of: Option<(String, String)>,
    /// Another file was pinned; else none yet.
    pub changed: bool,
}

/// One package's one kind of code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// `[imports.NAME]`
    pub import: String,
    pub name: String,
    pub version: String,
    /// `build-script`, `proc-macro` or `library`.
    pub what: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loosened {
    pub file: Hostile,
    /// The profile that would have been in force.
    pub than: String,
    /// One phrase per grant, in the words of that file.
    pub grants: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weakness {
    pub what: String,
    pub means: String,
    /// The gate holds it by itself: one wall instead of two.
    #[serde(default)]
    pub covered: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Packages of the build graph that have a build script or are a proc-macro; `None` when the graph was not read.
    pub units: Option<u64>,
    /// Actors that ran, by kind.
    pub ran: BTreeMap<String, u64>,
    /// Build scripts and macros of the graph that did not run because cargo found them fresh.
    pub fresh: Option<u64>,
    /// Those cargo did not come to, because it failed or was ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_reached: Option<u64>,
    pub events: u64,
    /// Events that could not be read or recorded.
    pub lost: u64,
    /// What was lost, in our own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<String>,
    /// Findings without a package.
    pub unattributed: u64,
    pub complete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictWord {
    /// Things ran and stayed inside the profile.
    Clean,
    /// Observe mode.
    Observed,
    /// At least one violation.
    Violation,
    /// Code, or something it did, that nobody has accepted (`brig.lock`).
    Unaccepted,
    /// Nothing ran: nothing is known.
    NotRun,
    /// The record has holes.
    Incomplete,
    /// The build took longer than it was given: what ran stayed inside the profile, the rest is not known.
    TimedOut,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub verdict: VerdictWord,
    pub exit_code: u8,
    /// Cargo's own exit code, 128+signal when it was killed.
    pub cargo_exit: Option<i32>,
    /// Ended by us because its time was over.
    #[serde(default)]
    pub timed_out: bool,
    /// A package that must not be there kept the build from beginning, or from going on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub barred: bool,
    /// Descriptors beyond the first three that the user opened for a program, and that it got.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<i32>,
    /// Those that it did not get, where it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<i32>,
    pub counts: Counts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub actors: u64,
    pub processes: u64,
    /// How often something was tried that broke a rule, and was refused: an act that was tried again counts again.
    pub refused: u64,
    /// The same of what was let through.
    pub observed: u64,
    /// Findings by severity: one may be about many acts, and a correlation is about acts of others.
    pub findings: BTreeMap<String, u64>,
}

/// Refused without alarm, or withheld, from an actor that failed. Whether it failed because of that, nobody can know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub actor: ActorId,
    #[serde(flatten)]
    pub act: Act,
    /// The line of `brig.toml` that would allow it, where a line would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<String>,
}

/// What a reviewed allow let happen that the profile refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedUse {
    #[serde(flatten)]
    pub by: Reviewed,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotate {
    pub path: Hostile,
    /// The first who read it.
    pub actor: ActorId,
    /// One who read it was after the network, too.
    pub networked: bool,
}

/// Aggregated behaviour of one actor: one entry per distinct (act, status), paths normalised with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    pub actor: ActorId,
    #[serde(flatten)]
    pub act: Act,
    /// What goes without saying is not said, of tens of thousands of them.
    #[serde(default = "allowed", skip_serializing_if = "is_allowed")]
    pub status: Status,
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub count: u64,
    /// When it was first done, in milliseconds since the run began; 0 where that was not written down.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first_ms: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn allowed() -> Status {
    Status::Allowed
}

fn is_allowed(status: &Status) -> bool {
    *status == Status::Allowed
}

fn once() -> u64 {
    1
}

fn is_once(count: &u64) -> bool {
    *count == 1
}
