//! DNS messages, as far as the gate needs them: the names asked for, the addresses answered, and a polite refusal. In: bytes from an
//! actor or a resolver. Out: values. Pure, bounded, and safe on garbage (RFC 1035 §4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const HEADER: usize = 12;
/// Real queries ask one question; a few test tools ask more.
const MOST_QUESTIONS: u16 = 8;
const MOST_RECORDS: u16 = 64;
const MOST_JUMPS: usize = 16;
const LONGEST_NAME: usize = 255;

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const CLASS_IN: u16 = 1;

/// The names a query asks for, dotted, without the final dot; dots and backslashes inside a label are escaped. `None` when the message is
/// no well-formed query.
pub fn names(message: &[u8]) -> Option<Vec<Vec<u8>>> {
    if message.get(2)? & 0x80 != 0 {
        return None;
    }
    Some(questions(message)?.0)
}

/// The question of a response with the addresses it brought.
pub fn answers(message: &[u8]) -> Option<(Vec<u8>, Vec<IpAddr>)> {
    if message.get(2)? & 0x80 == 0 {
        return None;
    }
    let (names, mut at) = questions(message)?;
    let count = word(message, 6)?.min(MOST_RECORDS);
    let mut addresses = Vec::new();
    for _ in 0..count {
        at = name(message, at)?.1;
        let kind = word(message, at)?;
        let class = word(message, at + 2)?;
        let length = usize::from(word(message, at + 8)?);
        let data = message.get(at + 10..at + 10 + length)?;
        if class == CLASS_IN && kind == TYPE_A {
            addresses.extend(<[u8; 4]>::try_from(data).ok().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))));
        } else if class == CLASS_IN && kind == TYPE_AAAA {
            addresses.extend(<[u8; 16]>::try_from(data).ok().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))));
        }
        at += 10 + length;
    }
    Some((names.into_iter().next()?, addresses))
}

/// The query with nothing but its header and questions: what is forwarded when names are allowed one by one, so that the sections
/// nobody judged carry nothing out.
pub fn bare(query: &[u8]) -> Option<Vec<u8>> {
    let (_, end) = questions(query)?;
    let mut out = query.get(..end)?.to_vec();
    // Keep opcode QUERY and the wish for recursion, drop every other flag.
    out[2] = query[2] & 0x01;
    out[3] = 0;
    out[6..HEADER].fill(0);
    Some(out)
}

/// The answer REFUSED to a query: resolvers give up at once instead of waiting. A query too broken to echo gets FORMERR.
pub fn refusal(query: &[u8]) -> Option<Vec<u8>> {
    const REFUSED: u8 = 5;
    const FORMERR: u8 = 1;
    let id = query.get(..2)?;
    let flags = *query.get(2)?;
    let (mut out, code) = match bare(query) {
        Some(bare) => (bare, REFUSED),
        None => (vec![id[0], id[1], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], FORMERR),
    };
    out[2] = 0x80 | (flags & 0x79);
    out[3] = 0x80 | code;
    Some(out)
}

/// All question names and where the question section ends.
fn questions(message: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let count = word(message, 4)?;
    if count == 0 || count > MOST_QUESTIONS {
        return None;
    }
    let mut at = HEADER;
    let mut names = Vec::new();
    for _ in 0..count {
        let (text, end) = name(message, at)?;
        // Type and class.
        message.get(end..end + 4)?;
        at = end + 4;
        names.push(text);
    }
    Some((names, at))
}

/// The name at `at`, and where the text after it goes on. Compression pointers may only lead backwards, to what ends before the piece they
/// stand in, so loops cannot exist, and no name takes in what follows it.
fn name(message: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut message = message;
    let mut text = Vec::new();
    let mut after = None;
    let mut lowest = at;
    let mut jumps = 0;
    loop {
        let length = usize::from(*message.get(at)?);
        match length >> 6 {
            0 if length == 0 => return Some((text, after.unwrap_or(at + 1))),
            0 => {
                let label = message.get(at + 1..at + 1 + length)?;
                if !text.is_empty() {
                    text.push(b'.');
                }
                for byte in label {
                    if matches!(byte, b'.' | b'\\') {
                        text.push(b'\\');
                    }
                    text.push(*byte);
                }
                if text.len() > 2 * LONGEST_NAME {
                    return None;
                }
                at += 1 + length;
            }
            3 => {
                let target = usize::from(word(message, at)? & 0x3fff);
                after.get_or_insert(at + 2);
                jumps += 1;
                if target < HEADER || target >= lowest || jumps > MOST_JUMPS {
                    return None;
                }
                message = message.get(..lowest)?;
                lowest = target;
                at = target;
            }
            _ => return None,
        }
    }
}

