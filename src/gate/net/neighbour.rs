//! Who listens on this machine's own loopback. What a profile allows inside an actor's private network says nothing about those: to ask for one
//! of them is to leave. In: an act. Out: whether somebody is there.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::{Act, Endpoint};

/// `include/net/tcp_states.h`: of TCP those that listen, of UDP those that are bound.
const TCP_LISTEN: &str = "0A";
const UDP_BOUND: &str = "07";

/// Would this connection or datagram find somebody outside? What cannot be read is taken for a yes.
pub fn hears(act: &Act) -> bool {
    let (Act::Connect { to } | Act::Send { to }) = act else { return true };
    let Endpoint::Ip { protocol, address, .. } = to else { return true };
    let (tables, state) = if protocol == "udp" { (["udp", "udp6"], UDP_BOUND) } else { (["tcp", "tcp6"], TCP_LISTEN) };
    tables.into_iter().any(|table| match fs::read_to_string(format!("/proc/self/net/{table}")) {
        Ok(text) => text.lines().skip(1).any(|line| is_there(line, state, *address)),
        // A kernel without IPv6.
        Err(error) => error.kind() != io::ErrorKind::NotFound || table.len() == 3,
    })
}

/// A line of `/proc/net/tcp` (proc_pid_net(5)): number, local address, remote address, state …
fn is_there(line: &str, wanted: &str, to: SocketAddr) -> bool {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (Some(local), Some(_), Some(state)) = (words.next(), words.next(), words.next()) else { return false };
    let Some((ip, port)) = local.rsplit_once(':').and_then(|(ip, port)| Some((address(ip)?, u16::from_str_radix(port, 16).ok()?))) else {
        return false;
    };
    let (ip, asked) = (ip.to_canonical(), to.ip().to_canonical());
    state == wanted && port == to.port() && (ip == asked || ip.is_unspecified() || asked.is_unspecified() && ip.is_loopback())
}

/// Words of 32 bits, each as this machine stores them.
fn address(text: &str) -> Option<IpAddr> {
    let words: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok())
        .collect::<Option<Vec<u32>>>()
        .map(|words| words.into_iter().flat_map(u32::to_ne_bytes).collect());
    let bytes = words?;
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => Some(Ipv4Addr::from(v4).into()),
        Err(_) => <[u8; 16]>::try_from(bytes.as_slice()).ok().map(|v6| Ipv6Addr::from(v6).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    fn to(protocol: &str, address: SocketAddr) -> Act {
        Act::Connect { to: Endpoint::Ip { protocol: protocol.into(), address, host: None } }
    }

    #[test]
    fn listeners_are_seen_and_empty_ports_are_not() {
        for local in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            let Ok(tcp) = TcpListener::bind(local) else { continue };
            let udp = UdpSocket::bind(local).unwrap();
            for (protocol, address) in [("tcp", tcp.local_addr().unwrap()), ("udp", udp.local_addr().unwrap())] {
                assert!(hears(&to(protocol, address)), "{protocol} {address}");
                // By any loopback address where it listens on all of them.
                if local.starts_with("0.0.0.0") {
                    assert!(hears(&to(protocol, SocketAddr::from(([127, 9, 9, 9], address.port())))));
                }
                if local.starts_with("127") {
                    assert!(hears(&to(protocol, SocketAddr::from(([0, 0, 0, 0], address.port())))));
                    assert!(!hears(&to(protocol, SocketAddr::from(([127, 9, 9, 9], address.port())))));
                }
            }
            let (gone, bound) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
            drop((tcp, udp));
            assert!(!hears(&to("tcp", gone)) && !hears(&to("udp", bound)), "{local}");
        }
    }

    #[test]
    fn lines_of_the_table() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0";
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        if cfg!(target_endian = "little") {
            assert!(is_there(line, TCP_LISTEN, at("127.0.0.1:8080")));
            assert!(is_there(line, TCP_LISTEN, at("[::ffff:127.0.0.1]:8080")));
        }
        assert!(!is_there(line, TCP_LISTEN, at("127.0.0.1:8081")));
        assert!(!is_there(line, UDP_BOUND, at("127.0.0.1:8080")));
        for odd in ["", "x", "0: 7F 0 0A", "0: 0100007F:1F90", "0: 01é007F:1F90 0 0A", "0: 0100007F0100007F:1F90 0 0A"] {
            assert!(!is_there(odd, TCP_LISTEN, at("127.0.0.1:8080")), "{odd}");
        }
    }
}
