//! One datagram each to the sink.

use trick::net::*;
use trick::sys::call;

const WRITEV: i64 = 20;
const SENDFILE: i64 = 40;
const MEMFD_CREATE: i64 = 319;

fn main() {
    let port = trick::udp_port();
    let sink = loopback(port);
    let datagrams = || socket(INET, DATAGRAM, 0);
    if let Ok(socket) = datagrams() {
        let _ = send_to(socket, &load("sendto"), 0, &sink);
        let _ = send_message(socket, &load("sendmsg"), 0, &sink);
        let _ = send_messages(socket, &load("sendmmsg"), 0, &sink);
        // AF_UNSPEC is taken for AF_INET there.
        let _ = send_to(socket, &load("no-family"), 0, &[&[0, 0], &sink[2..]].concat());
    }
    if let Ok(socket) = socket(INET6, DATAGRAM, 17) {
        let _ = send_to(socket, &load("mapped"), 0, &mapped([127, 0, 0, 1], port, 0));
    }
    if let Ok(socket) = datagrams() {
        let _ = connect(socket, &sink);
        let _ = write(socket, &load("connected"));
        let _ = send_message(socket, &load("connected-sendmsg"), 0, &[]);
        let _ = send_messages(socket, &load("connected-sendmmsg"), 0, &[]);
        let text = load("writev");
        let part = [text.as_ptr() as u64, text.len() as u64];
        let _ = call(WRITEV, &[socket, part.as_ptr() as i64, 1]);
        sendfile(socket, &load("sendfile"));
    }
    if let Ok(socket) = datagrams() {
        // UDP_CORK: the datagram leaves when the cork is pulled.
        let _ = set(socket, 17, 1, 1);
        let _ = send_to(socket, &load("corked"), 0, &sink);
        let _ = set(socket, 17, 1, 0);
    }
    // Connected to a socket of its own, which the address of a message overrides.
    if let (Ok(own), Ok(socket)) = (std::net::UdpSocket::bind("127.0.0.1:0"), datagrams()) {
        let at = loopback(own.local_addr().unwrap().port());
        let _ = connect(socket, &at);
        let _ = send_to(socket, &load("second-peer"), 0, &sink);
        let _ = send_to(socket, b"hello", 0, &at);
        let _ = connect(socket, &sink);
        let _ = write(socket, &load("to-itself-first"));
    }
}

/// From memory that is a file, without a call that says "send".
fn sendfile(socket: i64, text: &[u8]) {
    let Ok(memory) = call(MEMFD_CREATE, &[c"datagram".as_ptr() as i64, 0]) else { return };
    let _ = write(memory, text);
    let mut offset = 0i64;
    let _ = call(SENDFILE, &[socket, memory, (&raw mut offset) as i64, text.len() as i64]);
}
