//! `ipc/agent`: a unix socket behind which somebody does things outside the wall: ssh and gpg agents, container daemons, the desktop bus,
//! terminal multiplexers, editors, keyrings.

use std::os::unix::ffi::OsStrExt;

use libc::EACCES;

use crate::judge::paths::{below, within};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Endpoint, Rule, Severity};

/// Connections and datagrams to unix sockets; `None` for everything else.
pub(crate) fn connect(policy: &Policy, to: &Endpoint) -> Option<Ruling> {
    Some(match to {
        Endpoint::UnixPath { path } => by_path(policy, path.as_bytes()),
        Endpoint::UnixAbstract { name } => by_name(policy, name.as_bytes()),
        Endpoint::Ip { .. } | Endpoint::Other { .. } => return None,
    })
}

fn by_path(policy: &Policy, path: &[u8]) -> Ruling {
    let own = policy.own.outputs.iter().chain([&policy.own.tmp]).any(|tree| below(path, tree).is_some());
    let named = policy.unix.iter().any(|tree| tree.as_os_str().as_bytes() == path);
    if own || named || policy.is_trusted() {
        return Ruling::Allow;
    }
    if policy.secrets.is_agent(path) || within(path, &policy.places.agents) {
        return alarm(policy, Rule::IpcAgent, Severity::High, "unix sockets (an agent outside the wall)");
    }
    // What a program has bound in its own package, too.
    if within(path, &policy.unix) || policy.write_depth(path).is_some() || policy.is_program() && policy.made.holds(path) {
        return Ruling::Allow;
    }
    if policy.secrets.is_quiet_socket(path) {
        return Ruling::Quiet(EACCES);
    }
    alarm(policy, Rule::IpcAgent, Severity::Medium, "unix sockets")
}

/// Abstract names are the host's, and no file's permissions guard them. The gate knows those its actor has bound itself and does not ask
/// about them; whatever else listens, listens outside.
fn by_name(policy: &Policy, name: &[u8]) -> Ruling {
    if policy.is_trusted() {
        return Ruling::Allow;
    }
    let agents: [&[u8]; 6] = [b"/tmp/.X11-unix", b"/tmp/dbus-", b"/tmp/.ICE-unix", b"/containerd-shim", b"/run/user", b"/run/systemd"];
    if agents.iter().any(|known| name.starts_with(known)) {
        return alarm(policy, Rule::IpcAgent, Severity::High, "unix sockets (an agent outside the wall)");
    }
    alarm(policy, Rule::IpcAgent, Severity::Medium, "unix sockets (an abstract name it has not bound itself)")
}
