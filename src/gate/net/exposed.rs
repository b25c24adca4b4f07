//! Messages of datagram sockets that are in no private network: on the device `lo`, or connected by the gate to a judged address. In: the call, its
//! socket, what is known of it. Out: the answer; the gate has sent it.
//!
//! What keeps such a socket in does not hold for a message: a control message takes it past the device its socket is bound to (`IP_PKTINFO`,
//! `ip_cmsg_send`, net/ipv4/ip_sockglue.c) and to another machine first (`IP_RETOPTS`), without any privilege. And a message lies in memory, where a
//! thread may change it while the kernel reads. So whatever has a header in memory is read once, judged, and sent by us through our own handle; and
//! from Landlock ABI 10 on the kernel refuses the actor itself every address, its own servers included.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use super::asked::{errno, read_address, read_bytes, refusal, waits};
use super::connect::allowed;
use super::descriptor::Descriptor;
use super::endpoint::{self, Address};
use super::known::{Known, Place};
use super::message::{self, Header};
use super::network::Network;
use crate::gate::{Answer, Call};
use crate::model::{Act, Hostile};
use crate::sys::{memory, socket};

/// Longest payload sent on an actor's behalf, and longest list of control messages.
pub const LONGEST: usize = 64 * 1024;
const LONGEST_CONTROL: usize = 4096;

/// The actor's socket, and where it was made.
pub struct Sender<'a> {
    pub network: &'a Network,
    pub descriptor: &'a Descriptor,
    pub known: Known,
}

impl Sender<'_> {
    /// Is this a server of the actor's own, on a device out of which nothing leads?
    fn is_own_server(&self, to: SocketAddr) -> bool {
        self.known.place == Place::Loopback && endpoint::is_local(to.ip()) && self.network.listens("udp", to)
    }
}

/// Answers `sendmsg` and `sendmmsg`.
///
/// # Errors
/// Those of the first message: the kernel's own, or what it was refused with.
pub fn send(call: &Call<'_>, sender: &Sender<'_>) -> Result<Answer, i32> {
    let args = call.args;
    if sender.descriptor.duplicate.is_none() {
        return unheld(call, sender);
    }
    if call.number == libc::SYS_sendmsg {
        let bytes = read_bytes(call, "sendmsg", args[1], message::HEADER)?;
        return one(call, sender, "sendmsg", &bytes, args[2] as u32 as i32);
    }
    let count = (args[2] as u32 as usize).min(message::MOST_PARTS as usize);
    let headers = read_bytes(call, "sendmmsg", args[1], count * message::MANY_HEADER)?;
    let mut sent: u64 = 0;
    for bytes in headers.chunks_exact(message::MANY_HEADER) {
        match one(call, sender, "sendmmsg", bytes, args[3] as u32 as i32) {
            Ok(Answer::Value(length)) => {
                let at = args[1] + sent * message::MANY_HEADER as u64 + message::MANY_SENT;
                memory::write(call.tid, at, &(length as u32).to_ne_bytes()).map_err(|_| libc::EFAULT)?;
                sent += 1;
            }
            // A socket of the host takes its place: for one message alone, since the others would still go to the old one.
            Ok(answer) if count == 1 => return Ok(answer),
            Ok(_) if sent == 0 => return Err(libc::EOPNOTSUPP),
            Err(errno) if sent == 0 => return Err(errno),
            _ => break,
        }
    }
    Ok(Answer::Value(sent as i64))
}

fn one(call: &Call<'_>, sender: &Sender<'_>, name: &str, bytes: &[u8], flags: i32) -> Result<Answer, i32> {
    let header = message::header(bytes).ok_or(libc::EINVAL)?;
    let to = address(call, name, &header)?;
    let control = control(call, sender, name, &header)?;
    let payload = payload(call, name, &header)?;
    deliver(call, sender, to, &payload, &control, flags)
}

