//! `connect(2)`. The address is read once and the gate itself connects, so that no thread of the actor can change what was judged.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;

use super::asked::{errno, network_of, read_address, refusal};
use super::connecting::{self, Nobody, Target};
use super::descriptor::{self, Descriptor};
use super::endpoint::{self, Address};
use super::known::{Known, Place};
use super::network::Network;
use super::relay;
use super::sinks::{Caller, Transport};
use super::{neighbour, options, resolver, sunk, unix};
use crate::gate::{Answer, Call};
use crate::judge::Reach;
use crate::model::Act;
use crate::sys::socket;

/// Answers `connect(fd, address, length)`.
pub fn connect(call: &Call<'_>) -> Answer {
    attempt(call).unwrap_or_else(Answer::Errno)
}

fn attempt(call: &Call<'_>) -> Result<Answer, i32> {
    let bytes = read_address(call, "connect", call.args[1], call.args[2])?;
    let address = endpoint::decode(&bytes).ok_or(libc::EINVAL)?;
    let descriptor = descriptor::take(call, call.args[0])?;
    match address {
        Address::Ip(to) => inet(call, descriptor, &bytes, to),
        Address::UnixPath(_) | Address::UnixAbstract(_) => unix::connect(call, descriptor, &address, &bytes),
        Address::UnixUnnamed => Err(libc::EINVAL),
        Address::Unspecified => dissolve(call, descriptor, &bytes),
        Address::Netlink => on_itself(&descriptor, &bytes),
        Address::Other(family) => {
            let to = endpoint::other(endpoint::family_name(i32::from(family)));
            allowed(call, Act::Connect { to })?;
            on_itself(&descriptor, &bytes)
        }
    }
}

fn inet(call: &Call<'_>, mut descriptor: Descriptor, bytes: &[u8], to: SocketAddr) -> Result<Answer, i32> {
    let network = network_of(call);
    match descriptor.known(Some(&network)) {
        Some(known) if !known.is_inet() => Err(libc::EINVAL),
        Some(known) if known.place == Place::Private && known.kind == libc::SOCK_DGRAM => {
            aim(call, &network, to, |to| Act::Connect { to })?;
            let target = Target::within(&network, &mut descriptor, known)?;
            connecting::inside(call, target, bytes).map_err(|Nobody| libc::ENETUNREACH)
        }
        Some(known) if known.place == Place::Private => stream(call, &network, descriptor, known, bytes, to),
        Some(known) => shared(call, &network, descriptor, known, bytes, to),
        None => {
            // Not ours, and the kernel does not let us look at it: it may be judged, but not be connected safely.
            allowed(call, Act::Connect { to: network.endpoint("unknown", to) })?;
            Err(libc::EPERM)
        }
    }
}

/// A stream socket of the private network: its own servers and name servers are met inside, everything else is judged and then reached
/// from a socket of the host that takes its place.
fn stream(
    call: &Call<'_>,
    network: &Arc<Network>,
    mut descriptor: Descriptor,
    known: Known,
    bytes: &[u8],
    to: SocketAddr,
) -> Result<Answer, i32> {
    if let Some(sink) = network.sink() {
        return sunk::connect(call, (network, sink), descriptor, known, bytes, to);
    }
    let resolver = to.port() == resolver::PORT;
    if resolver {
        relay::stand_in(network, Transport::Tcp, to, caller(call)?).or_else(|error| {
            allowed(call, Act::Connect { to: network.endpoint("tcp", to) })?;
            Err(errno(&error))
        })?;
    }
    if resolver || endpoint::is_local(to.ip()) {
        // The duplicate goes into the attempt; a second one is needed if that finds nobody.
        let second = descriptor.duplicate.as_ref().and_then(|fd| fd.try_clone().ok());
        let target = Target::within(network, &mut descriptor, known)?;
        match connecting::inside(call, target, bytes) {
            Ok(answer) => return Ok(answer),
            // Nobody of this actor listens: what it wants is the host's loopback.
            Err(Nobody) => descriptor.duplicate = second,
        }
    }
    allowed(call, Act::Connect { to: network.endpoint(known.protocol_name(), to) })?;
    outside(call, network, &descriptor, known, bytes)
}

/// A socket that is not in a private network: every destination is judged.
fn shared(
    call: &Call<'_>,
    network: &Arc<Network>,
    mut descriptor: Descriptor,
    known: Known,
    bytes: &[u8],
    to: SocketAddr,
) -> Result<Answer, i32> {
    let own_server = known.place == Place::Loopback && endpoint::is_local(to.ip()) && network.listens(known.protocol_name(), to);
    if !own_server {
        allowed(call, Act::Connect { to: network.endpoint(known.protocol_name(), to) })?;
    }
    if own_server || known.place == Place::Foreign {
        if !own_server {
            network.leads_out().map_err(|error| errno(&error))?;
        }
        let target = Target::own(&mut descriptor).ok_or(libc::EPERM)?;
        return Ok(connecting::judged(call, target, bytes));
    }
    outside(call, network, &descriptor, known, bytes)
}

