//! `bind(2)`. Inside the private network any address is harmless, and the gate binds the socket itself; it also learns where the actor's
//! own servers are. Unix paths are judged as files about to be made; Landlock's MAKE_SOCK stands behind that,
//! and where it grants less than the policy (what tests leave in their package) the gate does it (`placed`).

use std::net::SocketAddr;
use std::os::fd::AsFd;

use super::asked::{errno, network_of, read_address};
use super::connect::allowed;
use super::descriptor;
use super::endpoint::{self, Address};
use super::known::Place;
use super::placed;
use super::unix;
use crate::gate::{Answer, Call};
use crate::judge::paths::within;
use crate::model::Act;
use crate::sys::socket;

/// Answers `bind(fd, address, length)`.
pub fn bind(call: &Call<'_>) -> Answer {
    attempt(call).unwrap_or_else(Answer::Errno)
}

fn attempt(call: &Call<'_>) -> Result<Answer, i32> {
    let bytes = read_address(call, "bind", call.args[1], call.args[2])?;
    match endpoint::decode_datagram(&bytes).ok_or(libc::EINVAL)? {
        Address::Ip(to) => inet(call, &bytes, to),
        Address::UnixPath(path) => {
            let spot = call.start(libc::AT_FDCWD, path.clone()).and_then(|start| call.spot(&start, 0)).map_err(|error| errno(&error))?;
            if spot.is_dots() {
                let descriptor = descriptor::take(call, call.args[0])?;
                let inet = descriptor.known(Some(&network_of(call))).is_some_and(|known| known.is_inet());
                return Err(if inet { libc::EAFNOSUPPORT } else { libc::EADDRINUSE });
            }
            let act = Act::Create { path: spot.shown(call) };
            allowed(call, act.clone())?;
            if within(spot.shown(call).as_bytes(), &call.watched.policy.kernel.write) {
                return Ok(Answer::Continue);
            }
            let answer = placed::bind(call, spot, &path)?;
            call.watched.policy.done(&act);
            Ok(answer)
        }
        Address::UnixAbstract(name) => {
            allowed(call, Act::Bind { to: endpoint::abstract_name(&name) })?;
            named(call, &bytes)
        }
        // The kernel chooses an abstract name, for unix sockets.
        Address::UnixUnnamed => named(call, &bytes),
        Address::Netlink | Address::Unspecified => Ok(Answer::Continue),
        Address::Other(family) => {
            allowed(call, Act::Bind { to: endpoint::other(endpoint::family_name(i32::from(family))) })?;
            Ok(Answer::Continue)
        }
    }
}

/// Binds a unix socket to an abstract name and remembers the name as the actor's own. Done by us: a name counts as its own because we
/// bound it, not because it said that it would.
fn named(call: &Call<'_>, bytes: &[u8]) -> Result<Answer, i32> {
    let mut descriptor = descriptor::take(call, call.args[0])?;
    let target = unix::target_of(call, &mut descriptor)?;
    let socket = target.handle().map_err(|error| errno(&error))?;
    if socket::int_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_DOMAIN).ok() != Some(libc::AF_UNIX) {
        return Err(libc::EINVAL);
    }
    socket::bind(socket.as_fd(), bytes).map_err(|error| errno(&error))?;
    if let Some(Address::UnixAbstract(name)) = socket::local_name(socket.as_fd()).ok().as_deref().and_then(endpoint::decode)
        && let Ok(Some(inode)) = socket::inode(socket.as_fd())
    {
        network_of(call).bound(name, inode);
    }
    Ok(target.answer(Ok(())))
}

fn inet(call: &Call<'_>, bytes: &[u8], to: SocketAddr) -> Result<Answer, i32> {
    let descriptor = descriptor::take(call, call.args[0])?;
    let network = network_of(call);
    let known = descriptor.known(Some(&network));
    let protocol = known.map_or("unknown", |known| known.protocol_name());
    allowed(call, Act::Bind { to: network.endpoint(protocol, to) })?;
    let Some(known) = known else { return Err(libc::EPERM) };
    // A socket the gate connected to the outside must not become a server there.
    if known.place == Place::Host && call.watched.sockets.kind() == "private-network" {
        return Err(libc::EINVAL);
    }
    let Some(own) = &descriptor.duplicate else {
        return if known.place == Place::Private { Ok(Answer::Continue) } else { Err(libc::EPERM) };
    };
    call.as_caller(|| socket::bind(own.as_fd(), bytes)).map_err(|error| errno(&error))?;
    if let Some(Address::Ip(at)) = socket::local_name(own.as_fd()).ok().as_deref().and_then(endpoint::decode) {
        network.hold(known.protocol_name(), at);
    }
    Ok(Answer::Value(0))
}
