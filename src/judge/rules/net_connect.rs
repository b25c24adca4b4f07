//! `net/connect`: a connection or datagram to a destination the profile does not name, or a socket of a family that is not handed out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libc::EACCES;

use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Endpoint, Rule, Severity};

pub(crate) fn connect(policy: &Policy, to: &Endpoint) -> Ruling {
    match reach(policy, to) {
        Reach::Host | Reach::Private => Ruling::Allow,
        Reach::Resolver => alarm(policy, Rule::NetDns, Severity::Medium, "connect (a name server)"),
        Reach::Nowhere => match to {
            Endpoint::Ip { address, .. } if is_metadata(address.ip()) => {
                alarm(policy, Rule::NetConnect, Severity::Critical, "connect (the cloud's metadata service: it hands out credentials)")
            }
            Endpoint::Ip { address, .. } if meant(address.ip()).is_loopback() => neighbour(policy),
            Endpoint::Ip { .. } => alarm(policy, Rule::NetConnect, Severity::High, "connect"),
            _ => alarm(policy, Rule::NetConnect, Severity::Medium, "connect"),
        },
    }
}

/// Not the actor's own, and not far away: databases, relays, build servers.
pub(crate) fn neighbour(policy: &Policy) -> Ruling {
    alarm(policy, Rule::NetConnect, Severity::Medium, "connect (a service on this machine)")
}

/// Where a connection may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The profile names the destination: the host's network.
    Host,
    /// Allowed, but only inside the actor's private network.
    Private,
    /// A name server: refused, unless the gate wants to learn the name by letting the question be asked inside the private network.
    Resolver,
    Nowhere,
}

pub(crate) fn reach(policy: &Policy, to: &Endpoint) -> Reach {
    let Endpoint::Ip { address, host, .. } = to else {
        return if policy.is_trusted() { Reach::Host } else { Reach::Nowhere };
    };
    let ip = meant(address.ip());
    let host = host.as_ref().map(|host| host.as_bytes());
    let named = policy.connect.iter().any(|entry| names(entry, ip, host, address.port()));
    if named && (!is_metadata(ip) || policy.connect.iter().any(|entry| names_address(entry, ip))) {
        return Reach::Host;
    }
    if ip.is_loopback() && address.port() != 53 && policy.connect.iter().any(|entry| entry == "loopback") {
        return Reach::Private;
    }
    if address.port() == 53 && !is_metadata(ip) { Reach::Resolver } else { Reach::Nowhere }
}

/// Does this entry name the destination?
pub(crate) fn is_named(entry: &str, to: &Endpoint) -> bool {
    let Endpoint::Ip { address, host, .. } = to else { return false };
    if entry == "loopback" {
        return meant(address.ip()).is_loopback();
    }
    names(entry, meant(address.ip()), host.as_ref().map(|host| host.as_bytes()), address.port())
}

/// The address the kernel takes it for: the unspecified one is this machine.
fn meant(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// `host:port`, `address:port`, `[v6]:port`, `*` for either part.
fn names(entry: &str, ip: IpAddr, host: Option<&[u8]>, port: u16) -> bool {
    let Some((name, wanted)) = split(entry) else { return false };
    let port_fits = wanted == "*" || wanted.parse() == Ok(port);
    let local = name == "localhost" && ip.is_loopback();
    port_fits && (name == "*" || local || name.parse() == Ok(ip) || host.is_some_and(|host| names_host(name, host)))
}

/// Metadata services are only reached by an entry that spells the address.
fn names_address(entry: &str, ip: IpAddr) -> bool {
    split(entry).is_some_and(|(name, _)| name.parse() == Ok(ip))
}

/// Host part and port part of an entry.
pub(crate) fn split(entry: &str) -> Option<(&str, &str)> {
    let (name, port) = entry.rsplit_once(':')?;
    Some((name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name), port))
}

/// The name itself, or a subdomain for an entry that starts with `*.`.
pub(crate) fn names_host(entry: &str, host: &[u8]) -> bool {
    let host = host.strip_suffix(b".").unwrap_or(host);
    match entry.strip_prefix("*.") {
        Some(domain) => {
            host.len() > domain.len() + 1
                && host[host.len() - domain.len()..].eq_ignore_ascii_case(domain.as_bytes())
                && host[host.len() - domain.len() - 1] == b'.'
        }
        None => host.eq_ignore_ascii_case(entry.as_bytes()),
    }
}

/// Addresses at which clouds hand out credentials (AWS, GCP, Azure, ECS, EKS, Alibaba, Oracle).
pub(crate) fn is_metadata(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            matches!(ip.octets(), [169, 254, ..] | [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192])
        }
        IpAddr::V6(ip) => ip.segments()[..2] == [0xfd00, 0x0ec2],
    }
}

/// Families that do not exist for actors. Probes of the C library, udev and crypto libraries are quiet.
pub(crate) fn socket(policy: &Policy, family: &str, _kind: &str) -> Ruling {
    let family = family.to_ascii_lowercase();
    let family = family.strip_prefix("af_").unwrap_or(&family);
    if policy.is_trusted() || family.starts_with("netlink") || family == "alg" {
        return Ruling::Quiet(EACCES);
    }
    alarm(policy, Rule::NetConnect, Severity::Medium, "sockets of this family are not handed out")
}
