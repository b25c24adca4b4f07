//! Which socket a descriptor is: by the inode of the sockets the gate handed out, in a bounded table, and otherwise by asking a duplicate.

use std::collections::{HashMap, VecDeque};

/// Where a socket was born, which is where its packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The actor's own network namespace: nothing leaves.
    Private,
    /// The host's namespace, bound to the device `lo`: the host's own loopback services can be reached.
    Loopback,
    /// The host's namespace, connected by the gate to a judged address.
    Host,
    /// Not made by the gate: inherited or received.
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub family: i32,
    /// Without flags.
    pub kind: i32,
    pub protocol: i32,
    pub place: Place,
}

impl Known {
    /// `AF_INET` or `AF_INET6`?
    pub fn is_inet(&self) -> bool {
        matches!(self.family, libc::AF_INET | libc::AF_INET6)
    }

    /// A datagram socket that could reach the host's network if a message said so: only the device it is bound to, or its peer, keeps it in. Of one that
    /// has been forgotten no more is known than that.
    pub fn is_exposed(&self) -> bool {
        self.is_inet() && self.kind == libc::SOCK_DGRAM && self.place != Place::Private
    }

    /// The word reports use.
    pub fn protocol_name(&self) -> &'static str {
        match (self.kind, self.protocol) {
            (libc::SOCK_STREAM, 0 | libc::IPPROTO_TCP) => "tcp",
            (libc::SOCK_DGRAM, 0 | libc::IPPROTO_UDP) => "udp",
            (_, libc::IPPROTO_MPTCP) => "mptcp",
            (_, libc::IPPROTO_SCTP) => "sctp",
            (libc::SOCK_DGRAM, libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6) => "icmp",
            _ => "raw",
        }
    }
}

/// Inode → socket. The oldest go first when it is full; a socket that was forgotten is asked itself.
#[derive(Default)]
pub struct Inodes {
    known: HashMap<u64, Known>,
    order: VecDeque<u64>,
}

const MOST: usize = 16 * 1024;

impl Inodes {
    pub fn insert(&mut self, inode: u64, known: Known) {
        if self.known.insert(inode, known).is_none() {
            self.order.push_back(inode);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub fn get(&self, inode: u64) -> Option<Known> {
        self.known.get(&inode).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_bounded() {
        let mut inodes = Inodes::default();
        let known = Known { family: libc::AF_INET, kind: libc::SOCK_STREAM, protocol: 0, place: Place::Private };
        for inode in 0..(MOST as u64 + 10) {
            inodes.insert(inode, known);
        }
        assert_eq!(inodes.known.len(), MOST);
        assert_eq!(inodes.order.len(), MOST);
        assert_eq!(inodes.get(9), None);
        assert_eq!(inodes.get(10), Some(known));
    }
}
