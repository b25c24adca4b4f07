//! WebSockets (RFC 6455) as far as a listener needs them. In: a request to upgrade, then frames. Out: the answer, and what the frames carry, unmasked.

use std::io;
use std::time::Duration;

use super::answers::Answer;
use super::http::Request;
use super::line::Line;
use crate::model::base64::base64;

/// Said with the key, so that only who understands answers.
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const PATIENCE: Duration = Duration::from_secs(5);
const MOST: usize = 4 << 20;

/// What is to be said to a request that asks for it.
pub fn accepts(request: &Request) -> Option<String> {
    let asks = request.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let key = request.header("sec-websocket-key").filter(|_| asks)?;
    Some(base64(&sha1(format!("{key}{MAGIC}").as_bytes())))
}

pub fn answer(accept: &str) -> Answer {
    Answer { status: 101, kind: "", headers: vec![("Sec-WebSocket-Accept", accept.into())], body: Vec::new() }
}

/// On the wire.
pub fn written(answer: &Answer) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 101 {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", answer.reason());
    answer.headers.iter().for_each(|(name, value)| out.push_str(&format!("{name}: {value}\r\n")));
    out.push_str("\r\n");
    out.into_bytes()
}

/// All that the client's frames carry, until it pauses.
pub fn listen(line: &mut Line<'_>) -> Vec<u8> {
    let mut said = Vec::new();
    while said.len() < MOST && frame(line, &mut said).is_ok() {}
    said
}

fn frame(line: &mut Line<'_>, said: &mut Vec<u8>) -> io::Result<()> {
    let head = exactly(line, 2)?;
    let length = match head[1] & 0x7f {
        126 => exactly(line, 2)?.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        127 => exactly(line, 8)?.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        short => u64::from(short),
    };
    let length = usize::try_from(length).ok().filter(|length| *length <= MOST).ok_or(io::ErrorKind::InvalidData)?;
    let mask = if head[1] & 0x80 != 0 { exactly(line, 4)? } else { vec![0; 4] };
    let payload = exactly(line, length)?;
    said.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    // A close ends it.
    if head[0] & 0xf == 8 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn exactly(line: &mut Line<'_>, count: usize) -> io::Result<Vec<u8>> {
    while line.held().len() < count {
        line.more(PATIENCE)?;
    }
    Ok(line.take(count))
}

/// FIPS 180-4. It proves nothing here but that the key was read.
fn sha1(text: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = text.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((text.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> = block.chunks_exact(4).map(|word| word.iter().fold(0, |all, byte| all << 8 | u32::from(*byte))).collect();
        for at in 16..80 {
            words.push((words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (round, word) in words.iter().enumerate() {
            let (mixed, constant) = match round / 20 {
                0 => (b & c | !b & d, 0x5a82_7999u32),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(constant).wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        state.iter_mut().zip([a, b, c, d, e]).for_each(|(state, value)| *state = state.wrapping_add(value));
    }
    let mut out = [0; 20];
    out.chunks_exact_mut(4).zip(state).for_each(|(to, word)| to.copy_from_slice(&word.to_be_bytes()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::line::tests::fed;

    #[test]
    fn the_example_of_the_standard() {
        let headers = [("Upgrade", "WebSocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(accepts(&Request { headers, ..Request::default() }).as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(accepts(&Request::default()), None);
    }

    #[test]
    fn frames_are_unmasked() {
        let masked = |text: &[u8]| {
            let mask = [1, 2, 3, 250];
            let body: Vec<u8> = text.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            [&mask[..], &body].concat()
        };
        let long = vec![b'x'; 300];
        let frames =
            [&[0x81, 0x85][..], &masked(b"hello"), &[0x82, 0xfe, 1, 44], &masked(&long), &[0x88, 0x80, 0, 0, 0, 0], b"after"].concat();
        for size in [1, 3, 999] {
            let mut fed = fed(&frames, size);
            assert_eq!(listen(&mut Line::new(&mut fed)), [b"hello", &long[..]].concat());
        }
    }
}