/// Where we cannot have a handle (`pidfd_getfd` is forbidden, as in Docker's profile): what every message says is looked at all the same, and the caller
/// makes its call by itself. A thread that changes a message meanwhile is not held there, but by Landlock from ABI 10 on.
fn unheld(call: &Call<'_>, sender: &Sender<'_>) -> Result<Answer, i32> {
    let (name, size, count) = match call.number {
        libc::SYS_sendmsg => ("sendmsg", message::HEADER, 1),
        _ => ("sendmmsg", message::MANY_HEADER, (call.args[2] as u32 as usize).min(message::MOST_PARTS as usize)),
    };
    let headers = read_bytes(call, name, call.args[1], count * size)?;
    for bytes in headers.chunks_exact(size) {
        let header = message::header(bytes).ok_or(libc::EINVAL)?;
        let control = control(call, sender, name, &header)?;
        let Some(to) = address(call, name, &header)?.filter(|to| !sender.is_own_server(*to)) else { continue };
        if count > 1 {
            return Err(libc::EOPNOTSUPP);
        }
        return deliver(call, sender, Some(to), &payload(call, name, &header)?, &control, call.args[2] as u32 as i32);
    }
    waits(call)?;
    Ok(Answer::Continue)
}

/// Nothing for the connected peer.
fn address(call: &Call<'_>, name: &str, header: &Header) -> Result<Option<SocketAddr>, i32> {
    if !header.has_name() {
        return Ok(None);
    }
    match endpoint::decode_datagram(&read_address(call, name, header.name, header.name_length as u64)?) {
        Some(Address::Ip(to)) => Ok(Some(to)),
        Some(Address::Unspecified) => Ok(None),
        _ => Err(libc::EAFNOSUPPORT),
    }
}

/// To `to`, or to the peer. Whoever is no server of the actor's own is judged.
///
/// # Errors
/// The kernel's own, or what it was refused with.
pub fn deliver(
    call: &Call<'_>,
    sender: &Sender<'_>,
    to: Option<SocketAddr>,
    payload: &[u8],
    control: &[u8],
    flags: i32,
) -> Result<Answer, i32> {
    let Sender { network, descriptor, known } = sender;
    let flags = flags | libc::MSG_DONTWAIT;
    let own = descriptor.duplicate.as_ref().ok_or(libc::EPERM);
    let by = |socket: &std::os::fd::OwnedFd, address: &[u8]| {
        socket::send_message(socket.as_fd(), payload, control, flags, address).map_err(|error| errno(&error))
    };
    let Some(to) = to else { return by(own?, &[]).map(|sent| Answer::Value(sent as i64)) };
    let address = endpoint::encode(to, known.family);
    if sender.is_own_server(to) {
        // As in `unheld`.
        return own.map_or(Ok(Answer::Continue), |own| by(own, &address).map(|sent| Answer::Value(sent as i64)));
    }
    allowed(call, Act::Send { to: network.endpoint(known.protocol_name(), to) })?;
    network.leads_out().map_err(|error| errno(&error))?;
    if known.place == Place::Host || known.place == Place::Foreign {
        return by(own?, &address).map(|sent| Answer::Value(sent as i64));
    }
    let nonblocking = if descriptor.nonblocking { libc::SOCK_NONBLOCK } else { 0 };
    let fresh = network.outside(known.family, known.kind | nonblocking, known.protocol).map_err(|error| errno(&error))?;
    let sent = by(&fresh, &address)?;
    Ok(Answer::AddFdAt { fd: fresh, at: descriptor.number, cloexec: descriptor.cloexec, value: sent as i64 })
}

