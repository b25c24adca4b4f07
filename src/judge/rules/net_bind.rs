//! `net/bind`: something offers a service. Inside the actor's private network that is harmless and, for code being built, still odd.

use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Endpoint, Rule, Severity};

pub(crate) fn bind(policy: &Policy, to: &Endpoint) -> Ruling {
    match to {
        // A path-named socket is a file, too.
        Endpoint::UnixPath { path } if policy.write_depth(path.as_bytes()).is_none() && !policy.is_trusted() => {
            alarm(policy, Rule::NetBind, Severity::Medium, "bind (a socket outside the granted directories)")
        }
        Endpoint::Ip { .. } if policy.is_build_time() => {
            Ruling::Note(policy.breach(Rule::NetBind, Severity::Info, "bind (stays in the actor's private network)"))
        }
        Endpoint::Ip { .. } | Endpoint::UnixPath { .. } | Endpoint::UnixAbstract { .. } | Endpoint::Other { .. } => Ruling::Allow,
    }
}
