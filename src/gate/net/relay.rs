//! What stands in, inside an actor's private network, for the addresses it may send datagrams to, and for every name server. The namespace
//! is given the address, a sink of ours is bound there, and what arrives is judged and relayed (or, for DNS, refused politely). So the
//! actor never holds a datagram socket of the host: whatever its threads do to an address between judging and sending, only judged
//! addresses exist in there. In: sinks, orders. Out: events, and datagrams from sockets of our own.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use super::endpoint::Address;
use super::network::Network;
use super::sinks::{Caller, Order, Orders, Relay, Sink, Transport};
use super::{dns, endpoint, resolver, visitors};
use crate::model::Mode;
use crate::sys::socket;

const MOST_FLOWS: usize = 256;
/// Longest datagram there is.
const LONGEST: usize = 65_536;
/// Datagrams taken from one sink before the others get their turn.
const TURN: usize = 64;
/// How long an address may take to become usable, and how often that is looked at.
const SETTLED: Duration = Duration::from_millis(200);
const BLINK: Duration = Duration::from_millis(1);

/// Sees to it that a sink of ours stands at `to` inside the actor's network. Where somebody inside has that place already, it stays his.
///
/// # Errors
/// When the place cannot be made; then nothing can be sent there.
pub fn stand_in(network: &Arc<Network>, transport: Transport, to: SocketAddr, caller: Caller) -> io::Result<()> {
    let start = || {
        let network = Arc::clone(network);
        let sunk = network.sink().is_some();
        Relay::start(sunk, move |orders| Loop { network, orders, sinks: Vec::new(), flows: Vec::new() }.run())
    };
    network.with_relay(start, |relay| {
        let stands = relay.stands(transport, to);
        if !stands && relay.is_full() {
            return Err(io::Error::from_raw_os_error(libc::ENOBUFS));
        }
        relay.aimed(to, caller);
        if stands {
            return Ok(());
        }
        network.own(to.ip())?;
        let family = endpoint::family_of(to.ip());
        let kind = if transport == Transport::Udp { libc::SOCK_DGRAM } else { libc::SOCK_STREAM };
        let made = network.give(family, kind | libc::SOCK_NONBLOCK, 0)?;
        match settled(|| socket::bind(made.as_fd(), &endpoint::encode(to, family))) {
            Err(error) if error.raw_os_error() == Some(libc::EADDRINUSE) => return Ok(()),
            other => other?,
        }
        if transport == Transport::Tcp {
            socket::listen(made.as_fd(), if network.sink().is_some() { 1024 } else { 16 })?;
        }
        relay.add(Sink { socket: made, transport, to })
    })
}

/// Whether a sink of ours stands at `to` already.
pub fn stands(network: &Network, transport: Transport, to: SocketAddr) -> bool {
    network.relaying(|relay| relay.stands(transport, to))
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
    network: Arc<Network>,
    orders: Orders,
    sinks: Vec<Sink>,
    flows: Vec<Flow>,
}

impl Loop {
    fn run(mut self) {
        let mut buffer = vec![0; LONGEST];
        loop {
            let mut entries = vec![self.orders.woken.as_fd()];
            entries.extend(self.sinks.iter().map(|sink| sink.socket.as_fd()));
            entries.extend(self.flows.iter().map(|flow| flow.upstream.as_fd()));
            let mut entries: Vec<_> =
                entries.iter().map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
            if socket::poll(&mut entries, -1).is_err() {
                self.network.recorder.journal.lost("the relay of an actor's datagrams could not wait");
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
            if ready[0] && !self.receive() {
                for index in 0..self.sinks.len() {
                    self.take(index, &mut buffer, usize::MAX);
                }
                return;
            }
        }
    }

    /// Takes in new sinks; false when the actor is gone.
    fn receive(&mut self) -> bool {
        let _ = socket::receive_from(self.orders.woken.as_fd(), &mut [0; 8], libc::MSG_DONTWAIT);
        loop {
            match self.orders.inbox.try_recv() {
                Ok(Order::Stand(sink)) => self.sinks.push(sink),
                Ok(Order::Leave(from)) => self.leave(from),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Nobody can have a flow there: those are of datagrams, and where listeners leave, those of nobody are relayed.
    fn leave(&mut self, from: SocketAddr) {
        if let Some(index) = self.sinks.iter().position(|sink| sink.transport == Transport::Tcp && sink.to == from) {
            self.take(index, &mut [], usize::MAX);
            self.sinks.remove(index);
        }
    }

    /// What arrived at a sink.
    fn take(&mut self, index: usize, buffer: &mut [u8], most: usize) {
        for _ in 0..most {
            let Some(sink) = self.sinks.get(index) else { return };
            if sink.transport == Transport::Tcp {
                let Ok(visitor) = socket::accept(sink.socket.as_fd()) else { return };
                if let Some(answers) = self.network.sink().filter(|_| sink.to.port() != resolver::PORT) {
                    visitors::receive(&self.network, answers, visitor, sink.to);
                    continue;
                }
                let (network, to, caller) = (Arc::clone(&self.network), sink.to, self.orders.caller(sink.to));
                if self.network.workers().run(move || resolver::serve_stream(&network, visitor, to, &caller)).is_err() {
                    self.network.recorder.journal.lost("a DNS connection was dropped: too many at once");
                }
                continue;
            }
            let Ok((length, source)) = socket::receive_from(sink.socket.as_fd(), buffer, libc::MSG_DONTWAIT) else { return };
            let payload = &buffer[..length];
            if let Some(answers) = self.network.sink() {
                let Some(Address::Ip(from)) = endpoint::decode(&source) else { continue };
                let visit = visitors::visit(&self.network, Transport::Udp, from, sink.to, &self.orders.caller(sink.to));
                if sink.to.port() != resolver::PORT {
                    if let Some(answer) = answers.datagram(&visit, payload) {
                        let _ = socket::send_to(sink.socket.as_fd(), &answer, libc::MSG_DONTWAIT, &source);
                    }
                } else if let Some(answer) = resolver::answer(&self.network, Transport::Udp, &visit, payload, &self.orders.caller(sink.to))
                {
                    let _ = socket::send_to(sink.socket.as_fd(), &answer, libc::MSG_DONTWAIT, &source);
                }
                continue;
            }
            if sink.to.port() != resolver::PORT {
                self.forward(index, source, payload, Vec::new());
                continue;
            }
            match resolver::judge(&self.network, Transport::Udp, sink.to, payload, &self.orders.caller(sink.to)) {
                Ok(asked) => {
                    let bare = if self.network.recorder.policy.mode != Mode::Observe { dns::bare(payload) } else { None };
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
        if self.network.leads_out().is_err() {
            return;
        }
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
                resolver::learn(&self.network, &flow.asked, payload);
            }
            let _ = socket::send_to(sink.socket.as_fd(), payload, libc::MSG_DONTWAIT, &flow.source);
        }
    }
}
