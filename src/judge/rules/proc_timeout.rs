//! `proc/timeout`: a process still ran when the time for the build was over. Told, never held against anybody: the slow are not thieves.

use crate::model::{Breach, Rule, Severity};

/// `why` says how long it had, and how long it ran.
pub fn breach(why: String) -> Breach {
    Breach { rule: Rule::ProcTimeout, severity: Severity::Info, reason: why }
}
