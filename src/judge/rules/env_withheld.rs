//! `env/withheld`: a variable was kept from an actor. For information: nothing was tried, and nothing can be told about who would
//! have read it, since reading one's own environment is no system call.

use crate::judge::policy::Policy;
use crate::judge::ruling::Ruling;
use crate::model::{Rule, Severity};

pub(crate) fn noted(policy: &Policy) -> Ruling {
    Ruling::Note(policy.breach(Rule::EnvWithheld, Severity::Info, "environment"))
}
