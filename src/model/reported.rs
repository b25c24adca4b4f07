//! An actor as a report tells of it.

use serde::{Deserialize, Serialize};

use super::actor::{ActorId, ActorKind, Package};
use super::hostile::Hostile;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedActor {
    pub id: ActorId,
    pub kind: ActorKind,
    pub package: Option<Package>,
    /// The compiler a proc-macro or linker ran in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<ActorId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crate_name: Option<String>,
    /// Of a program: `tests`, `doctests`, `benches`, `example` or `program`; of a compiler that compiles a macro: `proc-macro`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Why the package is in the graph: a path from a workspace member.
    pub path_in_graph: Vec<String>,
    pub attributed_by: String,
    /// Environment names that were withheld.
    pub withheld: Vec<String>,
    /// What of the package it was, spelt the same in every run: by it a later run tells that the same code ran again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Of a program: what it was started with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Hostile>,
    /// It ended with another code than 0, or by a signal. Not known before Linux 6.15.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Of the process cargo started; 0 where there was none, or it is another actor's.
    #[serde(default, skip_serializing_if = "is_none")]
    pub pid: u32,
    /// What that was started with, without credentials; nothing of what was found inside another actor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<Hostile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran: Option<Span>,
}

/// A package whose code ran, or that a finding names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedPackage {
    pub name: String,
    pub version: String,
    /// `pkg:cargo/quickfetch-sys@0.3.2`
    pub purl: String,
    /// Cargo's source string; none of a package that lies in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The directory of its `Cargo.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Hostile>,
    /// A member of the workspace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub member: bool,
    /// A member depends on it itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub direct: bool,
}

/// One line of the policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyLine {
    /// Whom it is for: `build-script`, `rustc`, … or a table of cargo's own.
    pub actor: String,
    /// `read`, `write`, `exec`, `connect` …
    pub list: String,
    pub entry: String,
    /// `profiles/default.toml:12`
    pub origin: String,
}

/// When an actor ran, in milliseconds since the run began, and how that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub started_ms: u64,
    /// When the last of its processes was gone; absent where one was left when cargo had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
    /// The code its first process ended with, 128+signal where it was killed. Not known before Linux 6.15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
}

fn is_none(pid: &u32) -> bool {
    *pid == 0
}

impl ReportedActor {
    /// The role of a compiler that compiles a macro.
    pub const OF_A_MACRO: &str = "proc-macro";
}
