//! `proc/survivor`: a process outlived the build.

use libc::EPERM;

use crate::judge::policy::Policy;
use crate::judge::ruling::Ruling;
use crate::model::{Rule, Severity};

pub(crate) fn outlived(policy: &Policy) -> Ruling {
    let severity = if policy.is_build_time() { Severity::High } else { Severity::Low };
    Ruling::Alarm(EPERM, policy.breach(Rule::ProcSurvivor, severity, "nothing outlives the build"))
}
