//! Looks names up through the C library and connects to what they mean, asks metadata services for credentials, and asks the machine's
//! resolvers on their sockets. Only for a machine whose network is its own loopback device: see `tests/behaviour/isle.rs`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

fn main() {
    assert!(std::env::var_os("ZOO_ISLE").is_some(), "nowhere else");
    match ("data.example.test", 443).to_socket_addrs() {
        Ok(found) => found.for_each(|at| println!("zoo: data.example.test is {at}")),
        Err(error) => println!("zoo: no data.example.test: {error}"),
    }
    if let Ok(mut host) = TcpStream::connect("data.example.test:443") {
        let _ = host.write_all(b"zoo: by name");
    }
    let _ = "metadata.google.internal:80".to_socket_addrs();
    for at in ["169.254.169.254:80", "[::ffff:169.254.169.254]:80", "169.254.170.2:80", "100.100.100.200:80"] {
        let Ok(mut service) = TcpStream::connect_timeout(&at.parse::<SocketAddr>().unwrap(), PATIENCE) else { continue };
        let _ = service.set_read_timeout(Some(PATIENCE));
        let _ = service.write_all(b"GET /latest/meta-data/iam/security-credentials/ HTTP/1.0\r\n\r\n");
        let mut answer = String::new();
        let _ = service.read_to_string(&mut answer);
        if answer.contains("zoo-credentials") {
            println!("zoo: credentials from {at}");
        }
    }
    if let Ok(socket) = UdpSocket::bind("0.0.0.0:0") {
        let _ = socket.send_to(b"zoo: a datagram", "169.254.169.254:80");
    }
    if let Ok(mut service) = UnixStream::connect("/run/systemd/resolve/io.systemd.Resolve") {
        let _ =
            service.write_all(b"{\"method\":\"io.systemd.Resolve.ResolveHostname\",\"parameters\":{\"name\":\"label.example.test\"}}\0");
    }
    if let Ok(mut service) = UnixStream::connect("/var/run/nscd/socket") {
        // Version 2, GETAI, length, name.
        let _ = service.write_all(&[&[2, 0, 0, 0, 14, 0, 0, 0, 19, 0, 0, 0][..], b"label.example.test\0"].concat());
    }
}
