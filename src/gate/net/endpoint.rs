//! Socket addresses as actors write them. In: the bytes of a sockaddr, read once. Out: what they name, normalised. Pure, and safe on garbage.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::{Endpoint, Hostile};

/// Size of `sockaddr_storage`: longer addresses are EINVAL in the kernel too.
pub const LONGEST: usize = 128;

/// What a sockaddr names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `AF_UNSPEC`: for connect, dissolve the association.
    Unspecified,
    /// IPv4-mapped addresses are given as the IPv4 address they are.
    Ip(SocketAddr),
    /// Up to, not including, the first NUL.
    UnixPath(Vec<u8>),
    UnixAbstract(Vec<u8>),
    UnixUnnamed,
    Netlink,
    Other(u16),
}

/// Decodes with the kernel's own length rules; `None` is EINVAL.
pub fn decode(bytes: &[u8]) -> Option<Address> {
    if bytes.len() > LONGEST {
        return None;
    }
    let family = u16::from_ne_bytes(take(bytes, 0)?);
    Some(match i32::from(family) {
        libc::AF_UNSPEC => Address::Unspecified,
        libc::AF_INET => Address::Ip(v4(bytes)?),
        libc::AF_INET6 => {
            let port = u16::from_be_bytes(take(bytes, 2)?);
            let address = Ipv6Addr::from(take::<16>(bytes, 8)?);
            Address::Ip(SocketAddr::new(IpAddr::V6(address).to_canonical(), port))
        }
        libc::AF_UNIX => unix(&bytes[2..])?,
        libc::AF_NETLINK => Address::Netlink,
        _ => Address::Other(family),
    })
}

/// The address of a datagram: IPv4 takes `AF_UNSPEC` there for `AF_INET` (net/ipv4/udp.c).
pub fn decode_datagram(bytes: &[u8]) -> Option<Address> {
    match decode(bytes)? {
        Address::Unspecified if bytes.len() >= 16 => Some(Address::Ip(v4(bytes)?)),
        other => Some(other),
    }
}

fn v4(bytes: &[u8]) -> Option<SocketAddr> {
    if bytes.len() < 16 {
        return None;
    }
    let port = u16::from_be_bytes(take(bytes, 2)?);
    Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(take::<4>(bytes, 4)?)), port))
}

fn unix(name: &[u8]) -> Option<Address> {
    match name {
        [] => Some(Address::UnixUnnamed),
        _ if name.len() > 108 => None,
        [0, rest @ ..] => Some(Address::UnixAbstract(rest.to_vec())),
        path => Some(Address::UnixPath(path.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())),
    }
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The sockaddr of an address, for our own calls. `family` is the socket's: an inet6 socket gets IPv4 addresses mapped.
pub fn encode(address: SocketAddr, family: i32) -> Vec<u8> {
    let ip = match (family, address.ip()) {
        (libc::AF_INET6, IpAddr::V4(v4)) => IpAddr::V6(v4.to_ipv6_mapped()),
        (_, ip) => ip,
    };
    let mut out = Vec::with_capacity(28);
    match ip {
        IpAddr::V4(v4) => {
            out.extend((libc::AF_INET as u16).to_ne_bytes());
            out.extend(address.port().to_be_bytes());
            out.extend(v4.octets());
            out.extend([0; 8]);
        }
        IpAddr::V6(v6) => {
            out.extend((libc::AF_INET6 as u16).to_ne_bytes());
            out.extend(address.port().to_be_bytes());
            out.extend([0; 4]);
            out.extend(v6.octets());
            out.extend([0; 4]);
        }
    }
    out
}

/// The sockaddr of a unix path, for our own calls; `None` when it does not fit.
pub fn encode_unix(path: &[u8]) -> Option<Vec<u8>> {
    if path.is_empty() || path.len() > 107 || path.contains(&0) {
        return None;
    }
    let mut out = (libc::AF_UNIX as u16).to_ne_bytes().to_vec();
    out.extend(path);
    out.push(0);
    Some(out)
}

/// The family of an address.
pub fn family_of(ip: IpAddr) -> i32 {
    if ip.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }
}

/// This machine: `127/8`, `::1`, and the unspecified address, which the kernel takes for it.
pub fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified()
}

