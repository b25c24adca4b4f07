//! `socket(2)`: which sockets exist at all, and where inet ones are born. Decided on register values only.

use std::os::fd::AsFd;

use super::asked::{errno, network_of, refusal};
use super::endpoint;
use super::means::bare;
use crate::gate::{Answer, Call};
use crate::model::{Act, Mode};

/// Answers `socket(family, type, protocol)`.
pub fn socket(call: &Call<'_>) -> Answer {
    let [family, kind, protocol] = [call.args[0], call.args[1], call.args[2]].map(|register| register as u32 as i32);
    match sort(family, bare(kind), protocol) {
        Sort::Local => Answer::Continue,
        // Whoever is root could reconfigure the host's network through it.
        Sort::Routes if nix::unistd::geteuid().is_root() && (call.enforces() || call.watched.sockets.sinks()) => {
            inet(call, family, kind, protocol)
        }
        Sort::Routes => Answer::Continue,
        Sort::Inet => inet(call, family, kind, protocol),
        Sort::Odd => {
            let kind = odd_name(bare(kind), protocol);
            if call.watched.sockets.sinks() {
                // It would be one of the host's.
                return call.refuse(Act::Socket { family: endpoint::family_name(family), kind }, None, libc::EACCES);
            }
            match refusal(&call.judge(Act::Socket { family: endpoint::family_name(family), kind }, None)) {
                Some(errno) => Answer::Errno(errno),
                None => Answer::Continue,
            }
        }
    }
}

fn inet(call: &Call<'_>, family: i32, kind: i32, protocol: i32) -> Answer {
    let sockets = &call.watched.sockets;
    let network = network_of(call);
    let observed = call.watched.policy.mode == Mode::Observe && sockets.kind() != "private-network" && !sockets.sinks();
    // Observe refuses nothing: where the private network is missing, the socket is the host's and its connects are still judged and seen.
    let made = if sockets.sinks() && sockets.kind() != "private-network" {
        Err(std::io::Error::from_raw_os_error(libc::EPERM))
    } else if observed {
        network.outside(family, kind, protocol)
    } else {
        network.give(family, kind, protocol)
    };
    match made.and_then(|fd| network.keep(fd.as_fd()).map(|()| fd)) {
        Ok(fd) => Answer::AddFd { fd, cloexec: kind & libc::SOCK_CLOEXEC != 0 },
        Err(_) if sockets.broken() => {
            call.watched.journal.lost("the means by which inet sockets were to be kept in could not be had after all: none were made");
            Answer::Errno(libc::EPERM)
        }
        Err(_) if sockets.kind() == "no-sockets" => {
            let act = Act::Socket { family: endpoint::family_name(family), kind: odd_name(bare(kind), protocol) };
            Answer::Errno(refusal(&call.judge(act, None)).unwrap_or(libc::EPERM))
        }
        Err(error) => {
            // Anything but EPERM is what the kernel says of such a socket anywhere: no IPv6 here, too many open.
            if errno(&error) == libc::EPERM {
                call.watched.journal.lost("an inet socket could not be made in the actor's own network");
            }
            Answer::Errno(errno(&error))
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Sort {
    /// Unix: stays on this machine, judged at connect.
    Local,
    /// Route netlink: libcs ask it for addresses.
    Routes,
    /// TCP or UDP.
    Inet,
    Odd,
}

fn sort(family: i32, kind: i32, protocol: i32) -> Sort {
    match (family, kind, protocol) {
        // The kernel makes a datagram socket of SOCK_RAW here (net/unix/af_unix.c).
        (libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_DGRAM | libc::SOCK_SEQPACKET | libc::SOCK_RAW, 0 | libc::AF_UNIX) => Sort::Local,
        (libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_DGRAM, libc::NETLINK_ROUTE) => Sort::Routes,
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM, 0 | libc::IPPROTO_TCP) => Sort::Inet,
        (libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM, 0 | libc::IPPROTO_UDP) => Sort::Inet,
        _ => Sort::Odd,
    }
}

fn odd_name(kind: i32, protocol: i32) -> String {
    let kind = match kind {
        libc::SOCK_STREAM => "stream",
        libc::SOCK_DGRAM => "datagram",
        libc::SOCK_RAW => "raw",
        libc::SOCK_SEQPACKET => "seqpacket",
        _ => "other",
    };
    match protocol {
        0 => kind.into(),
        libc::IPPROTO_MPTCP => format!("{kind} mptcp"),
        libc::IPPROTO_SCTP => format!("{kind} sctp"),
        libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6 => format!("{kind} icmp"),
        other => format!("{kind} protocol {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_exist() {
        use libc::*;
        for (family, kind, protocol, expected) in [
            (AF_UNIX, SOCK_STREAM, 0, Sort::Local),
            (AF_UNIX, SOCK_DGRAM, 0, Sort::Local),
            (AF_UNIX, SOCK_SEQPACKET, 0, Sort::Local),
            (AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, Sort::Routes),
            (AF_NETLINK, SOCK_RAW, NETLINK_AUDIT, Sort::Odd),
            (AF_INET, SOCK_STREAM, 0, Sort::Inet),
            (AF_INET6, SOCK_DGRAM, IPPROTO_UDP, Sort::Inet),
            (AF_INET, SOCK_STREAM, IPPROTO_MPTCP, Sort::Odd),
            (AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, Sort::Odd),
            (AF_INET, SOCK_RAW, IPPROTO_RAW, Sort::Odd),
            (AF_INET, SOCK_DGRAM, IPPROTO_ICMP, Sort::Odd),
            (AF_PACKET, SOCK_RAW, 0, Sort::Odd),
            (AF_VSOCK, SOCK_STREAM, 0, Sort::Odd),
            (AF_ALG, SOCK_SEQPACKET, 0, Sort::Odd),
            (-1, -1, -1, Sort::Odd),
        ] {
            assert_eq!(sort(family, kind, protocol), expected, "{family} {kind} {protocol}");
        }
        assert_eq!(odd_name(SOCK_STREAM, IPPROTO_MPTCP), "stream mptcp");
    }
}
