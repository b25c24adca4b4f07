//! `net/dns`: a name was looked up. Names alone can carry secrets out, one label at a time.

use crate::judge::policy::Policy;
use crate::judge::rules::net_connect::{names_host, split};
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Rule, Severity};

pub(crate) fn lookup(policy: &Policy, name: &[u8]) -> Ruling {
    if policy.is_trusted() || name.eq_ignore_ascii_case(b"localhost") || name.eq_ignore_ascii_case(b"localhost.") {
        return Ruling::Allow;
    }
    let named = policy.connect.iter().filter_map(|entry| split(entry)).any(|(host, _)| host == "*" || names_host(host, name));
    if named {
        return Ruling::Allow;
    }
    let metadata = names_host("metadata.google.internal", name);
    let severity = if metadata { Severity::High } else { Severity::Medium };
    alarm(policy, Rule::NetDns, severity, "lookup of a host that `connect` does not name")
}
