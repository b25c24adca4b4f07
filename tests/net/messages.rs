//! Scenes of the actor's: messages with a header in memory (`sendmsg`, `sendmmsg`), with control messages, and rewritten while they are judged.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};

use cargo_brig::gate::net::endpoint;
use cargo_brig::sys::socket;

/// One control message, padded as `CMSG_SPACE` has it.
fn control(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
    let length = 16 + data.len();
    let mut out = [&length.to_ne_bytes()[..], &level.to_ne_bytes(), &kind.to_ne_bytes(), data].concat();
    out.resize(length.next_multiple_of(8), 0);
    out
}

/// A server of the actor's own, and what came to it.
struct Own(UdpSocket, SocketAddr);

impl Own {
    fn bind() -> io::Result<Own> {
        let server = UdpSocket::bind("127.0.0.1:0")?;
        server.set_read_timeout(Some(super::actor::PATIENCE))?;
        let at = server.local_addr()?;
        Ok(Own(server, at))
    }

    fn received(&self) -> io::Result<String> {
        let mut buffer = [0; 100];
        let length = self.0.recv(&mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }
}

/// Everything an honest program sends this way arrives at its own server, and the lengths are told.
pub fn messages() -> io::Result<String> {
    let own = Own::bind()?;
    let to = endpoint::encode(own.1, libc::AF_INET);
    let ttl = control(libc::IPPROTO_IP, libc::IP_TTL, &9i32.to_ne_bytes());
    let from = control(libc::IPPROTO_IP, libc::IP_PKTINFO, &[0, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0]);
    let client = UdpSocket::bind("127.0.0.1:0")?;
    let mut told = Vec::new();
    for (address, controls) in [(&*to, &[][..]), (&to, &ttl), (&to, &[ttl.clone(), from].concat())] {
        told.push(socket::send_message(client.as_fd(), b"named", controls, 0, address)?.to_string());
        told.push(own.received()?);
    }
    // Two datagrams of one call.
    let segments = control(libc::IPPROTO_UDP, libc::UDP_SEGMENT, &3u16.to_ne_bytes());
    told.push(socket::send_message(client.as_fd(), b"onetwo", &segments, 0, &to)?.to_string());
    told.extend([own.received()?, own.received()?]);
    client.connect(own.1)?;
    told.push(socket::send_message(client.as_fd(), b"connected", &ttl, 0, &[])?.to_string());
    told.push(own.received()?);
    let two = many(&client, &[&b"first"[..], b"second!"], &to)?;
    told.extend(two.into_iter().map(|length| length.to_string()));
    told.extend([own.received()?, own.received()?]);
    Ok(told.join(" "))
}

/// `sendmmsg`; what the kernel says of each message's length.
fn many(socket: &UdpSocket, payloads: &[&[u8]], address: &[u8]) -> io::Result<Vec<u32>> {
    let mut parts: Vec<libc::iovec> =
        payloads.iter().map(|bytes| libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }).collect();
    let mut headers: Vec<libc::mmsghdr> = parts.iter_mut().map(|part| header(part, address)).collect();
    // SAFETY: each header names one part, one address and no control; all of it outlives the call.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), headers.len() as u32, 0) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    assert_eq!(sent as usize, headers.len());
    Ok(headers.iter().map(|header| header.msg_len).collect())
}

fn header(part: &mut libc::iovec, address: &[u8]) -> libc::mmsghdr {
    // SAFETY: plain integers and pointers; all zeros is a valid value.
    let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
    header.msg_hdr.msg_name = address.as_ptr().cast_mut().cast();
    header.msg_hdr.msg_namelen = address.len() as u32;
    header.msg_hdr.msg_iov = part;
    header.msg_hdr.msg_iovlen = 1;
    header
}

/// Control messages that say by which device or machine a packet goes: one word for each.
pub fn steered() -> io::Result<String> {
    let own = Own::bind()?;
    let to = endpoint::encode(own.1, libc::AF_INET);
    // The first machine on the way would be 127.0.0.9.
    let route = [1, 131, 7, 4, 127, 0, 0, 9];
    let device = |index: i32| control(libc::IPPROTO_IP, libc::IP_PKTINFO, &[&index.to_ne_bytes()[..], &[0; 8]].concat());
    let client = UdpSocket::bind("127.0.0.1:0")?;
    let connected = UdpSocket::bind("127.0.0.1:0")?;
    connected.connect(own.1)?;
    let mut said = Vec::new();
    for controls in [device(2), control(libc::IPPROTO_IP, libc::IP_RETOPTS, &route)] {
        for (socket, address) in [(&client, &*to), (&connected, &[])] {
            said.push(socket::send_message(socket.as_fd(), b"steered", &controls, 0, address).map(|_| ()));
        }
    }
    let said: Vec<String> = said
        .into_iter()
        .map(|done| done.map_or_else(|error| super::actor::name(error.raw_os_error().unwrap_or(0)), |()| "sent".into()))
        .collect();
    Ok(said.join(" "))
}

/// A thread exchanges the port in the message's address, between a server of the actor's own and `wanted`, while it is sent.
pub fn race(wanted: SocketAddr) -> io::Result<String> {
    let own = Own::bind()?;
    let ports = [own.1.port().to_be(), wanted.port().to_be()];
    let mut address = endpoint::encode(own.1, libc::AF_INET);
    // SAFETY: two bytes of `address`, aligned as the port is in a sockaddr_in, which live as long as the thread: it is joined below.
    let port = unsafe { AtomicU16::from_ptr(address.as_mut_ptr().add(2).cast()) };
    let (over, turns) = (AtomicBool::new(false), AtomicU64::new(0));
    let client = UdpSocket::bind("127.0.0.1:0")?;
    let (mut part, payload) = (libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 5 }, *b"hello");
    part.iov_base = payload.as_ptr().cast_mut().cast();
    let message = header(&mut part, &address).msg_hdr;
    let mut some = false;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                ports.into_iter().for_each(|one| port.store(one, Ordering::Relaxed));
                turns.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut sends = 0;
        // On a busy machine the thread may not have had its turn yet.
        while sends < 3000 || turns.load(Ordering::Relaxed) < 3000 {
            sends += 1;
            // SAFETY: the header names one part and one address, which outlive the call.
            some |= unsafe { libc::sendmsg(client.as_raw_fd(), &raw const message, libc::MSG_DONTWAIT) } >= 0;
        }
        over.store(true, Ordering::Relaxed);
    });
    Ok(format!("some={some}"))
}
