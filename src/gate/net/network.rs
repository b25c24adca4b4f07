//! One actor's network: its sockets by their inodes, its addresses, host names and servers, and its relay. In: what the calls of the actor
//! ask for. Out: sockets, and what is known of them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::endpoint;
use super::known::{Inodes, Known, Place};
use super::lock::lock;
use super::means::{Maker, bare};
use super::record::Recorder;
use super::sinks::Relay;
use super::tables;
use super::workers::Workers;
use crate::model::{Endpoint, Hostile, Mode};
use crate::sink::Sink;
use crate::sys::{netns, socket};

/// One actor's network.
pub struct Network {
    pub recorder: Recorder,
    namespace: u32,
    maker: Arc<Maker>,
    state: Mutex<State>,
    relay: Mutex<Option<Relay>>,
    workers: Workers,
    sink: Option<Arc<Sink>>,
    /// Was a datagram socket ever given that only its device, or its peer, keeps in?
    exposed: AtomicBool,
}

#[derive(Default)]
struct State {
    inodes: Inodes,
    cookie: Option<u64>,
    /// Addresses given to the namespace's loopback device.
    owned: HashSet<IpAddr>,
    /// Host names, as the judged resolvers told them.
    hosts: HashMap<IpAddr, Hostile>,
    /// Places where somebody inside is known to receive datagrams, or (loopback device only) to listen.
    held: HashSet<(&'static str, SocketAddr)>,
    /// Abstract unix names that the gate bound for the actor, each with the socket's inode.
    names: HashSet<(Vec<u8>, u64)>,
    /// Handles on sockets that were given and not used yet, by inode, oldest first.
    unused: VecDeque<(u64, OwnedFd)>,
}

const MOST_HOSTS: usize = 4096;
const MOST_HELD: usize = 4096;
const MOST_OWNED: usize = 256;
/// … where a sink answers for everybody.
const MOST_SUNK: usize = 4096;
/// A program that makes more sockets than this before it binds or connects one of them gets no servers.
const MOST_UNUSED: usize = 32;

impl Network {
    /// `namespace` is its number with the broker.
    pub fn new(recorder: Recorder, namespace: u32, maker: Arc<Maker>, sink: Option<Arc<Sink>>) -> Network {
        let workers = maker.workers.of_another();
        let exposed = AtomicBool::new(false);
        Network { recorder, namespace, maker, state: Mutex::default(), relay: Mutex::default(), workers, sink, exposed }
    }

    /// A socket of the actor, known from now on by its inode. `kind` may carry `SOCK_NONBLOCK`.
    ///
    /// # Errors
    /// What the kernel said, or `EPERM` where none may exist.
    pub fn give(&self, family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
        let (made, place) = self.maker.socket(self.namespace, family, kind, protocol)?;
        if place == Place::Private {
            lock(&self.state).cookie = socket::netns_cookie(made.as_fd()).ok();
        }
        self.note(made.as_fd(), Known { family, kind: bare(kind), protocol, place })?;
        Ok(made)
    }

    /// Keeps a handle on a socket that is about to be given, where its duplicate could not be had later.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub fn keep(&self, given: BorrowedFd<'_>) -> io::Result<()> {
        if self.maker.duplicates {
            return Ok(());
        }
        let inode = socket::inode(given)?.ok_or(io::ErrorKind::InvalidData)?;
        let handle = given.try_clone_to_owned()?;
        let mut state = lock(&self.state);
        if state.unused.len() >= MOST_UNUSED {
            state.unused.pop_front();
        }
        state.unused.push_back((inode, handle));
        Ok(())
    }

    /// The handle on the socket with this inode, once: from its first use on, closing it must be up to the actor alone.
    pub fn kept(&self, inode: u64) -> Option<OwnedFd> {
        let mut state = lock(&self.state);
        let at = state.unused.iter().position(|(of, _)| *of == inode)?;
        state.unused.remove(at).map(|(_, handle)| handle)
    }

    /// Is there a way out of the actor's network, for what is allowed? Among decoys, and where a sink stands, there is none, whatever a profile says.
    ///
    /// # Errors
    /// `ENETUNREACH` where there is none.
    pub fn leads_out(&self) -> io::Result<()> {
        let closed = self.sink.is_some() || self.recorder.policy.mode == Mode::Decoy;
        if closed { Err(io::Error::from_raw_os_error(libc::ENETUNREACH)) } else { Ok(()) }
    }

    /// A socket of the host's own namespace, for an address that was judged and allowed.
    pub fn outside(&self, family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
        self.leads_out()?;
        let made = socket::create(family, kind | libc::SOCK_CLOEXEC, protocol)?;
        self.note(made.as_fd(), Known { family, kind: bare(kind), protocol, place: Place::Host })?;
        Ok(made)
    }

    fn note(&self, socket: BorrowedFd<'_>, known: Known) -> io::Result<()> {
        let inode = socket::inode(socket)?.ok_or(io::ErrorKind::InvalidData)?;
        if known.is_exposed() {
            self.exposed.store(true, Ordering::Relaxed);
        }
        lock(&self.state).inodes.insert(inode, known);
        Ok(())
    }

    /// Has the actor ever had a datagram socket outside a private network? Stored before the actor has its first one.
    pub fn is_exposed(&self) -> bool {
        self.exposed.load(Ordering::Relaxed)
    }

