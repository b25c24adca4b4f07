//! `proc/survivor`: a process outlived the build.

use libc::EPERM;

use crate::judge::policy::Policy;
use crate::judge::ruling::Ruling;
use crate::model::{Rule, Severity};

/// `stayed`: in the session it was started in. A test that forgets a child leaves one there; what is to go on working by itself leaves it
/// (daemon(7)).
pub(crate) fn outlived(policy: &Policy, stayed: bool) -> Ruling {
    if stayed && policy.is_program() {
        return Ruling::Quiet(EPERM);
    }
    let severity = if policy.is_build_time() { Severity::High } else { Severity::Low };
    Ruling::Alarm(EPERM, policy.breach(Rule::ProcSurvivor, severity, "nothing outlives the build"))
}
