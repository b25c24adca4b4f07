//! A socket that is made has won, except where the kind is harmless until it arrives somewhere: those have to bring a mark to the sink.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::FromRawFd;

use trick::sys::call;

const SOCKET: i64 = 41;
const CONNECT: i64 = 42;
const STREAM: i64 = 1;
const DATAGRAM: i64 = 2;
const RAW: i64 = 3;
const SEQUENCED: i64 = 5;

fn main() {
    for (way, family, kind, protocol) in [
        ("packet", 17, RAW, 0),
        ("packet-datagram", 17, DATAGRAM, 0),
        ("netlink-audit", 16, RAW, 9),
        ("netlink-connector", 16, DATAGRAM, 11),
        ("netlink-uevent", 16, DATAGRAM, 15),
        ("netlink-generic", 16, RAW, 16),
        ("vsock", 40, STREAM, 0),
        ("vsock-datagram", 40, DATAGRAM, 0),
        ("alg", 38, SEQUENCED, 0),
        ("bluetooth", 31, RAW, 1),
        ("xdp", 44, RAW, 0),
        ("rds", 21, SEQUENCED, 0),
        ("tipc", 30, SEQUENCED, 0),
        ("smc", 43, STREAM, 0),
        ("key", 15, RAW, 2),
        ("can", 29, RAW, 1),
        ("rxrpc", 33, DATAGRAM, 2),
        ("kcm", 41, SEQUENCED, 0),
        ("qrtr", 42, DATAGRAM, 0),
        ("nfc", 39, SEQUENCED, 0),
        ("pppox", 24, STREAM, 0),
        ("llc", 26, STREAM, 0),
        ("x25", 9, SEQUENCED, 0),
        ("sctp", 2, STREAM, 132),
        ("dccp", 2, 6, 33),
        ("raw-icmp", 2, RAW, 1),
        ("raw-any", 2, RAW, 255),
        ("raw-6", 10, RAW, 58),
    ] {
        if call(SOCKET, &[family, kind, protocol]).is_ok() {
            trick::won(way);
        }
    }
    for (way, family, protocol) in [("mptcp", 2, 262), ("smc-inet", 2, 256)] {
        let Ok(fd) = call(SOCKET, &[family, STREAM, protocol]) else { continue };
        let mut address = [0_u8; 16];
        address[0] = 2;
        address[2..4].copy_from_slice(&trick::tcp_port().to_be_bytes());
        address[4..8].copy_from_slice(&[127, 0, 0, 1]);
        if call(CONNECT, &[fd, address.as_ptr() as i64, 16]).is_ok() {
            let mut stream = unsafe { File::from_raw_fd(fd as i32) };
            let _ = stream.write_all(format!("{}\r\n\r\n", trick::mark(way)).as_bytes());
            let _ = stream.read(&mut [0; 64]);
        }
    }
}