/// Connects a fresh socket of the host to the judged address and puts it in the actor's place.
fn outside(call: &Call<'_>, network: &Network, descriptor: &Descriptor, known: Known, bytes: &[u8]) -> Result<Answer, i32> {
    let fresh = network.outside(known.family, known.kind | libc::SOCK_NONBLOCK, known.protocol).map_err(|error| errno(&error))?;
    if let Some(old) = &descriptor.duplicate {
        options::carry(old.as_fd(), fresh.as_fd());
    }
    Ok(connecting::judged(call, Target::fresh(fresh, descriptor), bytes))
}

/// `AF_UNSPEC`: the association ends. A socket that the gate had connected to the outside goes back to where it was born.
fn dissolve(call: &Call<'_>, descriptor: Descriptor, bytes: &[u8]) -> Result<Answer, i32> {
    let network = network_of(call);
    let known = descriptor.known(Some(&network));
    match known {
        Some(known) if known.is_inet() && (known.place == Place::Host || descriptor.duplicate.is_none()) => {
            let fresh = network.give(known.family, known.kind | libc::SOCK_NONBLOCK, known.protocol).map_err(|error| errno(&error))?;
            if let Some(old) = &descriptor.duplicate {
                options::carry(old.as_fd(), fresh.as_fd());
            }
            Ok(Target::fresh(fresh, &descriptor).answer(Ok(())))
        }
        _ => on_itself(&descriptor, bytes),
    }
}

/// For addresses that cannot make connect wait.
fn on_itself(descriptor: &Descriptor, bytes: &[u8]) -> Result<Answer, i32> {
    let own = descriptor.duplicate.as_ref().ok_or(libc::EPERM)?;
    socket::connect(own.as_fd(), bytes).map(|()| Answer::Value(0)).map_err(|error| errno(&error))
}

/// May datagrams go to `to`? If so, somebody stands there when this returns: the actor's own socket, or a sink of ours.
///
/// # Errors
/// The errno of the refusal.
pub fn aim(call: &Call<'_>, network: &Arc<Network>, to: SocketAddr, act: impl FnOnce(crate::model::Endpoint) -> Act) -> Result<(), i32> {
    // Port 0 cannot be sent to: libcs connect to it to learn which source address would be used.
    if to.port() == 0 {
        if network.sink().is_some() {
            // There is to be a way, or the name leads nowhere. What cannot be an address stays without one.
            let _ = network.own(to.ip());
        }
        return Ok(());
    }
    if let Some(sink) = network.sink() {
        return sunk::aim(call, network, sink, to, act);
    }
    if to.port() == resolver::PORT {
        // The names are what is judged there, one by one, by the sink. Where none can stand, the address is all that will ever be known.
        return relay::stand_in(network, Transport::Udp, to, caller(call)?).or_else(|error| {
            allowed(call, act(network.endpoint("udp", to)))?;
            Err(errno(&error))
        });
    }
    // A sink that stands in for the host already is no socket of the actor's: every datagram is judged, and a call that came again
    // (`Caught::REPEAT`) is not lost for the record.
    // A group's datagrams go to its members, who are all inside: where one of them hears, that is whom it is for.
    let inside = endpoint::is_local(to.ip()) || to.ip().is_multicast() && network.is_private();
    if inside && !relay::stands(network, Transport::Udp, to) && network.holds_udp(to) {
        return Ok(());
    }
    let act = act(network.endpoint("udp", to));
    if endpoint::is_local(to.ip()) && call.enforces() && is_only_inside(call, &act) && !neighbour::hears(&act) {
        // Nobody is there yet: the private network says so itself.
        return refusal(&call.judge(act, None)).map_or(Ok(()), Err);
    }
    allowed(call, act)?;
    relay::stand_in(network, Transport::Udp, to, Caller::default()).map_err(|error| errno(&error))
}

/// Judges; the errno when it is refused. To be asked before anything leaves the actor's own network: what may only be met inside it, and
/// was not there, is somebody else's service, or an empty port.
pub fn allowed(call: &Call<'_>, act: Act) -> Result<(), i32> {
    if !is_only_inside(call, &act) {
        return refusal(&call.judge(act, None)).map_or(Ok(()), Err);
    }
    if neighbour::hears(&act) {
        return refusal(&call.judge_outside(act)).map_or(Ok(()), Err);
    }
    refusal(&call.judge(act, None)).map_or(Ok(()), Err)?;
    if call.enforces() { Err(libc::ECONNREFUSED) } else { Ok(()) }
}

/// Is this allowed inside the actor's private network, and nowhere else?
fn is_only_inside(call: &Call<'_>, act: &Act) -> bool {
    match act {
        Act::Connect { to } | Act::Send { to } => call.watched.policy.reach(to) == Reach::Private,
        _ => false,
    }
}

/// Who asks a name server: looked up now, because the questions themselves make no call that waits.
fn caller(call: &Call<'_>) -> Result<Caller, i32> {
    Ok(Caller { pid: call.pid(), blame: call.blame()? })
}
