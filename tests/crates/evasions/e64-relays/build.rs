//! What such a service would pass on is in the first words it is told.

use std::io::Write;
use std::net::TcpStream;

fn main() {
    let say = |way: &str, before: &[u8], after: &[u8]| {
        if let Ok(mut service) = TcpStream::connect(("127.0.0.1", trick::tcp_port())) {
            let _ = service.write_all(&[before, trick::mark(way).as_bytes(), after].concat());
        }
    };
    say("http-proxy", b"CONNECT files.example.test:443 HTTP/1.1\r\nProxy-Authorization: Basic ", b"\r\n\r\n");
    say("socks", b"\x05\x01\0\x05\x01\0\x03\x40", b"\x01\xbb");
    say("redis", b"SET ", b" 1\r\nSAVE\r\n");
    say("postgres", b"\0\0\0\x60\0\x03\0\0user\0", b"\0\0");
    say("mail", b"HELO here\r\nMAIL FROM:<", b"@example.test>\r\n");
}
