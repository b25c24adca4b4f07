//! Sockets as the kernel takes them, and messages that carry a mark. What arrives at a sink has won.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::sys::call;

/// Numbers on x86_64.
mod nr {
    pub const WRITE: i64 = 1;
    pub const POLL: i64 = 7;
    pub const SOCKET: i64 = 41;
    pub const CONNECT: i64 = 42;
    pub const SENDTO: i64 = 44;
    pub const SENDMSG: i64 = 46;
    pub const BIND: i64 = 49;
    pub const LISTEN: i64 = 50;
    pub const SETSOCKOPT: i64 = 54;
    pub const SENDMMSG: i64 = 307;
}

pub const UNIX: i64 = 1;
pub const INET: i64 = 2;
pub const INET6: i64 = 10;
pub const NETLINK: i64 = 16;
pub const PACKET: i64 = 17;
pub const VSOCK: i64 = 40;

pub const STREAM: i64 = 1;
pub const DATAGRAM: i64 = 2;
pub const RAW: i64 = 3;
pub const SEQPACKET: i64 = 5;
pub const NONBLOCK: i64 = 0x800;

pub const FASTOPEN: i64 = 0x2000_0000;

/// What is sent: the mark of a way, and an end of line.
pub fn load(way: &str) -> Vec<u8> {
    format!("{}\n", crate::mark(way)).into_bytes()
}

pub fn v4(ip: [u8; 4], port: u16) -> Vec<u8> {
    [&(INET as u16).to_ne_bytes()[..], &port.to_be_bytes(), &ip, &[0; 8]].concat()
}

pub fn loopback(port: u16) -> Vec<u8> {
    v4([127, 0, 0, 1], port)
}

/// `::ffff:a.b.c.d`, with a scope.
pub fn mapped(ip: [u8; 4], port: u16, scope: u32) -> Vec<u8> {
    let prefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    [&(INET6 as u16).to_ne_bytes()[..], &port.to_be_bytes(), &[0; 4], &prefix, &ip, &scope.to_ne_bytes()].concat()
}

pub fn unix(path: &Path) -> Vec<u8> {
    [&(UNIX as u16).to_ne_bytes()[..], path.as_os_str().as_bytes(), &[0]].concat()
}

pub fn unix_abstract(name: &Path) -> Vec<u8> {
    [&(UNIX as u16).to_ne_bytes()[..], &[0], name.as_os_str().as_bytes()].concat()
}

/// A socket's number, which stays open until the process ends.
pub fn socket(family: i64, kind: i64, protocol: i64) -> Result<i64, i32> {
    call(nr::SOCKET, &[family, kind, protocol])
}

pub fn connect(socket: i64, address: &[u8]) -> Result<i64, i32> {
    call(nr::CONNECT, &[socket, address.as_ptr() as i64, address.len() as i64])
}

pub fn bind(socket: i64, address: &[u8]) -> Result<i64, i32> {
    call(nr::BIND, &[socket, address.as_ptr() as i64, address.len() as i64])
}

pub fn listen(socket: i64) -> Result<i64, i32> {
    call(nr::LISTEN, &[socket, 8])
}

pub fn set(socket: i64, level: i64, name: i64, value: i32) -> Result<i64, i32> {
    call(nr::SETSOCKOPT, &[socket, level, name, (&raw const value) as i64, 4])
}

pub fn write(socket: i64, bytes: &[u8]) -> Result<i64, i32> {
    call(nr::WRITE, &[socket, bytes.as_ptr() as i64, bytes.len() as i64])
}

/// Until it can be written to, for a second.
pub fn wait(socket: i64) {
    let entry = [socket as i32, 4];
    let _ = call(nr::POLL, &[entry.as_ptr() as i64, 1, 1000]);
}

pub fn send_to(socket: i64, bytes: &[u8], flags: i64, to: &[u8]) -> Result<i64, i32> {
    call(nr::SENDTO, &[socket, bytes.as_ptr() as i64, bytes.len() as i64, flags, to.as_ptr() as i64, to.len() as i64])
}

/// `sendmsg`, with an address unless that is empty.
pub fn send_message(socket: i64, bytes: &[u8], flags: i64, to: &[u8]) -> Result<i64, i32> {
    let part = [bytes.as_ptr() as u64, bytes.len() as u64];
    let header = header(&part, to);
    call(nr::SENDMSG, &[socket, header.as_ptr() as i64, flags])
}

/// `sendmmsg` of one message.
pub fn send_messages(socket: i64, bytes: &[u8], flags: i64, to: &[u8]) -> Result<i64, i32> {
    let part = [bytes.as_ptr() as u64, bytes.len() as u64];
    let header = [&header(&part, to)[..], &[0]].concat();
    call(nr::SENDMMSG, &[socket, header.as_ptr() as i64, 1, flags])
}

/// `struct msghdr`.
fn header(part: &[u64; 2], to: &[u8]) -> [u64; 7] {
    let name = if to.is_empty() { 0 } else { to.as_ptr() as u64 };
    [name, to.len() as u64, part.as_ptr() as u64, 1, 0, 0, 0]
}

/// Connects a stream and sends the mark. Won when it arrives.
pub fn try_stream(way: &str, family: i64, protocol: i64, to: &[u8]) {
    if let Ok(socket) = socket(family, STREAM, protocol) {
        if connect(socket, to).is_ok() {
            let _ = write(socket, &load(way));
        }
    }
}

/// The Internet checksum, RFC 1071.
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A UDP datagram to 127.0.0.1 as it lies in an IP packet; no checksum, which IPv4 allows.
pub fn udp_datagram(to: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    [&9u16.to_be_bytes()[..], &to.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

/// An IPv4 packet from and to 127.0.0.1.
pub fn ip_packet(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len()) as u16;
    let mut head = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 1, 0, 0, 64, protocol, 0, 0], &[127, 0, 0, 1, 127, 0, 0, 1]].concat();
    let sum = checksum(&head);
    head[10..12].copy_from_slice(&sum.to_be_bytes());
    [&head[..], payload].concat()
}
