//! Whatever is no TCP and no UDP, to the same sinks, to itself through the kernel, or to the kernel.

use std::time::Duration;

use trick::net::*;
use trick::sys::call;

const RECVFROM: i64 = 45;
const GETSOCKNAME: i64 = 51;
const DONTWAIT: i64 = 0x40;

fn main() {
    let (tcp, udp) = (loopback(trick::tcp_port()), loopback(trick::udp_port()));
    try_stream("mptcp", INET, 262, &tcp);
    try_stream("mptcp-mapped", INET6, 262, &mapped([127, 0, 0, 1], trick::tcp_port(), 0));
    try_stream("sctp", INET, 132, &tcp);
    if let Ok(socket) = socket(INET, DATAGRAM, 1) {
        echoes("ping", socket, 0);
    }
    if let Ok(socket) = socket(INET, RAW, 1) {
        echoes("ping-raw", socket, 20);
    }
    if let Ok(socket) = socket(INET, RAW, 255) {
        let packet = ip_packet(17, &udp_datagram(trick::udp_port(), &load("raw-ip")));
        let _ = send_to(socket, &packet, 0, &loopback(0));
    }
    if let Ok(socket) = socket(INET, RAW, 17) {
        let _ = send_message(socket, &udp_datagram(trick::udp_port(), &load("raw-udp")), 0, &loopback(0));
        let _ = connect(socket, &udp);
        let _ = write(socket, &udp_datagram(trick::udp_port(), &load("raw-udp-connected")));
    }
    packet();
    vsock();
    socket_table();
    route();
}

/// Asks 127.0.0.1 for an echo, and looks for the mark in what comes back.
fn echoes(way: &str, socket: i64, head: usize) {
    let mut request = [&[8, 0, 0, 0, 0, 1, 0, 1][..], &load(way)].concat();
    let sum = checksum(&request);
    request[2..4].copy_from_slice(&sum.to_be_bytes());
    let _ = send_to(socket, &request, 0, &loopback(0));
    let mut buffer = [0u8; 256];
    for _ in 0..20 {
        let length = call(RECVFROM, &[socket, buffer.as_mut_ptr() as i64, 256, DONTWAIT]).unwrap_or(0) as usize;
        let answer = buffer[..length].get(head..).is_some_and(|icmp| icmp.first() == Some(&0));
        if answer && buffer[..length].windows(load(way).len()).any(|part| part == load(way)) {
            return trick::won(way);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A frame past every transport, and an ear for all that passes on the device. (Delivering it to the sink is not the proof: the kernel
/// takes no packet from 127.0.0.1 that did not come through its own routing.)
fn packet() {
    // struct sockaddr_ll: IPv4 on device 1, which is lo everywhere.
    let device = [&(PACKET as u16).to_ne_bytes()[..], &0x0800u16.to_be_bytes(), &1i32.to_ne_bytes(), &[0, 0, 0, 6], &[0; 8]].concat();
    let (Ok(ear), Ok(mouth)) = (socket(PACKET, RAW, 0), socket(PACKET, RAW, 0)) else { return };
    if bind(ear, &device).is_err() {
        return;
    }
    let packet = ip_packet(17, &udp_datagram(trick::udp_port(), &load("packet")));
    let frame = [&[0; 12][..], &0x0800u16.to_be_bytes(), &packet].concat();
    let _ = send_to(mouth, &frame, 0, &device);
    let mut buffer = vec![0u8; 2048];
    // Others use the device as well.
    for _ in 0..10_000 {
        match call(RECVFROM, &[ear, buffer.as_mut_ptr() as i64, buffer.len() as i64, DONTWAIT]) {
            Ok(length) if buffer[..length as usize].windows(frame.len()).any(|part| part == frame) => return trick::won("packet"),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// To itself, through this machine's own address (CID 1).
fn vsock() {
    let address =
        |cid: u32, port: u32| [&(VSOCK as u16).to_ne_bytes()[..], &[0, 0], &port.to_ne_bytes(), &cid.to_ne_bytes(), &[0; 4]].concat();
    let (Ok(server), Ok(client)) = (socket(VSOCK, STREAM, 0), socket(VSOCK, STREAM | NONBLOCK, 0)) else { return };
    if bind(server, &address(u32::MAX, u32::MAX)).is_err() || listen(server).is_err() {
        return;
    }
    let (mut name, mut length) = ([0u8; 16], 16u32);
    let _ = call(GETSOCKNAME, &[server, name.as_mut_ptr() as i64, (&raw mut length) as i64]);
    let port = u32::from_ne_bytes(name[4..8].try_into().unwrap());
    let _ = connect(client, &address(1, port));
    wait(client);
    if write(client, &load("vsock")).is_ok() {
        trick::won("vsock");
    }
}

/// NETLINK_SOCK_DIAG: who listens on this machine.
fn socket_table() {
    let Ok(socket) = socket(NETLINK, RAW, 4) else { return };
    // struct nlmsghdr (SOCK_DIAG_BY_FAMILY, REQUEST | DUMP) and inet_diag_req_v2 (inet, tcp, all states).
    let head = [&72u32.to_ne_bytes()[..], &20u16.to_ne_bytes(), &0x301u16.to_ne_bytes(), &[0; 8]];
    let request = [&head.concat()[..], &[2, 6, 0, 0, 255, 255, 255, 255], &[0; 48]].concat();
    let kernel = [&(NETLINK as u16).to_ne_bytes()[..], &[0; 10]].concat();
    let _ = send_to(socket, &request, 0, &kernel);
    let mut buffer = vec![0u8; 64 << 10];
    for _ in 0..20 {
        let length = call(RECVFROM, &[socket, buffer.as_mut_ptr() as i64, buffer.len() as i64, DONTWAIT]).unwrap_or(0) as usize;
        if buffer[..length].windows(2).any(|pair| pair == trick::tcp_port().to_be_bytes()) {
            return trick::won("socket-table");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// NETLINK_ROUTE: gives the machine another address, which ends by itself after two seconds.
fn route() {
    let Ok(socket) = socket(NETLINK, RAW, 0) else { return };
    let ip = [127, 60, (std::process::id() >> 8) as u8, std::process::id() as u8];
    let attribute = |kind: u16, value: &[u8]| [&(4 + value.len() as u16).to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    // struct ifaddrmsg (host scope, device 1), IFA_LOCAL, IFA_ADDRESS, IFA_CACHEINFO.
    let lifetime = [2u32.to_ne_bytes(), 2u32.to_ne_bytes(), [0; 4], [0; 4]].concat();
    let body = [&[2, 32, 0, 254][..], &1u32.to_ne_bytes(), &attribute(2, &ip), &attribute(1, &ip), &attribute(6, &lifetime)].concat();
    let head = [&(16 + body.len() as u32).to_ne_bytes()[..], &20u16.to_ne_bytes(), &0x405u16.to_ne_bytes(), &[0; 8]].concat();
    let _ = send_to(socket, &[head, body].concat(), 0, &[&(NETLINK as u16).to_ne_bytes()[..], &[0; 10]].concat());
    // Seen where this process lives, wherever its sockets were born.
    let text = std::fs::read_to_string("/proc/self/net/fib_trie").unwrap_or_default();
    if text.contains(&format!("127.60.{}.{}", ip[2], ip[3])) {
        trick::won("route");
    }
}
