//! Target: what actors hand to the network calls: addresses, DNS messages, message headers; and the wire to the broker. Decoded as the
//! kernel decodes it, which is asked where that is possible.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use super::mutate::mutate;
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::gate::net::broker::wire::Request;
use crate::gate::net::endpoint::{self, Address};
use crate::gate::net::{dns, message};
use crate::sys::socket;

fn address(source: &mut Source) -> SocketAddr {
    let mut octets = [0; 16];
    octets.iter_mut().for_each(|byte| *byte = source.next() as u8);
    let ip = match source.below(3) {
        0 => IpAddr::from([octets[0], octets[1], octets[2], octets[3]]),
        1 => IpAddr::V6(Ipv6Addr::from(octets)),
        _ => IpAddr::V6(std::net::Ipv4Addr::from([127, 0, 0, octets[0]]).to_ipv6_mapped()),
    };
    SocketAddr::new(ip, source.number() as u16)
}

fn sockaddr(source: &mut Source) -> Bytes {
    let any = source.below(64) as i32;
    let family = source.pick(&[libc::AF_INET, libc::AF_INET6, libc::AF_UNIX, libc::AF_UNSPEC, libc::AF_NETLINK, any]);
    let mut bytes = match source.below(3) {
        0 => endpoint::encode(address(source), family),
        1 => [&(family as u16).to_ne_bytes()[..], &source.bytes(126)].concat(),
        _ => [&(family as u16).to_ne_bytes()[..], source.hostile().as_bytes()].concat(),
    };
    if source.one_in(2) {
        mutate(source, &mut bytes, &[0; 20], &[b"\0", &[2, 0], &[10, 0], &[1, 0]]);
    }
    bytes.truncate(140);
    Bytes(bytes)
}

