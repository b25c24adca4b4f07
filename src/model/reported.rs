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
}

impl ReportedActor {
    /// The role of a compiler that compiles a macro.
    pub const OF_A_MACRO: &str = "proc-macro";
}
