//! Who visits a sink that stands in place of the internet. In: connections and datagrams that a relay has taken in, and who aimed there. Out: the sink
//! hears of whom they are, and leads each conversation on a thread of its own.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::network::Network;
use super::sinks::{Caller, Transport};
use crate::sink::{self, Sink, Visit, Who};

/// Somebody has connected to a sink: the conversation is led by a thread of its own.
pub fn receive(network: &Arc<Network>, sink: &Arc<Sink>, visitor: OwnedFd, to: SocketAddr) {
    let stream = TcpStream::from(visitor);
    let Ok(from) = stream.peer_addr() else { return };
    let visit = visit(network, Transport::Tcp, from, to, &Caller::default());
    let (expected, serving) = (sink.expect(), Arc::clone(sink));
    let work = move || {
        serving.converse(visit, stream);
        drop(expected);
    };
    if network.workers().run(work).is_err() {
        sink.limit("an actor had more connections at once than are answered; the others were closed");
    }
}

/// Whom a sink hears.
pub fn visit(network: &Network, transport: Transport, from: SocketAddr, to: SocketAddr, caller: &Caller) -> Visit {
    let transport = match transport {
        Transport::Tcp => sink::Transport::Tcp,
        Transport::Udp => sink::Transport::Udp,
    };
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    Visit { actor: network.recorder.actor.0, transport, from: canonical(from), to: canonical(to), who: who(caller.pid) }
}

/// The process as it is now: a program that was exchanged since is told as what it has become.
pub fn who(pid: u32) -> Who {
    let program = (pid != 0).then(|| std::fs::read_link(format!("/proc/{pid}/exe")).ok()).flatten();
    Who { pid, program: program.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default() }
}