/// The words reports use for a family.
pub fn family_name(family: i32) -> String {
    match family {
        libc::AF_UNIX => "unix".into(),
        libc::AF_INET => "inet".into(),
        libc::AF_INET6 => "inet6".into(),
        libc::AF_NETLINK => "netlink".into(),
        libc::AF_PACKET => "packet".into(),
        libc::AF_VSOCK => "vsock".into(),
        libc::AF_ALG => "alg".into(),
        libc::AF_BLUETOOTH => "bluetooth".into(),
        libc::AF_XDP => "xdp".into(),
        libc::AF_TIPC => "tipc".into(),
        libc::AF_RDS => "rds".into(),
        libc::AF_KEY => "key".into(),
        other => format!("family {other}"),
    }
}

/// An endpoint of a family that has no addresses we read.
pub fn other(name: impl Into<String>) -> Endpoint {
    Endpoint::Other { name: name.into() }
}

/// A unix socket by its abstract name (unix(7)), without the NUL it begins with.
pub fn abstract_name(name: &[u8]) -> Endpoint {
    Endpoint::UnixAbstract { name: Hostile::new(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Address {
        Address::Ip(text.parse().unwrap())
    }

    #[test]
    fn addresses_survive_encoding() {
        for text in ["127.0.0.1:80", "192.0.2.1:65535", "[::1]:53", "[2001:db8::1]:443"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(decode(&encode(address, family_of(address.ip()))), Some(ip(text)));
        }
        let mapped = encode("127.0.0.1:80".parse().unwrap(), libc::AF_INET6);
        assert_eq!(mapped[0..2], (libc::AF_INET6 as u16).to_ne_bytes());
        assert_eq!(decode(&mapped), Some(ip("127.0.0.1:80")), "a mapped address is the IPv4 address it is");
    }

    #[test]
    fn lengths_are_the_kernels() {
        let v4 = encode("127.0.0.1:80".parse().unwrap(), libc::AF_INET);
        assert_eq!(decode(&v4[..15]), None);
        let v6 = encode("[::1]:80".parse().unwrap(), libc::AF_INET6);
        assert_eq!(decode(&v6[..24]), Some(ip("[::1]:80")), "without a scope id, as RFC 2133 had it");
        assert_eq!(decode(&v6[..23]), None);
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[1]), None);
        assert_eq!(decode(&[0; 129]), None);
        assert_eq!(decode(&[0, 0]), Some(Address::Unspecified));
    }

    #[test]
    fn unix_names() {
        assert_eq!(decode(&[1, 0]), Some(Address::UnixUnnamed));
        assert_eq!(decode(b"\x01\0/run/x\0junk"), Some(Address::UnixPath(b"/run/x".to_vec())));
        assert_eq!(decode(b"\x01\0/run/x"), Some(Address::UnixPath(b"/run/x".to_vec())));
        assert_eq!(decode(b"\x01\0\0bus\0x"), Some(Address::UnixAbstract(b"bus\0x".to_vec())));
        assert_eq!(decode(&[&[1u8, 0][..], &[b'a'; 109]].concat()), None);
        assert_eq!(encode_unix(b"/a").as_deref(), Some(&b"\x01\0/a\0"[..]));
        assert_eq!(encode_unix(&[b'a'; 108]), None);
        assert_eq!(encode_unix(b"a\0b"), None);
    }

    #[test]
    fn a_datagram_may_leave_its_family_out() {
        let mut bytes = encode("192.0.2.1:53".parse().unwrap(), libc::AF_INET);
        bytes[0..2].fill(0);
        assert_eq!(decode_datagram(&bytes), Some(ip("192.0.2.1:53")));
        assert_eq!(decode_datagram(&[0, 0]), Some(Address::Unspecified));
    }

    #[test]
    fn local_is_more_than_127_0_0_1() {
        for text in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"] {
            assert!(is_local(text.parse().unwrap()), "{text}");
        }
        for text in ["192.0.2.1", "169.254.169.254", "fe80::1", "128.0.0.1"] {
            assert!(!is_local(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn garbage_never_panics() {
        for length in 0..=140usize {
            for family in [0u8, 1, 2, 10, 16, 17, 40, 255] {
                let mut bytes: Vec<u8> = (0..length).map(|i| (i * 37) as u8).collect();
                if let Some(first) = bytes.first_mut() {
                    *first = family;
                }
                let _ = (decode(&bytes), decode_datagram(&bytes));
            }
        }
    }
}