/// The control messages, where none of them says which way the packet goes.
fn control(call: &Call<'_>, sender: &Sender<'_>, name: &str, header: &Header) -> Result<Vec<u8>, i32> {
    let length = usize::try_from(header.control_length).ok().filter(|length| *length <= LONGEST_CONTROL).ok_or(libc::ENOBUFS)?;
    if length == 0 || header.control == 0 {
        return Ok(Vec::new());
    }
    let bytes = read_bytes(call, name, header.control, length)?;
    let steering = message::controls(&bytes).ok_or(libc::EINVAL)?.into_iter().find(|control| steers(*control, sender.known.place));
    if let Some((level, kind, _)) = steering {
        waits(call)?;
        let detail = Hostile::new(format!("a control message steers the packet (level {level}, type {kind})"));
        if let Some(errno) = refusal(&call.judge(Act::Tamper { call: name.into(), detail }, None)) {
            return Err(if errno == libc::EACCES { libc::EPERM } else { errno });
        }
    }
    Ok(bytes)
}

/// Does a control message say by which device or machine a packet goes? These are known not to: type of service, lifetime, segments, times,
/// priority, and the address it comes from.
fn steers((level, kind, data): (i32, i32, &[u8]), place: Place) -> bool {
    const SCM_TXTIME: i32 = 61;
    const SCM_TS_OPT_ID: i32 = 81;
    let index = |at: usize| data.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    // A device beside the one it is bound to.
    let elsewhere = |index: Option<i32>| place != Place::Host && index != Some(0);
    match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_TOS | libc::IP_TTL) | (libc::IPPROTO_UDP, libc::UDP_SEGMENT) => false,
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS | libc::IPV6_HOPLIMIT | libc::IPV6_DONTFRAG) => false,
        (libc::SOL_SOCKET, libc::SO_TIMESTAMPING | SCM_TXTIME | SCM_TS_OPT_ID | libc::SO_PRIORITY) => false,
        // struct in_pktinfo begins with the index, struct in6_pktinfo ends with it.
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => elsewhere(index(0)),
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => elsewhere(index(16)),
        _ => true,
    }
}

/// What a message carries.
///
/// # Errors
/// `EMSGSIZE` where it is more than a datagram, `EFAULT`, and `EINTR` where the call is over.
pub fn payload(call: &Call<'_>, name: &str, header: &Header) -> Result<Vec<u8>, i32> {
    let table = read_bytes(call, name, header.parts, header.part_count as usize * 16)?;
    let mut out = Vec::new();
    for (at, length) in message::parts(&table, LONGEST).ok_or(libc::EMSGSIZE)? {
        out.extend(read_bytes(call, name, at, length)?);
    }
    waits(call)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_not_to_steer_may_be_said() {
        let device = |index: i32| [&index.to_ne_bytes()[..], &[0; 8]].concat();
        let device6 = |index: i32| [&[0; 16][..], &index.to_ne_bytes()].concat();
        for (level, kind, data, on_lo, on_host) in [
            (libc::IPPROTO_IP, libc::IP_TTL, vec![1, 0, 0, 0], false, false),
            (libc::IPPROTO_UDP, libc::UDP_SEGMENT, vec![0, 4], false, false),
            (libc::IPPROTO_IP, libc::IP_PKTINFO, device(0), false, false),
            (libc::IPPROTO_IP, libc::IP_PKTINFO, device(2), true, false),
            (libc::IPPROTO_IP, libc::IP_PKTINFO, vec![], true, false),
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, device6(0), false, false),
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, device6(2), true, false),
            (libc::IPPROTO_IP, libc::IP_RETOPTS, vec![1, 131, 7, 4, 10, 9, 0, 2], true, true),
            (libc::IPPROTO_IPV6, libc::IPV6_RTHDR, vec![], true, true),
            (libc::IPPROTO_IPV6, libc::IPV6_HOPOPTS, vec![], true, true),
            (libc::SOL_SOCKET, libc::SO_MARK, vec![0; 4], true, true),
            (libc::SOL_SOCKET, libc::SCM_RIGHTS, vec![0; 4], true, true),
        ] {
            assert_eq!(steers((level, kind, &data), Place::Loopback), on_lo, "{level} {kind} {data:?}");
            assert_eq!(steers((level, kind, &data), Place::Host), on_host, "{level} {kind} {data:?}");
        }
    }
}
