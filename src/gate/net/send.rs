//! `sendto`, `sendmsg`, `sendmmsg`. Without an address they go to the kernel untouched. With one, the address is read once and judged; a
//! datagram socket of the private network may then do its own sending, because only judged addresses exist in there. Of a socket that is in none,
//! the gate sends whatever has a header or an address in memory (`exposed`).
//!
//! Left open: while a message of a unix socket without an address is passed to the kernel, a thread may write one in and exchange the descriptor.
//! Below Landlock ABI 9 for a unix *datagram* socket, which so reaches one with a path (a syslog socket, say) that was not judged; below ABI 10 and
//! outside a private network for a datagram socket of the internet, which by its control messages leaves the device it is bound to; so does there, where
//! `pidfd_getfd` is forbidden, one whose message is rewritten.

use std::sync::Arc;

use super::asked::{network_of, read_address, read_bytes, waits};
use super::connect::{aim, allowed};
use super::descriptor::{self, Descriptor};
use super::endpoint::{self, Address};
use super::exposed::{self, LONGEST, Sender};
use super::known::{Known, Place};
use super::message::{self, Header};
use super::network::Network;
use super::unix;
use crate::gate::{Answer, Call};
use crate::model::Act;

const FASTOPEN: i32 = libc::MSG_FASTOPEN;

/// Answers the three calls.
pub fn send(call: &Call<'_>) -> Answer {
    attempt(call).unwrap_or_else(Answer::Errno)
}

/// One message with an address.
struct Aimed {
    address: Vec<u8>,
    payload: Payload,
}

enum Payload {
    Flat { at: u64, length: u64 },
    Parts(Header),
}

fn attempt(call: &Call<'_>) -> Result<Answer, i32> {
    let (aimed, flags) = gather(call)?;
    if flags & FASTOPEN != 0 {
        return fast_open(call, &aimed);
    }
    if let Some(answer) = by_header(call)? {
        return Ok(answer);
    }
    if aimed.is_empty() {
        return Ok(Answer::Continue);
    }
    let several = call.number == libc::SYS_sendmmsg;
    let mut held: Option<(Descriptor, Option<Known>, Arc<Network>)> = None;
    for one in &aimed {
        let to = match endpoint::decode_datagram(&one.address).ok_or(libc::EINVAL)? {
            // To the connected peer, or to the kernel.
            Address::Unspecified | Address::UnixUnnamed | Address::Netlink => continue,
            Address::Other(family) => {
                allowed(call, Act::Send { to: endpoint::other(endpoint::family_name(i32::from(family))) })?;
                continue;
            }
            address @ (Address::UnixPath(_) | Address::UnixAbstract(_)) => {
                let descriptor = descriptor::take(call, call.args[0])?;
                // The length of each message would have to be written back, and rights be passed on: neither is done for a stranger.
                if several || matches!(&one.payload, Payload::Parts(header) if header.control_length != 0) {
                    return Err(libc::EOPNOTSUPP);
                }
                let given = match &one.payload {
                    Payload::Flat { at, length } => Some((*at, *length)),
                    Payload::Parts(_) => None,
                };
                return unix::send(call, descriptor, (&address, &one.address), given, || payload(call, &one.payload), flags);
            }
            Address::Ip(to) => to,
        };
        if held.is_none() {
            let network = network_of(call);
            let descriptor = descriptor::take(call, call.args[0])?;
            let known = descriptor.known(Some(&network));
            held = Some((descriptor, known, network));
        }
        let Some((descriptor, known, network)) = &held else { return Err(libc::EPERM) };
        match known {
            // A connected stream ignores the address, another one says EPIPE.
            Some(known) if known.kind == libc::SOCK_STREAM => {}
            Some(known) if known.place == Place::Private => aim(call, network, to, |to| Act::Send { to })?,
            Some(_) if several => return Err(libc::EOPNOTSUPP),
            Some(known) => {
                let sender = Sender { network, descriptor, known: *known };
                return exposed::deliver(call, &sender, Some(to), &payload(call, &one.payload)?, &[], flags);
            }
            None => {
                allowed(call, Act::Send { to: network.endpoint("unknown", to) })?;
                return Err(libc::EPERM);
            }
        }
    }
    Ok(Answer::Continue)
}

