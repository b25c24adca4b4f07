//! What a rule says, before the mode is looked at.

use libc::EACCES;

use crate::judge::policy::Policy;
use crate::model::act::ObjectKind;
use crate::model::{Breach, Object, Rule, Severity};

/// What the rules say, before the mode is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    Allow,
    /// Hand over a copy without the credentials.
    Redact,
    /// Allowed, and worth a line in the report.
    Note(Breach),
    /// Refused with this errno; recorded, no alarm.
    Quiet(i32),
    /// Refused with this errno, and a finding.
    Alarm(i32, Breach),
}

impl Ruling {
    pub(crate) fn weight(&self) -> (u8, Option<Severity>) {
        match self {
            Ruling::Allow => (0, None),
            Ruling::Redact => (1, None),
            Ruling::Note(breach) => (2, Some(breach.severity)),
            Ruling::Quiet(_) => (3, None),
            Ruling::Alarm(_, breach) => (4, Some(breach.severity)),
        }
    }
}

pub(crate) fn alarm(policy: &Policy, rule: Rule, severity: Severity, why: &str) -> Ruling {
    Ruling::Alarm(EACCES, policy.breach(rule, severity, why))
}

pub(crate) fn is_directory(object: Option<Object>) -> bool {
    object.is_some_and(|object| object.kind == ObjectKind::Directory)
}
