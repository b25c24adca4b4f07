//! The gate's end of an actor's relay: which sinks stand inside the actor's network, and who aimed at them last. In: new sinks. Out: orders
//! to the relay's thread, which `relay` is.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::lock::lock;
use crate::model::Blame;
use crate::sys::socket;

/// In one actor's network.
const MOST: usize = 64;
/// … where a sink answers for everybody. Of listeners the oldest goes then, which has nobody waiting: every connection asks for its own anew.
const MOST_SUNK: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    /// Only for name servers, and where a sink answers for everybody.
    Tcp,
}

impl Transport {
    /// The word reports use.
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

/// The handle on an actor's relay thread.
pub struct Relay {
    orders: Sender<Order>,
    wake: OwnedFd,
    thread: JoinHandle<()>,
    sinks: HashSet<(Transport, SocketAddr)>,
    /// Listeners that may go, oldest first. Empty where they may not.
    listeners: VecDeque<SocketAddr>,
    sunk: bool,
    callers: Callers,
}

/// A socket of ours inside the actor's network, at an address of somebody outside.
pub struct Sink {
    pub socket: OwnedFd,
    pub transport: Transport,
    pub to: SocketAddr,
}

/// What the relay's thread is told.
pub enum Order {
    Stand(Sink),
    /// The listener at this address is to take whoever has come, and go.
    Leave(SocketAddr),
}

/// What the relay's thread has of it.
pub struct Orders {
    /// New sinks; closed when the actor is gone.
    pub inbox: Receiver<Order>,
    /// Readable when there is something in it.
    pub woken: OwnedFd,
    callers: Callers,
}

impl Relay {
    /// With a thread that runs `serve`. `sunk`: a sink answers for everybody.
    ///
    /// # Errors
    /// When no socket pair or no thread can be had.
    pub fn start(sunk: bool, serve: impl FnOnce(Orders) + Send + 'static) -> io::Result<Relay> {
        let (wake, woken) = socket::pair(libc::SOCK_SEQPACKET)?;
        let (orders, inbox) = channel();
        let callers = Callers::default();
        let thread = std::thread::Builder::new().name("brig-relay".into()).spawn({
            let callers = Arc::clone(&callers);
            move || serve(Orders { inbox, woken, callers })
        })?;
        Ok(Relay { orders, wake, thread, sinks: HashSet::new(), listeners: VecDeque::new(), sunk, callers })
    }

    /// Is there a sink at `to` already?
    pub fn stands(&self, transport: Transport, to: SocketAddr) -> bool {
        self.sinks.contains(&(transport, to))
    }

    /// Are there as many as there may be? Where the oldest may go, it goes.
    pub fn is_full(&mut self) -> bool {
        if self.sinks.len() < if self.sunk { MOST_SUNK } else { MOST } {
            return false;
        }
        let Some(oldest) = self.listeners.pop_front() else { return true };
        self.sinks.remove(&(Transport::Tcp, oldest));
        self.orders.send(Order::Leave(oldest)).is_err()
    }

    /// Remembers who aimed at `to` last.
    pub fn aimed(&self, to: SocketAddr, caller: Caller) {
        lock(&self.callers).insert(to, caller);
    }

    /// Has a sink served from now on.
    ///
    /// # Errors
    /// When the relay's thread is gone.
    pub fn add(&mut self, sink: Sink) -> io::Result<()> {
        let place = (sink.transport, sink.to);
        self.orders.send(Order::Stand(sink)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.sinks.insert(place);
        if self.sunk && place.0 == Transport::Tcp {
            self.listeners.push_back(place.1);
        }
        // A full wake line has woken the thread already.
        let _ = socket::send_to(self.wake.as_fd(), &[1], libc::MSG_DONTWAIT, &[]);
        Ok(())
    }

    /// Waits until all that was sent is judged and written down.
    pub fn finish(self) {
        drop((self.orders, self.wake));
        let _ = self.thread.join();
    }
}

impl Orders {
    /// Who aimed at `to` last.
    pub fn caller(&self, to: SocketAddr) -> Caller {
        lock(&self.callers).get(&to).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(transport: Transport, port: usize) -> Sink {
        let socket = socket::create(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0).unwrap();
        Sink { socket, transport, to: SocketAddr::from(([192, 0, 2, 1], port as u16)) }
    }

    /// Filled up with sinks of one kind; the answer is what the relay's thread was told last.
    fn filled(sunk: bool, transport: Transport, more: usize) -> (Relay, Vec<SocketAddr>) {
        let (tell, told) = channel();
        let serve = move |orders: Orders| {
            for order in orders.inbox.iter() {
                if let Order::Leave(from) = order {
                    tell.send(from).unwrap();
                }
            }
        };
        let mut relay = Relay::start(sunk, serve).unwrap();
        for port in 1..=if sunk { MOST_SUNK } else { MOST } + more {
            if relay.is_full() {
                break;
            }
            relay.add(at(transport, port)).unwrap();
        }
        let left = (0..more).map_while(|_| told.recv_timeout(std::time::Duration::from_millis(500)).ok()).collect();
        (relay, left)
    }

    #[test]
    fn where_a_sink_answers_the_oldest_listener_goes() {
        let (relay, left) = filled(true, Transport::Tcp, 3);
        let places: Vec<SocketAddr> = [1, 2, 3].map(|port| at(Transport::Tcp, port).to).into();
        assert_eq!((left, relay.sinks.len()), (places.clone(), MOST_SUNK));
        assert!(!relay.stands(Transport::Tcp, places[2]) && relay.stands(Transport::Tcp, at(Transport::Tcp, 4).to));
        relay.finish();
    }

    #[test]
    fn others_stay_and_there_are_only_so_many() {
        for (sunk, transport, most) in [(true, Transport::Udp, MOST_SUNK), (false, Transport::Tcp, MOST), (false, Transport::Udp, MOST)] {
            let (mut relay, left) = filled(sunk, transport, 1);
            assert_eq!((left.len(), relay.sinks.len(), relay.is_full()), (0, most, true), "{sunk} {transport:?}");
            relay.finish();
        }
    }
}
