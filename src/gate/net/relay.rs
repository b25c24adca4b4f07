//! What stands in, inside an actor's private network, for the addresses it may send datagrams to, and for every name server. The namespace
//! is given the address, a sink of ours is bound there, and what arrives is judged and relayed (or, for DNS, refused politely). So the
//! actor never holds a datagram socket of the host: whatever its threads do to an address between judging and sending, only judged
//! addresses exist in there. In: sinks, orders. Out: events, and datagrams from sockets of our own.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::sockets::Room;
use super::{dns, endpoint, resolver};
use crate::model::{Act, Blame, Mode};
use crate::sys::socket;

const MOST_SINKS: usize = 64;
const MOST_FLOWS: usize = 256;
/// Longest datagram there is.
const LONGEST: usize = 65_536;
/// Datagrams taken from one sink before the others get their turn.
const TURN: usize = 64;
/// How long an address may take to become usable, and how often that is looked at.
const SETTLED: Duration = Duration::from_millis(200);
const BLINK: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    /// Only for name servers.
    Tcp,
}

impl Transport {
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
}

/// Who last aimed at a sink: connected datagrams arrive long after the only call that was seen.
#[derive(Clone, Default)]
pub struct Caller {
    pub pid: u32,
    pub blame: Option<Blame>,
}

type Callers = Arc<Mutex<HashMap<SocketAddr, Caller>>>;

/// The gate's handle on an actor's relay thread.
pub struct Relay {
    orders: Sender<Sink>,
    wake: OwnedFd,
    thread: JoinHandle<()>,
    sinks: HashSet<(Transport, SocketAddr)>,
    callers: Callers,
}

struct Sink {
    socket: OwnedFd,
    transport: Transport,
    to: SocketAddr,
}

/// Sees to it that a sink of ours stands at `to` inside the actor's network. Where somebody inside has that place already, it stays his.
///
/// # Errors
/// When the place cannot be made; then nothing can be sent there.
pub fn stand_in(room: &Arc<Room>, transport: Transport, to: SocketAddr, caller: Caller) -> io::Result<()> {
    room.with_relay(|relay| {
        let stands = relay.sinks.contains(&(transport, to));
        if !stands && relay.sinks.len() >= MOST_SINKS {
            return Err(io::Error::from_raw_os_error(libc::ENOBUFS));
        }
        relay.callers.lock().unwrap_or_else(PoisonError::into_inner).insert(to, caller);
        if stands {
            return Ok(());
        }
        room.own(to.ip())?;
        let family = endpoint::family_of(to.ip());
        let kind = if transport == Transport::Udp { libc::SOCK_DGRAM } else { libc::SOCK_STREAM };
        let made = room.give(family, kind | libc::SOCK_NONBLOCK, 0)?;
        match settled(|| socket::bind(made.as_fd(), &endpoint::encode(to, family))) {
            Err(error) if error.raw_os_error() == Some(libc::EADDRINUSE) => return Ok(()),
            other => other?,
        }
        if transport == Transport::Tcp {
            socket::listen(made.as_fd(), 16)?;
        }
        relay.orders.send(Sink { socket: made, transport, to }).map_err(|_| io::ErrorKind::BrokenPipe)?;
        relay.sinks.insert((transport, to));
        // A full wake line has woken the thread already.
        let _ = socket::send_to(relay.wake.as_fd(), &[1], libc::MSG_DONTWAIT, &[]);
        Ok(())
    })
}

/// Whether a sink of ours stands at `to` already.
pub fn stands(room: &Room, transport: Transport, to: SocketAddr) -> bool {
    room.relaying(|relay| relay.sinks.contains(&(transport, to)))
}

/// A new IPv6 address is tentative until a kernel worker has passed it, also on `lo` where nothing is asked: bind says EADDRNOTAVAIL for
/// that moment (net/ipv6/addrconf.c, `addrconf_dad_work`).
fn settled(bind: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let end = Instant::now() + SETTLED;
    loop {
        match bind() {
            Err(error) if error.raw_os_error() == Some(libc::EADDRNOTAVAIL) && Instant::now() < end => std::thread::sleep(BLINK),
            other => return other,
        }
    }
}

impl Relay {
    pub fn start(room: &Arc<Room>) -> io::Result<Relay> {
        let (wake, woken) = socket::pair(libc::SOCK_SEQPACKET)?;
        let (orders, inbox) = channel();
        let callers = Callers::default();
        let thread = std::thread::Builder::new().name("brig-relay".into()).spawn({
            let (room, callers) = (Arc::clone(room), Arc::clone(&callers));
            move || Loop { room, callers, inbox, woken, sinks: Vec::new(), flows: Vec::new() }.run()
        })?;
        Ok(Relay { orders, wake, thread, sinks: HashSet::new(), callers })
    }

    /// Waits until all that was sent is judged and written down.
    pub fn finish(self) {
        drop((self.orders, self.wake));
        let _ = self.thread.join();
    }
}

/// One sender inside, and our own socket that speaks for it outside.
struct Flow {
    upstream: OwnedFd,
    /// Index of the sink.
    sink: usize,
    /// The sender's sockaddr.
    source: Vec<u8>,
    /// Names asked for: only their answers teach host names.
    asked: Vec<Vec<u8>>,
}

struct Loop {
    room: Arc<Room>,
    callers: Callers,
    inbox: Receiver<Sink>,
    woken: OwnedFd,
    sinks: Vec<Sink>,
    flows: Vec<Flow>,
}

