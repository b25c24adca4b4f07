//! `env/withheld`: a variable was kept from an actor. For information: nothing was tried, and nothing can be told about who would
//! have read it, since reading one's own environment is no system call.

use crate::judge::policy::Policy;
use crate::judge::ruling::Ruling;
use crate::model::{Breach, Rule, Severity};

pub(crate) fn noted(policy: &Policy) -> Ruling {
    Ruling::Note(policy.breach(Rule::EnvWithheld, Severity::Info, "environment"))
}

/// A build script named it in `rerun-if-env-changed`: cargo, which has it, wrote its value to the fingerprints, where it was taken out again.
/// In a package of the user's own it is his variable.
pub fn kept(name: &str, is_users: bool) -> Breach {
    let severity = if is_users { Severity::Info } else { Severity::Medium };
    let reason = format!("cargo was to write the value of `{name}` to its fingerprints, in clear; it was taken out again");
    Breach { rule: Rule::EnvWithheld, severity, reason }
}
