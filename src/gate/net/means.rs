//! How inet sockets are kept from leaving, and their making by the best means this machine has. In: what to make. Out: a socket from which
//! nothing leaves, or an error that the caller must turn into a refusal.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::OnceLock;

use super::broker::Broker;
use super::known::Place;
use super::workers::Workers;
use crate::sys::{pidfd, socket};

/// Lowers what is used, for tests: `loopback-device`, `no-sockets`, or `no-duplicates` (as where `pidfd_getfd` is denied). It cannot raise.
const LOWER: &str = "BRIG_TEST_SOCKETS";

/// How inet sockets are kept from leaving.
pub enum Means {
    /// Born in a network namespace of the actor.
    Private(Broker),
    /// Bound to the device `lo` of the host.
    LoopbackDevice,
    /// Not handed out.
    None,
}

/// Makes inet sockets for all actors of a run.
pub struct Maker {
    only: Option<&'static str>,
    means: OnceLock<Means>,
    pub workers: Workers,
    /// Whether actors' descriptors may be duplicated. Where not (Docker's profile refuses `pidfd_getfd`), networks keep a handle on each
    /// socket they give until its first use.
    pub duplicates: bool,
}

impl Maker {
    /// These means (by their name, see `kind`) or none at all.
    pub fn only(means: Option<&'static str>) -> Maker {
        let duplicates = lowered() != "no-duplicates" && duplicates_are_had();
        Maker { only: means, means: OnceLock::new(), workers: Workers::default(), duplicates }
    }

    /// `private-network`, `loopback-device` or `no-sockets`: what holds on this machine. Finds out when that is not known yet.
    pub fn kind(&self) -> &'static str {
        match self.means() {
            Means::Private(_) => "private-network",
            Means::LoopbackDevice => "loopback-device",
            Means::None => "no-sockets",
        }
    }

    fn means(&self) -> &Means {
        self.means.get_or_init(|| {
            let lowered = lowered();
            let wanted = |means: &str| self.only.is_none_or(|only| only == means);
            if matches!(lowered.as_str(), "" | "no-duplicates")
                && wanted("private-network")
                && let Ok(broker) = Broker::start()
            {
                return Means::Private(broker);
            }
            if lowered != "no-sockets" && wanted("loopback-device") && on_loopback_device(libc::AF_INET, libc::SOCK_DGRAM, 0).is_ok() {
                return Means::LoopbackDevice;
            }
            Means::None
        })
    }

    /// Were other means promised than hold now? The report would say what is not so.
    pub fn broken(&self) -> bool {
        self.only.is_some_and(|promised| promised != self.kind())
    }

    /// A socket of this actor, and where it was born. `kind` may carry `SOCK_NONBLOCK`.
    ///
    /// # Errors
    /// What the kernel said, or `EPERM` where none may exist.
    pub fn socket(&self, namespace: u32, family: i32, kind: i32, protocol: i32) -> io::Result<(OwnedFd, Place)> {
        match self.means() {
            Means::Private(broker) => Ok((broker.socket(namespace, family, kind, protocol)?, Place::Private)),
            Means::LoopbackDevice => Ok((on_loopback_device(family, kind, protocol)?, Place::Loopback)),
            Means::None => Err(io::Error::from_raw_os_error(libc::EPERM)),
        }
    }

    /// The actor with this namespace needs no more sockets.
    pub fn close(&self, namespace: u32) {
        if let Some(Means::Private(broker)) = self.means.get() {
            broker.close(namespace);
        }
    }

    /// The process of ours that makes the sockets, once there is one.
    pub fn broker(&self) -> Option<i32> {
        match self.means.get() {
            Some(Means::Private(broker)) => broker.pid(),
            _ => None,
        }
    }
}

/// Asked of ourselves, whom the kernel lets do it: a refusal comes from a filter around us.
fn duplicates_are_had() -> bool {
    let us = pidfd::open(std::process::id(), 0);
    us.is_ok_and(|us| pidfd::get_fd(us.as_fd(), us.as_raw_fd()).is_ok())
}

fn lowered() -> String {
    std::env::var(LOWER).unwrap_or_default()
}

/// An inet socket of the host that only reaches the device `lo`. socket(7): binding needs no privilege, undoing it does (Linux 5.7).
pub fn on_loopback_device(family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    let made = socket::create(family, kind | libc::SOCK_CLOEXEC, protocol)?;
    socket::set_option(made.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"lo\0")?;
    Ok(made)
}

/// A socket type without its flags.
pub fn bare(kind: i32) -> i32 {
    kind & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK)
}
