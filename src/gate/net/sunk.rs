//! Where a sink stands in place of the internet (`crate::sink`): connections and datagrams are judged and recorded as ever, and then meet a socket of ours
//! at that very address inside the actor's own network. In: a judged call. Out: the actor's socket, connected in there by the kernel; to the sink, who it was.
//!
//! The namespace has a loopback device and no way out, and no socket of the host's is made for anybody here (`Network::leads_out`): a mistake of ours
//! makes a connection fail, not leave. On this machine's own addresses nobody listens but the actor itself.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;

use super::asked::{errno, refusal};
use super::connecting::{self, Nobody, Target};
use super::descriptor::Descriptor;
use super::endpoint::{self, Address};
use super::known::Known;
use super::network::Network;
use super::sinks::{Caller, Transport};
use super::{relay, resolver, visitors};
use crate::gate::{Answer, Call};
use crate::model::{Act, Endpoint};
use crate::sink::Sink;
use crate::sys::socket;

/// A stream socket of the private network connects.
///
/// # Errors
/// The errno the call fails with.
pub fn connect(
    call: &Call<'_>,
    (network, sink): (&Arc<Network>, &Sink),
    mut descriptor: Descriptor,
    known: Known,
    bytes: &[u8],
    to: SocketAddr,
) -> Result<Answer, i32> {
    let act = || Act::Connect { to: network.endpoint(known.protocol_name(), to) };
    let resolves = to.port() == resolver::PORT;
    if !resolves && endpoint::is_local(to.ip()) {
        let target = Target::within(network, &mut descriptor, known)?;
        return connecting::inside(call, target, bytes)
            .or_else(|Nobody| refusal(&call.judge(act(), None)).map_or(Err(libc::ECONNREFUSED), Err));
    }
    let caller = if resolves {
        // Names are judged one by one, when they are asked for.
        Caller { pid: call.pid(), blame: call.blame()? }
    } else {
        refusal(&call.judge(act(), None)).map_or(Ok(()), Err)?;
        Caller { pid: call.pid(), blame: None }
    };
    stand_in(network, sink, Transport::Tcp, to, caller)?;
    let target = Target::within(network, &mut descriptor, known)?;
    let handle = target.handle().map_err(|error| errno(&error))?;
    let answer = connecting::inside(call, target, bytes).map_err(|Nobody| libc::ENETUNREACH)?;
    if let Some(Address::Ip(from)) = socket::local_name(handle.as_fd()).ok().as_deref().and_then(endpoint::decode) {
        sink.called(network.recorder.actor.0, from, visitors::who(call.pid()));
    }
    Ok(answer)
}

/// As `connect::aim`: may datagrams go to `to`? If so, somebody stands there when this returns, or nobody does.
///
/// # Errors
/// The errno of the refusal.
pub fn aim(call: &Call<'_>, network: &Arc<Network>, sink: &Sink, to: SocketAddr, act: impl FnOnce(Endpoint) -> Act) -> Result<(), i32> {
    if to.port() == resolver::PORT {
        return stand_in(network, sink, Transport::Udp, to, Caller { pid: call.pid(), blame: call.blame()? });
    }
    let inside = endpoint::is_local(to.ip()) || to.ip().is_multicast();
    if inside && !relay::stands(network, Transport::Udp, to) && network.holds_udp(to) {
        return Ok(());
    }
    refusal(&call.judge(act(network.endpoint("udp", to)), None)).map_or(Ok(()), Err)?;
    if inside {
        return Ok(());
    }
    stand_in(network, sink, Transport::Udp, to, Caller { pid: call.pid(), blame: None })
}

fn stand_in(network: &Arc<Network>, sink: &Sink, transport: Transport, to: SocketAddr, caller: Caller) -> Result<(), i32> {
    relay::stand_in(network, transport, to, caller).map_err(|error| {
        if error.raw_os_error() == Some(libc::ENOBUFS) {
            sink.limit("an actor had as many addresses answered as there may be; it found the others unreachable");
        }
        // What cannot be an address of any machine has no way to it either.
        libc::ENETUNREACH
    })
}
