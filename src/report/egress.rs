//! Where a build went: one `host:port` a line, as egress firewalls take them, each below the crates that need it. In: a `&Report`. Out: text in which every
//! line that is no comment is a destination that policy allows. What was refused, and what was let through only because nothing was, is a comment: whoever
//! takes the list as it is opens nothing that the walls have closed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::SocketAddr;

use super::crates::Blamed;
use super::escape;
use super::plain::PLAIN;
use super::wording::times;
use crate::model::report::{Behaviour, Report};
use crate::model::{Act, Endpoint, Hostile, Status};

/// Crates that are named for one destination.
const LISTED: usize = 20;

/// Who was after a destination, and what became of that.
#[derive(Default)]
struct Use {
    /// Policy lets somebody go there.
    allowed: bool,
    by: BTreeMap<String, (Status, u64)>,
}

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    let (mut endpoints, mut names): (BTreeMap<String, Use>, BTreeMap<String, Use>) = (BTreeMap::new(), BTreeMap::new());
    let mut reached: BTreeSet<&Hostile> = BTreeSet::new();
    let mut within: u64 = 0;
    let blamed = Blamed::of(report);
    for did in &report.behaviour {
        let used = match &did.act {
            Act::Connect { to: Endpoint::Ip { protocol, address, host } } | Act::Send { to: Endpoint::Ip { protocol, address, host } } => {
                if address.ip().is_loopback() {
                    within = within.saturating_add(did.count);
                    continue;
                }
                reached.extend(host);
                (endpoints.entry(endpoint(address, host.as_ref())).or_default(), Some(protocol))
            }
            Act::Lookup { name, .. } => (names.entry(escape::quoted(name)).or_default(), None),
            _ => continue,
        };
        note(report, &blamed, did, used);
    }
    // Whoever went there had to look it up.
    reached.iter().for_each(|host| drop(names.remove(&escape::quoted(host))));
    writeln!(w, "# Where the code of this build went: `host:port`, one a line, below who needs it.")?;
    writeln!(w, "# What begins with `#` is closed, or was open only while nothing was refused; `grep -v '^#'` leaves the rest.")?;
    if report.run.phases.fetched || !report.run.phases.offline {
        writeln!(w, "# Cargo itself had a network: where it fetched from is not in this list.")?;
    }
    if within > 0 {
        writeln!(
            w,
            "# Left out, as no firewall sees it: what was after an address of this machine itself{}, done or refused.",
            times(within)
        )?;
    }
    if endpoints.is_empty() && names.is_empty() {
        writeln!(w, "\n# {}", if within > 0 { "Nobody was after anything beyond this machine." } else { "Nobody went anywhere." })?;
    }
    for (what, used) in &endpoints {
        users(w, used)?;
        writeln!(w, "{}{what}", if used.allowed && is_plain(what) { "" } else { "#" })?;
    }
    for (name, used) in &names {
        users(w, used)?;
        writeln!(w, "# {name} (looked up, and no more)")?;
    }
    Ok(())
}

fn note(report: &Report, blamed: &Blamed, did: &Behaviour, (used, protocol): (&mut Use, Option<&String>)) {
    let actor = report.actor(did.actor);
    let subject = actor.map_or_else(|| "an unknown actor".to_owned(), |actor| PLAIN.subject(report, actor));
    let whom = blamed.another(actor, did).map(|whom| format!("{}, in the ", PLAIN.package(whom))).unwrap_or_default();
    let protocol: String = protocol.map_or("dns", String::as_str).chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let (status, count) = used.by.entry(format!("{whom}{subject}: {protocol}")).or_insert((did.status, 0));
    (*status, *count) = (did.status.max(*status), count.saturating_add(did.count));
    used.allowed |= did.status == Status::Allowed;
}

fn users(w: &mut dyn Write, used: &Use) -> io::Result<()> {
    writeln!(w)?;
    for (who, (status, count)) in used.by.iter().take(LISTED) {
        let fate = match status {
            Status::Allowed => "",
            Status::Redacted => ", changed",
            Status::Decoy => ", to a sink, enforce would refuse it",
            Status::Observed => ", let through, enforce would refuse it",
            Status::Refused => ", refused",
        };
        writeln!(w, "# {who}{}{fate}", times(*count))?;
    }
    match used.by.len().saturating_sub(LISTED) {
        0 => Ok(()),
        left => writeln!(w, "# and {left} more"),
    }
}

/// The name where one is known that can be one, else the address.
fn endpoint(address: &SocketAddr, host: Option<&Hostile>) -> String {
    let is_name = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        !name.is_empty() && name.len() <= 253 && name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    let name = host.and_then(|host| std::str::from_utf8(host.as_bytes()).ok()).filter(|name| is_name(name));
    name.map_or_else(|| address.to_string(), |name| format!("{name}:{}", address.port()))
}

/// A destination that a list can hold: without a port (a raw socket has none) it would be more than anybody wanted.
fn is_plain(what: &str) -> bool {
    !what.ends_with(":0")
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
