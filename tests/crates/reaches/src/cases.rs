// Shared by the build script and the test: what `ZOO_CASE` names is done with the service `ZOO_AT` names. Each answers what it is told.

use std::io::{Read, Result, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};

pub fn reach() -> Result<()> {
    let (Ok(case), Ok(at)) = (std::env::var("ZOO_CASE"), std::env::var("ZOO_AT")) else { return Ok(()) };
    let mut answer = [0; 4];
    match case.as_str() {
        "tcp" => talk(&mut TcpStream::connect(at)?, &mut answer)?,
        "unix" => talk(&mut UnixStream::connect(at)?, &mut answer)?,
        "udp" => {
            let socket = UdpSocket::bind(if at.starts_with('[') { "[::1]:0" } else { "127.0.0.1:0" })?;
            socket.send_to(b"ping", at)?;
            socket.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
            socket.recv_from(&mut answer)?;
        }
        "datagram" => {
            UnixDatagram::unbound()?.send_to(b"ping", at)?;
            answer = *b"ping";
        }
        "connected datagram" => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(at)?;
            socket.send(b"ping")?;
            answer = *b"ping";
        }
        other => panic!("no case `{other}`"),
    }
    assert_eq!(&answer, b"ping");
    Ok(())
}

fn talk(stream: &mut (impl Read + Write), answer: &mut [u8]) -> Result<()> {
    stream.write_all(b"ping")?;
    stream.read_exact(answer)
}
