//! Conversations as a capture that Wireshark reads (pcapng, draft-ietf-opsawg-pcapng): packets as they would have crossed a wire. In: conversations,
//! secrets of TLS. Out: bytes.
//!
//! Contents and times are real, the packets around them are made here: LINKTYPE_RAW, handshakes and ends that were not seen, and for the client an
//! address of its own, since inside a namespace it had that of the server. Secrets are written along, so TLS can be read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::kept::{Piece, Talk, Transport};

const LINKTYPE_RAW: u16 = 101;
/// `TLSK`: secrets in the form of `SSLKEYLOGFILE`.
const TLS_KEYS: u32 = 0x544c_534b;
const CLIENT_V4: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const CLIENT_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 2, 0, 0, 0, 0xf);
/// Payload of one packet.
const LONGEST: usize = 32 << 10;

const SYN: u8 = 2;
const FIN: u8 = 1;
const PUSH: u8 = 8;
const ACK: u8 = 16;

/// `opened`: milliseconds since 1970. `keys`: lines of a key log.
pub fn capture(talks: &[Talk], opened: u64, keys: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let comment = |text: &str| option(1, text.as_bytes());
    // Byte order, version 1.0, length of the section unknown.
    let section = [&0x1a2b_3c4du32.to_le_bytes()[..], &1u16.to_le_bytes(), &0u16.to_le_bytes(), &u64::MAX.to_le_bytes()].concat();
    let about = "made by cargo-brig: what a sink heard; packets around the contents, and the client's address, are synthetic";
    block(&mut out, 0x0a0d_0d0a, &[section, comment(about), option(4, b"cargo-brig"), option(0, b"")].concat());
    block(&mut out, 1, &[&LINKTYPE_RAW.to_le_bytes()[..], &[0; 2], &0u32.to_le_bytes()].concat());
    if !keys.is_empty() {
        let mut secrets = [&TLS_KEYS.to_le_bytes()[..], &(keys.len() as u32).to_le_bytes(), keys.as_bytes()].concat();
        pad(&mut secrets);
        block(&mut out, 10, &secrets);
    }
    let mut packets: Vec<(u64, Vec<u8>)> = talks.iter().flat_map(packets).collect();
    packets.sort_by_key(|(at, _)| *at);
    for (at, packet) in packets {
        let micros = (opened + at) * 1000;
        let words = [0, (micros >> 32) as u32, micros as u32, packet.len() as u32, packet.len() as u32];
        let mut body: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        body.extend(packet);
        pad(&mut body);
        block(&mut out, 6, &body);
    }
    out
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.extend([&kind.to_le_bytes()[..], &length, body, &length].concat());
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let mut out = [&code.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat();
    pad(&mut out);
    out
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// The packets of one conversation, each with its time.
fn packets(talk: &Talk) -> Vec<(u64, Vec<u8>)> {
    match talk.visit.transport {
        Transport::Udp => talk.wire.iter().map(|piece| (piece.at, ip(talk, piece.outward, 17, udp(talk, piece)))).collect(),
        Transport::Tcp => stream(talk),
    }
}

fn udp(talk: &Talk, piece: &Piece) -> Vec<u8> {
    let (from, to) = ports(talk, piece.outward);
    let length = (piece.bytes.len().min(65_000) + 8) as u16;
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &length.to_be_bytes(), &[0, 0], &piece.bytes[..usize::from(length) - 8]].concat()
}

fn stream(talk: &Talk) -> Vec<(u64, Vec<u8>)> {
    let mut made = Vec::new();
    // Sequence numbers of the client and of the server.
    let mut next = [1000u32, 5000];
    let mut send = |at: u64, outward: bool, flags: u8, payload: &[u8]| {
        let (own, other) = if outward { (0, 1) } else { (1, 0) };
        let (from, to) = ports(talk, outward);
        let acknowledged = if flags & ACK != 0 { next[other] } else { 0 };
        let header = [
            &from.to_be_bytes()[..],
            &to.to_be_bytes(),
            &next[own].to_be_bytes(),
            &acknowledged.to_be_bytes(),
            &[5 << 4, flags],
            &[0xff, 0xff, 0, 0, 0, 0],
        ];
        made.push((at, ip(talk, outward, 6, [&header.concat()[..], payload].concat())));
        next[own] = next[own].wrapping_add(payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0));
    };
    send(talk.at, true, SYN, &[]);
    send(talk.at, false, SYN | ACK, &[]);
    send(talk.at, true, ACK, &[]);
    let mut last = talk.at;
    for piece in &talk.wire {
        last = piece.at;
        for part in piece.bytes.chunks(LONGEST) {
            send(piece.at, piece.outward, PUSH | ACK, part);
            send(piece.at, !piece.outward, ACK, &[]);
        }
    }
    send(last, false, FIN | ACK, &[]);
    send(last, true, FIN | ACK, &[]);
    send(last, false, ACK, &[]);
    made
}

fn ports(talk: &Talk, outward: bool) -> (u16, u16) {
    let (client, server) = (talk.visit.from.port(), talk.visit.to.port());
    if outward { (client, server) } else { (server, client) }
}