#[test]
fn addresses_are_what_their_bytes_say() {
    fuzz("sockaddr", 4000, sockaddr, |bytes| {
        let bytes = &bytes.0;
        let decoded = endpoint::decode(bytes);
        let family = bytes.get(..2).map(|family| i32::from(u16::from_ne_bytes([family[0], family[1]])));
        let expected = match (family, bytes.len()) {
            (None, _) | (_, 129..) => false,
            (Some(libc::AF_INET), length) => length >= 16,
            (Some(libc::AF_INET6), length) => length >= 24,
            (Some(libc::AF_UNIX), length) => length <= 110,
            _ => true,
        };
        must(decoded.is_some() == expected, || format!("{decoded:?}"))?;
        match decoded {
            Some(Address::Ip(ip)) => {
                let again = endpoint::encode(ip, endpoint::family_of(ip.ip()));
                must(endpoint::decode(&again) == Some(Address::Ip(ip)), || format!("{ip} does not survive"))?;
                let mapped = endpoint::encode(ip, libc::AF_INET6);
                must(endpoint::decode(&mapped) == Some(Address::Ip(ip)), || format!("{ip} does not survive as inet6"))?;
                let mapped = matches!(ip.ip(), IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
                must(!mapped, || format!("{ip} hides an IPv4 address"))
            }
            Some(Address::UnixPath(path)) => {
                must(!path.is_empty() && !path.contains(&0) && bytes[2..].starts_with(&path), || format!("another path: {path:?}"))
            }
            Some(Address::UnixAbstract(name)) => must(bytes[2] == 0 && bytes[3..] == name, || format!("another name: {name:?}")),
            Some(Address::UnixUnnamed) => must(bytes.len() == 2, || "unnamed with a name".into()),
            _ => Ok(()),
        }
    });
}

/// Bound on loopback, the kernel says what it understood. Nothing is sent.
#[test]
fn the_kernel_reads_the_same_address() {
    let loopback = |source: &mut Source| {
        let ip: IpAddr = source.pick(&["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.2", "0.0.0.0", "::"]).parse().expect("an address");
        let family = source.pick(&[libc::AF_INET, libc::AF_INET6]);
        let mut bytes = endpoint::encode(SocketAddr::new(ip, 0), family);
        // Bytes after the address and around its length; never the address itself, nor a port.
        bytes.resize(source.below(40), source.next() as u8);
        if bytes.len() >= 4 && source.one_in(2) {
            bytes[0..2].copy_from_slice(&(source.below(12) as u16).to_ne_bytes());
        }
        (family, Bytes(bytes))
    };
    fuzz("sockaddr-kernel", 1500, loopback, |(family, bytes)| {
        let Ok(own) = socket::create(*family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) else { return Ok(()) };
        if socket::bind(own.as_fd(), &bytes.0).is_err() {
            return Ok(());
        }
        let name = socket::local_name(own.as_fd()).map_err(|error| error.to_string())?;
        let (Some(Address::Ip(named)), Some(decoded)) = (endpoint::decode(&name), endpoint::decode(&bytes.0)) else {
            return Err(format!("the kernel took it and calls it {}", name.escape_ascii()));
        };
        // `bind` takes AF_UNSPEC for AF_INET with the unspecified address (net/ipv4/af_inet.c), which names this machine either way.
        let unspecified = decoded == Address::Unspecified && named.ip().is_unspecified();
        let same = matches!(decoded, Address::Ip(ip) if ip.ip() == named.ip());
        must(same || unspecified, || format!("{decoded:?} is {named} to the kernel"))
    });
}

#[test]
fn the_kernel_reads_the_same_abstract_name() {
    let name = |source: &mut Source| {
        let mut name = format!("brig-fuzz-{}-{:x}", std::process::id(), source.next()).into_bytes();
        name.extend(source.bytes(70));
        Bytes([&(libc::AF_UNIX as u16).to_ne_bytes()[..], b"\0", &name].concat())
    };
    fuzz("abstract-kernel", 500, name, |bytes| {
        let own = socket::create(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0).map_err(|error| error.to_string())?;
        socket::bind(own.as_fd(), &bytes.0).map_err(|error| error.to_string())?;
        let name = socket::local_name(own.as_fd()).map_err(|error| error.to_string())?;
        must(endpoint::decode(&name) == endpoint::decode(&bytes.0), || format!("the kernel calls it {}", name.escape_ascii()))
    });
}

/// A DNS message, and the names it asks for.
#[derive(Debug)]
struct Asked {
    message: Bytes,
    names: Vec<Bytes>,
}

fn asked(source: &mut Source, response: bool) -> Asked {
    let count = 1 + source.below(3);
    let mut message =
        vec![source.next() as u8, source.next() as u8, 1 | if response { 0x80 } else { 0 }, 0, 0, count as u8, 0, 0, 0, 0, 0, 0];
    let mut known: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut names = Vec::new();
    for _ in 0..count {
        let name = name(source, &mut message, &mut known);
        message.extend([0, source.pick(&[1, 28, 16, 255]), 0, 1]);
        names.push(Bytes(name));
    }
    Asked { message: Bytes(message), names }
}

/// Appends a name, perhaps ending in a pointer at an earlier one; the text that stands for it.
fn name(source: &mut Source, message: &mut Vec<u8>, known: &mut Vec<(usize, Vec<u8>)>) -> Vec<u8> {
    let mut labels: Vec<(usize, Vec<u8>)> = Vec::new();
    for _ in 0..source.below(4) {
        let mut label = if source.one_in(3) { source.bytes(20) } else { source.hostile().as_bytes().to_vec() };
        label.truncate(40);
        if label.is_empty() {
            continue;
        }
        labels.push((message.len(), label.clone()));
        message.push(label.len() as u8);
        message.extend(label);
    }
    let mut text = Vec::new();
    match source.pick(&[None, known.last().cloned(), known.first().cloned()]) {
        Some((at, tail)) if source.one_in(2) => {
            message.extend([0xc0 | (at >> 8) as u8, at as u8]);
            text = tail;
        }
        _ => message.push(0),
    }
    for (at, label) in labels.into_iter().rev() {
        let escaped: Vec<u8> = label.iter().flat_map(|byte| if b".\\".contains(byte) { vec![b'\\', *byte] } else { vec![*byte] }).collect();
        text = if text.is_empty() { escaped } else { [&escaped[..], b".", &text].concat() };
        known.push((at, text.clone()));
    }
    text
}

#[test]
fn dns_queries_say_what_they_ask() {
    fuzz(
        "dns",
        3000,
        |source| asked(source, false),
        |asked| {
            let query = &asked.message.0;
            let names: Vec<Vec<u8>> = asked.names.iter().map(|name| name.0.clone()).collect();
            must(dns::names(query).as_ref() == Some(&names), || {
                format!("{:?}", dns::names(query).map(|names| names.concat().escape_ascii().to_string()))
            })?;
            let extended = [query.as_slice(), b"\0\0\x29smuggled data"].concat();
            let bare = dns::bare(&extended).ok_or("no bare query")?;
            must(bare == *query || bare[12..] == query[12..], || "the bare query asks something else".into())?;
            must(dns::names(&bare).as_ref() == Some(&names), || "the bare query names something else".into())?;
            let mut refusal = dns::refusal(&extended).ok_or("no refusal")?;
            must(refusal[..2] == query[..2] && refusal[2] & 0x80 != 0 && refusal[3] & 0xf == 5, || "no refusal of this query".into())?;
            refusal[2] &= !0x80;
            must(dns::names(&refusal).as_ref() == Some(&names), || "the refusal names something else".into())
        },
    );
}

#[test]
fn dns_answers_bring_their_addresses() {
    let answered = |source: &mut Source| {
        let Asked { message, names } = asked(source, true);
        let mut message = message.0;
        let mut addresses = Vec::new();
        let count = source.below(5);
        message[7] = count as u8;
        for _ in 0..count {
            message.extend([0xc0, 12]);
            let address = address(source).ip();
            let (kind, data) = match address {
                IpAddr::V4(v4) => (1, v4.octets().to_vec()),
                IpAddr::V6(v6) => (28, v6.octets().to_vec()),
            };
            let kind = if source.one_in(4) { 5 } else { kind };
            message.extend([0, kind, 0, 1, 0, 0, 0, 9, 0, data.len() as u8]);
            message.extend(data);
            addresses.extend((kind != 5).then_some(address));
        }
        (Bytes(message), names, addresses)
    };
    fuzz("dns-answers", 1500, answered, |(message, names, addresses)| {
        let answers = dns::answers(&message.0);
        must(answers == Some((names[0].0.clone(), addresses.clone())), || format!("{answers:?}"))
    });
}

#[test]
fn any_dns_message_is_survived() {
    let damaged = |source: &mut Source| {
        let response = source.one_in(2);
        let (mut bytes, other) = (asked(source, response).message.0, asked(source, false).message.0);
        mutate(source, &mut bytes, &other, &[b"\xc0\x0c", b"\xc0", b"\0", b"\x3f", b"\0\x01\0\x01"]);
        Bytes(bytes)
    };
    fuzz("dns-any", 4000, damaged, |bytes| {
        let bytes = &bytes.0;
        for name in dns::names(bytes).into_iter().flatten().chain(dns::answers(bytes).map(|(name, _)| name)) {
            must(name.len() <= 2 * 255, || "a long name".into())?;
        }
        if let Some(bare) = dns::bare(bytes) {
            // What is forwarded was judged whole: it parses to the same names, and nothing stands behind them.
            must(bare.len() <= bytes.len() && bare[6..12] == [0; 6], || "the bare query holds more than it asks".into())?;
            must(dns::names(bytes).is_none() || dns::names(&bare) == dns::names(bytes), || "the bare query asks something else".into())?;
            must(dns::bare(&bare).as_ref() == Some(&bare), || "not steady".into())?;
        }
        let refusal = dns::refusal(bytes);
        must(refusal.is_none_or(|refusal| refusal.len() <= bytes.len().max(12)), || "a refusal longer than the query".into())
    });
}

#[test]
fn message_headers_are_what_their_bytes_say() {
    let words = |source: &mut Source| {
        let header: Vec<u8> = (0..7).flat_map(|_| source.number().to_ne_bytes()).collect();
        let vectors: Vec<u8> = source.many(12, Source::number).into_iter().flat_map(u64::to_ne_bytes).collect();
        let (header, vectors) = if source.one_in(4) { (source.bytes(80), source.bytes(80)) } else { (header, vectors) };
        (Bytes(header), Bytes(vectors), source.below(200_000))
    };
    fuzz("message", 3000, words, |(header, vectors, limit)| {
        let word = |bytes: &[u8], at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        if let Some(read) = message::header(&header.0) {
            let bytes = &header.0;
            must(bytes.len() >= 56 && read.name_length <= 128 && read.part_count <= 1024, || format!("{read:?}"))?;
            let same = (read.name, read.parts, read.part_count, read.control_length)
                == (word(bytes, 0), word(bytes, 16), word(bytes, 24), word(bytes, 40));
            must(same, || format!("{read:?}"))?;
        }
        let parts = message::parts(&vectors.0, *limit);
        let pairs: Vec<(u64, u64)> = vectors.0.chunks_exact(16).map(|pair| (word(pair, 0), word(pair, 8))).collect();
        let total: u128 = pairs.iter().map(|(_, length)| u128::from(*length)).sum();
        must(parts.is_some() == (total <= *limit as u128), || format!("{parts:?}"))?;
        let same = parts.is_none_or(|parts| parts.iter().map(|(at, length)| (*at, *length as u64)).eq(pairs));
        must(same, || "other parts".into())
    });
}

#[test]
fn the_broker_reads_what_was_written() {
    let request = |source: &mut Source| {
        let mut bytes = match source.below(3) {
            0 => Request::Hello,
            1 => Request::Close { namespace: source.number() as u32 },
            _ => Request::Socket {
                namespace: source.number() as u32,
                family: source.number() as i32,
                kind: source.number() as i32,
                protocol: source.number() as i32,
            },
        }
        .encode()
        .to_vec();
        if source.one_in(2) {
            mutate(source, &mut bytes, &[], &[b"\x01\0\0\0", b"\x02\0\0\0"]);
        }
        Bytes(bytes)
    };
    fuzz("wire", 2000, request, |bytes| match Request::decode(&bytes.0) {
        Some(request) => must(request.encode() == *bytes.0, || format!("{request:?} is written otherwise")),
        None => Ok(()),
    });
}