impl Loop {
    fn run(mut self) {
        let mut buffer = vec![0; LONGEST];
        loop {
            let mut entries = vec![self.woken.as_fd()];
            entries.extend(self.sinks.iter().map(|sink| sink.socket.as_fd()));
            entries.extend(self.flows.iter().map(|flow| flow.upstream.as_fd()));
            let mut entries: Vec<_> =
                entries.iter().map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
            if socket::poll(&mut entries, -1).is_err() {
                self.room.recorder.journal.lost("the relay of an actor's datagrams could not wait");
                return;
            }
            let ready: Vec<bool> = entries.iter().map(|entry| entry.revents != 0).collect();
            let (sinks, flows) = (self.sinks.len(), self.flows.len());
            for (index, _) in ready[1 + sinks..1 + sinks + flows].iter().enumerate().filter(|(_, ready)| **ready) {
                self.back(index, &mut buffer);
            }
            for (index, _) in ready[1..1 + sinks].iter().enumerate().filter(|(_, ready)| **ready) {
                self.take(index, &mut buffer, TURN);
            }
            if ready[0] && !self.orders() {
                for index in 0..self.sinks.len() {
                    self.take(index, &mut buffer, usize::MAX);
                }
                return;
            }
        }
    }

    /// Takes in new sinks; false when the actor is gone.
    fn orders(&mut self) -> bool {
        let _ = socket::receive_from(self.woken.as_fd(), &mut [0; 8], libc::MSG_DONTWAIT);
        loop {
            match self.inbox.try_recv() {
                Ok(sink) => self.sinks.push(sink),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// What arrived at a sink.
    fn take(&mut self, index: usize, buffer: &mut [u8], most: usize) {
        for _ in 0..most {
            let Some(sink) = self.sinks.get(index) else { return };
            if sink.transport == Transport::Tcp {
                let Ok(visitor) = socket::accept(sink.socket.as_fd()) else { return };
                let (room, to, caller) = (Arc::clone(&self.room), sink.to, self.caller(sink.to));
                if self.room.workers().run(move || resolver::serve_stream(&room, visitor, to, &caller)).is_err() {
                    self.room.recorder.journal.lost("a DNS connection was dropped: too many at once");
                }
                continue;
            }
            let Ok((length, source)) = socket::receive_from(sink.socket.as_fd(), buffer, libc::MSG_DONTWAIT) else { return };
            let payload = &buffer[..length];
            if sink.to.port() != resolver::PORT {
                self.forward(index, source, payload, Vec::new());
                continue;
            }
            match resolver::judge(&self.room, Transport::Udp, sink.to, payload, &self.caller(sink.to)) {
                Ok(asked) => {
                    let bare = if self.room.recorder.policy.mode == Mode::Enforce { dns::bare(payload) } else { None };
                    self.forward(index, source, bare.as_deref().unwrap_or(payload), asked);
                }
                Err(_) => {
                    if let Some(refusal) = dns::refusal(payload) {
                        let _ = socket::send_to(sink.socket.as_fd(), &refusal, libc::MSG_DONTWAIT, &source);
                    }
                }
            }
        }
    }

    /// Onwards, from a socket of our own. As with any datagram, one that cannot be sent is lost.
    fn forward(&mut self, index: usize, source: Vec<u8>, payload: &[u8], asked: Vec<Vec<u8>>) {
        let known = self.flows.iter().position(|flow| flow.sink == index && flow.source == source);
        let at = match known {
            Some(at) => at,
            None => {
                let to = self.sinks[index].to;
                let family = endpoint::family_of(to.ip());
                let upstream = socket::create(family, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0)
                    .and_then(|made| socket::connect(made.as_fd(), &endpoint::encode(to, family)).map(|()| made));
                let Ok(upstream) = upstream else { return };
                if self.flows.len() >= MOST_FLOWS {
                    self.flows.remove(0);
                }
                self.flows.push(Flow { upstream, sink: index, source, asked: Vec::new() });
                self.flows.len() - 1
            }
        };
        let flow = &mut self.flows[at];
        if flow.asked.len() < 64 {
            flow.asked.extend(asked);
        }
        let _ = socket::send_to(flow.upstream.as_fd(), payload, libc::MSG_DONTWAIT, &[]);
    }

    /// What came back from outside.
    fn back(&mut self, index: usize, buffer: &mut [u8]) {
        for _ in 0..TURN {
            let Some(flow) = self.flows.get(index) else { return };
            let Ok((length, _)) = socket::receive_from(flow.upstream.as_fd(), buffer, libc::MSG_DONTWAIT) else { return };
            let Some(sink) = self.sinks.get(flow.sink) else { return };
            let payload = &buffer[..length];
            if sink.to.port() == resolver::PORT {
                resolver::learn(&self.room, &flow.asked, payload);
            }
            let _ = socket::send_to(sink.socket.as_fd(), payload, libc::MSG_DONTWAIT, &flow.source);
        }
    }

    fn caller(&self, to: SocketAddr) -> Caller {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).get(&to).cloned().unwrap_or_default()
    }
}

/// The act of looking a name up.
pub fn lookup(room: &Room, transport: Transport, via: SocketAddr, name: &[u8]) -> Act {
    Act::Lookup { name: crate::model::Hostile::new(name), via: room.endpoint(transport.name(), via) }
}
