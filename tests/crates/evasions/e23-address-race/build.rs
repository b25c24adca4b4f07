//! Half of the time it is the address of this program's own server, half of the time that of somebody outside. What arrives outside says
//! so there.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;

use trick::race::{Racer, Shared, Tally, begin, race};
use trick::sys::call;

const SOCKET: i64 = 41;
const CONNECT: i64 = 42;
const SENDTO: i64 = 44;
const SENDMSG: i64 = 46;
const SENDMMSG: i64 = 307;
const SETSOCKOPT: i64 = 54;
const INET: i64 = 2;
const STREAM: i64 = 1;
const DONT_WAIT: i64 = 0x40;

/// Where things lie in the page: two addresses, a message header, its parts.
const ONE: usize = 0;
const OTHER: usize = 64;
const HEADER: usize = 256;
const PARTS: usize = 512;
const TEXT: usize = 1024;

fn main() {
    begin();
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = own.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in own.incoming().flatten() {
            let _ = stream.read(&mut [0; 256]);
        }
    });
    for (way, racer) in [("connect-thread", Racer::Thread), ("connect-process", Racer::Process)] {
        let shared = flipping(port, trick::tcp_port());
        let bits = flip_bits(port, trick::tcp_port());
        let mark = trick::mark(way);
        let mut tally = Tally::default();
        let change = || drop(shared.word(ONE).fetch_xor(bits, Relaxed));
        let mut attempt = || {
            // The racer gets its turn, and whoever listens keeps up.
            std::thread::sleep(std::time::Duration::from_micros(50));
            let fd = call(SOCKET, &[INET, STREAM, 0]).unwrap();
            let socket = unsafe { OwnedFd::from_raw_fd(fd as i32) };
            // No connection lingers.
            let linger = [1_i32, 0];
            let result = call(CONNECT, &[fd, shared.address(ONE), 16]);
            let outside = result.map(|_| {
                let mut stream = std::net::TcpStream::from(socket);
                let outside = stream.peer_addr().is_ok_and(|peer| peer.port() == trick::tcp_port());
                if outside {
                    let _ = stream.write_all(mark.as_bytes());
                } else {
                    let _ = call(SETSOCKOPT, &[i64::from(stream.as_raw_fd()), 1, 13, linger.as_ptr() as i64, 8]);
                }
                outside
            });
            tally.counted(outside);
        };
        // Where connections wait for others, one short race may see one address only.
        let mut rewritten = race(racer, &shared, change, &mut attempt);
        if std::env::var_os("ZOO_ROUNDS").is_none() {
            rewritten += race(racer, &shared, change, &mut attempt);
        }
        tally.rewritten = rewritten;
        tally.tell(way, "tcp");
    }

    let own = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = own.local_addr().unwrap().port();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let fd = i64::from(sender.as_raw_fd());
    for (name, racer) in [("thread", Racer::Thread), ("process", Racer::Process)] {
        for kind in ["sendto", "sendmsg", "sendmmsg", "sendmsg-name"] {
            let way = format!("{kind}-{name}");
            let shared = flipping(port, trick::udp_port());
            let mark = trick::mark(&way);
            let text = shared.write(TEXT, mark.as_bytes());
            shared.word(PARTS).store(text as u64, Relaxed);
            shared.word(PARTS + 8).store(mark.len() as u64, Relaxed);
            for (at, word) in [(0, shared.address(ONE) as u64), (8, 16), (16, shared.address(PARTS) as u64), (24, 1)] {
                shared.word(HEADER + at).store(word, Relaxed);
            }
            let names = (shared.address(ONE) ^ shared.address(OTHER)) as u64;
            let bits = flip_bits(port, trick::udp_port());
            // The address itself, or the pointer to it.
            let change = || match kind {
                "sendmsg-name" => drop(shared.word(HEADER).fetch_xor(names, Relaxed)),
                _ => drop(shared.word(ONE).fetch_xor(bits, Relaxed)),
            };
            let mut tally = Tally::default();
            tally.rewritten += race(racer, &shared, change, || {
                // Whoever listens must keep up, or what arrives is dropped.
                std::thread::sleep(std::time::Duration::from_micros(50));
                let sent = match kind {
                    "sendto" => call(SENDTO, &[fd, text, mark.len() as i64, DONT_WAIT, shared.address(ONE), 16]),
                    "sendmmsg" => call(SENDMMSG, &[fd, shared.address(HEADER), 1, DONT_WAIT]),
                    _ => call(SENDMSG, &[fd, shared.address(HEADER), DONT_WAIT]),
                };
                // Where it went is told by whoever got it.
                tally.counted(sent.map(|_| false));
            });
            tally.tell(&way, "udp");
        }
    }
}

fn address(port: u16) -> u64 {
    let [high, low] = port.to_be_bytes();
    u64::from_ne_bytes([2, 0, high, low, 127, 0, 0, 1])
}

fn flip_bits(one: u16, other: u16) -> u64 {
    address(one) ^ address(other)
}

fn flipping(one: u16, other: u16) -> Shared {
    let shared = Shared::memfd();
    shared.word(ONE).store(address(one), Relaxed);
    shared.word(OTHER).store(address(other), Relaxed);
    shared
}