/// Data on the opening packet bypasses a rule about connect (THREATS E61), and its flag is a register nobody can race: such a send is
/// judged as the connect it is, and then told that it is not supported, upon which programs connect in the ordinary way.
fn fast_open(call: &Call<'_>, aimed: &[Aimed]) -> Result<Answer, i32> {
    for one in aimed {
        if let Some(Address::Ip(to)) = endpoint::decode_datagram(&one.address) {
            let network = network_of(call);
            // The actor's own server, inside its private network.
            if endpoint::is_local(to.ip()) && network.listens("tcp", to) {
                continue;
            }
            allowed(call, Act::Connect { to: network.endpoint("tcp", to) })?;
        }
    }
    Err(libc::EOPNOTSUPP)
}

/// `sendmsg` and `sendmmsg` on a datagram socket that is in no private network, whether there is an address or not.
fn by_header(call: &Call<'_>) -> Result<Option<Answer>, i32> {
    if call.number == libc::SYS_sendto {
        return Ok(None);
    }
    let network = network_of(call);
    if !network.is_exposed() {
        return Ok(None);
    }
    let descriptor = descriptor::take(call, call.args[0])?;
    match descriptor.known(Some(&network)).filter(Known::is_exposed) {
        Some(known) => exposed::send(call, &Sender { network: &network, descriptor: &descriptor, known }).map(Some),
        None => Ok(None),
    }
}

/// The messages that carry an address, and the call's flags.
fn gather(call: &Call<'_>) -> Result<(Vec<Aimed>, i32), i32> {
    let args = call.args;
    let mut aimed = Vec::new();
    let flags = match call.number {
        libc::SYS_sendto => {
            if args[4] != 0 && args[5] as u32 != 0 {
                let address = read_address(call, "sendto", args[4], args[5])?;
                aimed.push(Aimed { address, payload: Payload::Flat { at: args[1], length: args[2] } });
            }
            args[3]
        }
        libc::SYS_sendmsg => {
            let header = read_bytes(call, "sendmsg", args[1], message::HEADER)?;
            aimed.extend(aim_of(call, "sendmsg", &header)?);
            args[2]
        }
        libc::SYS_sendmmsg => {
            let count = (args[2] as u32 as usize).min(message::MOST_PARTS as usize);
            let headers = read_bytes(call, "sendmmsg", args[1], count * message::MANY_HEADER)?;
            for header in headers.chunks_exact(message::MANY_HEADER) {
                aimed.extend(aim_of(call, "sendmmsg", header)?);
            }
            args[3]
        }
        _ => return Err(libc::ENOSYS),
    };
    Ok((aimed, flags as u32 as i32))
}

fn aim_of(call: &Call<'_>, name: &str, header: &[u8]) -> Result<Option<Aimed>, i32> {
    let header = message::header(header).ok_or(libc::EINVAL)?;
    if !header.has_name() {
        return Ok(None);
    }
    let address = read_bytes(call, name, header.name, header.name_length)?;
    Ok(Some(Aimed { address, payload: Payload::Parts(header) }))
}

fn payload(call: &Call<'_>, payload: &Payload) -> Result<Vec<u8>, i32> {
    let bytes = match payload {
        Payload::Flat { at, length } => {
            let length = usize::try_from(*length).ok().filter(|length| *length <= LONGEST).ok_or(libc::EMSGSIZE)?;
            read_bytes(call, "sendto", *at, length)?
        }
        Payload::Parts(header) => return exposed::payload(call, "sendmsg", header),
    };
    waits(call)?;
    Ok(bytes)
}