/// The packet around a segment, whose checksum is put in.
fn ip(talk: &Talk, outward: bool, protocol: u8, mut segment: Vec<u8>) -> Vec<u8> {
    let length = segment.len();
    let (header, pseudo) = match talk.visit.to.ip().to_canonical() {
        IpAddr::V4(server) => {
            let (from, to) = if outward { (CLIENT_V4, server) } else { (server, CLIENT_V4) };
            let mut header =
                [&[0x45, 0][..], &((20 + length) as u16).to_be_bytes(), &[0, 0, 0x40, 0, 64, protocol, 0, 0], &from.octets(), &to.octets()]
                    .concat();
            let sum = checksum(&[&header]);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            (header, [&from.octets()[..], &to.octets(), &[0, protocol], &(length as u16).to_be_bytes()].concat())
        }
        IpAddr::V6(server) => {
            let (from, to) = if outward { (CLIENT_V6, server) } else { (server, CLIENT_V6) };
            let header = [&[0x60, 0, 0, 0][..], &(length as u16).to_be_bytes(), &[protocol, 64], &from.octets(), &to.octets()].concat();
            (header, [&from.octets()[..], &to.octets(), &(length as u32).to_be_bytes(), &[0, 0, 0, protocol]].concat())
        }
    };
    let at = if protocol == 6 { 16 } else { 6 };
    let sum = checksum(&[&pseudo, &segment]);
    // Of UDP, 0 means that there is none (RFC 768).
    let sum = if protocol == 17 && sum == 0 { 0xffff } else { sum };
    segment[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    [header, segment].concat()
}

/// RFC 1071. Every part but the last has an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words =
        parts.iter().flat_map(|part| part.chunks(2)).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u64 = words.map(u64::from).sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::kept::Kept;
    use crate::sink::kept::tests::visit;

    /// Written apart from what it reads: blocks by their lengths, packets by their headers, every checksum verified.
    fn read(capture: &[u8]) -> (Vec<u32>, Vec<Vec<u8>>) {
        let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
        let (mut at, mut kinds, mut packets) = (0, Vec::new(), Vec::new());
        while at < capture.len() {
            let (kind, length) = (word(at), word(at + 4) as usize);
            assert_eq!((length % 4, word(at + length - 4) as usize), (0, length));
            kinds.push(kind);
            if kind == 6 {
                packets.push(capture[at + 28..at + 28 + word(at + 20) as usize].to_vec());
            }
            at += length;
        }
        (kinds, packets)
    }

    fn sums_to_nothing(parts: &[&[u8]]) -> bool {
        let bytes = parts.concat();
        let sum: u64 = bytes.chunks(2).map(|pair| u64::from(pair[0]) * 256 + u64::from(*pair.get(1).unwrap_or(&0))).sum();
        sum.is_multiple_of(0xffff)
    }

    #[test]
    fn streams_and_datagrams_come_out_as_they_went_in() {
        let kept = Kept::default();
        let long = vec![b'x'; 100_001];
        for to in ["192.0.2.1:80", "[2606:4700::1]:80"] {
            for transport in [Transport::Tcp, Transport::Udp] {
                let mut draft = kept.begin(super::super::kept::Visit { transport, ..visit(to) }, None);
                draft.crossed(true, b"GET");
                draft.crossed(false, if transport == Transport::Tcp { &long } else { b"yes" });
                let capture = capture(&[draft.talk], 1_700_000_000_000, "CLIENT_RANDOM 00 11\n");
                let (kinds, packets) = read(&capture);
                assert_eq!(kinds[..4], [0x0a0d_0d0a, 1, 10, 6]);
                let mut said: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
                let mut next = [None, None];
                for packet in packets {
                    let (protocol, addresses, segment) = match packet[0] >> 4 {
                        4 => {
                            assert!(sums_to_nothing(&[&packet[..20]]));
                            assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), packet.len());
                            (packet[9], &packet[12..20], &packet[20..])
                        }
                        _ => (packet[6], &packet[8..40], &packet[40..]),
                    };
                    let pseudo = [0, protocol, (segment.len() >> 8) as u8, segment.len() as u8];
                    assert!(sums_to_nothing(&[addresses, &pseudo, segment]), "{to} {transport:?}");
                    let outward = segment[..2] == 5000u16.to_be_bytes();
                    let (own, other) = if outward { (0, 1) } else { (1, 0) };
                    if protocol == 17 {
                        said[own].extend(&segment[8..]);
                        continue;
                    }
                    let number = |at: usize| u32::from_be_bytes(segment[at..at + 4].try_into().unwrap());
                    if let Some(expected) = next[own] {
                        assert_eq!(number(4), expected, "nothing is missing");
                    }
                    if segment[13] & ACK != 0 {
                        assert_eq!(Some(number(8)), next[other]);
                    }
                    said[own].extend(&segment[20..]);
                    next[own] = Some(number(4) + segment.len() as u32 - 20 + u32::from(segment[13] & (SYN | FIN) != 0));
                }
                let expected = if transport == Transport::Tcp { long.clone() } else { b"yes".to_vec() };
                assert!(said == [b"GET".to_vec(), expected], "{to} {transport:?}");
            }
        }
    }
}
