//! `coverage/degraded`: a wall is weaker on this machine than the profile's authors had in mind.

use crate::model::{Breach, Rule, Severity};

/// Information when the profile does not require more; the run ends with its own exit code when it does.
pub fn breach(what: &str) -> Breach {
    Breach { rule: Rule::CoverageDegraded, severity: Severity::Info, reason: what.to_owned() }
}