    /// What is known of the socket with this inode.
    pub fn known(&self, inode: u64) -> Option<Known> {
        lock(&self.state).inodes.get(inode)
    }

    /// `SO_NETNS_COOKIE` of the private namespace.
    pub fn cookie(&self) -> Option<u64> {
        lock(&self.state).cookie
    }

    /// Is there one of the actor's own, out of which nothing leads?
    pub fn is_private(&self) -> bool {
        self.maker.kind() == "private-network"
    }

    /// The endpoint as reports show it, with the host name where a judged resolver told one.
    pub fn endpoint(&self, protocol: &str, address: SocketAddr) -> Endpoint {
        let host = lock(&self.state).hosts.get(&address.ip()).cloned();
        Endpoint::Ip { protocol: protocol.into(), address, host }
    }

    /// A judged resolver has told these addresses of a host.
    pub fn learn(&self, name: &[u8], addresses: &[IpAddr]) {
        let mut state = lock(&self.state);
        for address in addresses {
            if state.hosts.len() < MOST_HOSTS {
                state.hosts.insert(address.to_canonical(), Hostile::new(name));
            }
        }
    }

    /// Whether somebody inside receives datagrams at `address`. A port that can be bound has no owner; binding without delivering
    /// anything is the one question that does not disturb. What was held once counts as held: nothing leaves either way.
    pub fn holds_udp(&self, address: SocketAddr) -> bool {
        if self.listens("udp", address) {
            return true;
        }
        let family = endpoint::family_of(address.ip());
        let taken = match self.give(family, libc::SOCK_DGRAM, 0) {
            Ok(probe) => {
                socket::bind(probe.as_fd(), &endpoint::encode(address, family)).is_err_and(|e| e.raw_os_error() == Some(libc::EADDRINUSE))
            }
            Err(_) => false,
        };
        if taken {
            self.hold("udp", address);
        }
        taken
    }

    /// Somebody inside was seen to bind `address`.
    pub fn hold(&self, protocol: &'static str, address: SocketAddr) {
        let mut state = lock(&self.state);
        if state.held.len() < MOST_HELD {
            state.held.insert((protocol, address));
        }
    }

    /// An abstract unix name is the actor's own for as long as this socket has it.
    pub fn bound(&self, name: Vec<u8>, inode: u64) {
        tables::is_named(&name);
        let mut state = lock(&self.state);
        if state.names.len() < MOST_HELD {
            state.names.insert((name, inode));
        }
    }

    /// Is this abstract unix name the actor's own, for a socket of type `kind`?
    pub fn has_bound(&self, name: &[u8], kind: i32) -> bool {
        let inodes: Vec<u64> = lock(&self.state).names.iter().filter(|(own, _)| own == name).map(|(_, inode)| *inode).collect();
        inodes.into_iter().any(|inode| tables::has_name(inode, kind, name))
    }

    /// Was somebody inside seen to bind `address`, or its port on every address, and does nobody else receive there?
    pub fn listens(&self, protocol: &'static str, address: SocketAddr) -> bool {
        let any: IpAddr = if address.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
        let held = |ip| lock(&self.state).held.contains(&(protocol, SocketAddr::new(ip, address.port())));
        if ![address.ip(), any].into_iter().any(held) {
            return false;
        }
        // In a namespace of its own nobody else is. On the host's device the port may have become another's, or be shared with one.
        let own = |inodes: Vec<u64>| inodes.into_iter().all(|inode| self.known(inode).is_some());
        self.is_private() || tables::at_port(protocol, address.port()).is_some_and(own)
    }

    /// Makes `address` one of the private namespace's own, so that a sink there can stand in for it.
    pub fn own(&self, address: IpAddr) -> io::Result<()> {
        if endpoint::is_local(address) || lock(&self.state).owned.contains(&address) {
            return Ok(());
        }
        let probe = self.give(endpoint::family_of(address), libc::SOCK_DGRAM, 0)?;
        let mut state = lock(&self.state);
        let most = if self.sink.is_some() { MOST_SUNK } else { MOST_OWNED };
        if state.owned.len() >= most {
            return Err(io::Error::from_raw_os_error(libc::ENOBUFS));
        }
        match address {
            IpAddr::V4(v4) => netns::own_v4(probe.as_fd(), state.owned.len() as u32 + 1, v4)?,
            IpAddr::V6(v6) => netns::own_v6(probe.as_fd(), v6)?,
        }
        state.owned.insert(address);
        Ok(())
    }

    /// What stands in place of the internet.
    pub fn sink(&self) -> Option<&Arc<Sink>> {
        self.sink.as_ref()
    }

    /// For what may block.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The relay, started when first needed.
    pub fn with_relay<T>(
        &self,
        start: impl FnOnce() -> io::Result<Relay>,
        use_it: impl FnOnce(&mut Relay) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut relay = lock(&self.relay);
        if relay.is_none() {
            *relay = Some(start()?);
        }
        relay.as_mut().map_or_else(|| Err(io::ErrorKind::NotConnected.into()), use_it)
    }

    /// What holds of the relay; false where none was started.
    pub fn relaying(&self, holds: impl FnOnce(&Relay) -> bool) -> bool {
        lock(&self.relay).as_ref().is_some_and(holds)
    }

    /// Waits until everything the actor sent is in the journal.
    pub fn close(&self) {
        let relay = lock(&self.relay).take();
        if let Some(relay) = relay {
            relay.finish();
        }
        self.maker.close(self.namespace);
    }
}