fn word(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(labels: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0x12, 0x34, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in labels {
            out.push(label.len() as u8);
            out.extend(*label);
        }
        out.extend([0, 0, 1, 0, 1]);
        out
    }

    #[test]
    fn the_name_of_a_query() {
        assert_eq!(names(&query(&[b"canary-1234", b"example"])), Some(vec![b"canary-1234.example".to_vec()]));
        assert_eq!(names(&query(&[b"a.b", b"c\\d", b"\xff\x1b"])), Some(vec![b"a\\.b.c\\\\d.\xff\x1b".to_vec()]));
        assert_eq!(names(&query(&[])), Some(vec![b"".to_vec()]), "the root");
    }

    #[test]
    fn broken_queries_have_no_name() {
        let good = query(&[b"canary", b"example"]);
        for cut in 0..good.len() {
            assert_eq!(names(&good[..cut]), None, "cut at {cut}");
        }
        let mut response = good.clone();
        response[2] |= 0x80;
        assert_eq!(names(&response), None, "a response is no query");
        let mut many = good.clone();
        many[4..6].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(names(&many), None);
    }

    #[test]
    fn pointers_lead_backwards_only() {
        let mut to_itself = query(&[]);
        to_itself.splice(12..13, [0xc0, 12]);
        assert_eq!(names(&to_itself), None);
        let mut forward = query(&[]);
        forward.splice(12..13, [0xc0, 20]);
        assert_eq!(names(&forward), None);
        let mut header = query(&[]);
        header.splice(12..13, [0xc0, 0]);
        assert_eq!(names(&header), None);
        // Found by fuzzing: into a label's middle, where another label would reach over the end of the questions.
        let mut over = query(&[b"\x3f", b"a"]);
        over[5] = 2;
        over.extend(b"\xc0\x0d\0\x01\0\x01");
        over.extend([b'x'; 80]);
        assert_eq!(names(&over), None);
        // Two questions, the second pointing at the first one's last label.
        let mut two = query(&[b"one", b"example"]);
        two[5] = 2;
        two.extend(b"\x03two\xc0\x10\0\x01\0\x01");
        assert_eq!(names(&two), Some(vec![b"one.example".to_vec(), b"two.example".to_vec()]));
    }

    #[test]
    fn a_refusal_echoes_the_question_only() {
        let mut asked = query(&[b"canary", b"example"]);
        asked[11] = 1;
        asked.extend(b"\0\0\x29\x10\0\0\0\0\0\0\x04data");
        let answer = refusal(&asked).unwrap();
        assert_eq!(answer[..12], [0x12, 0x34, 0x81, 0x85, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(answer[12..], query(&[b"canary", b"example"])[12..]);
        assert_eq!(bare(&asked).unwrap()[..12], [0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(refusal(&[1, 2, 0]).unwrap()[3] & 0xf, 1);
        assert_eq!(refusal(&[1, 2]), None);
    }

    #[test]
    fn addresses_of_an_answer() {
        let mut message = query(&[b"host", b"example"]);
        message[2] |= 0x80;
        message[7] = 3;
        message.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x0c");
        message.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01");
        message.extend(b"\xc0\x0c\0\x1c\0\x01\0\0\0\x3c\0\x10");
        message.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        let expected: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert_eq!(answers(&message), Some((b"host.example".to_vec(), expected)));
        for cut in 0..message.len() {
            let _ = answers(&message[..cut]);
        }
    }

    #[test]
    fn garbage_never_panics() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let length = (state >> 33) as usize % 90;
            let mut bytes: Vec<u8> = (0..length).map(|i| (state.rotate_left(i as u32 * 7) >> 11) as u8).collect();
            if length > 6 {
                bytes[4] = 0;
                bytes[5] %= 9;
            }
            let _ = (names(&bytes), answers(&bytes), refusal(&bytes), bare(&bytes));
        }
    }
}
