//! What bytes may stand for: hexadecimal, base64, base32, URL escapes, compressed data. In: bytes. Out: each reading of them, with its name and where it
//! was read from. Readings of readings are up to the caller.

use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

/// One reading.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// What was read.
    pub from: Range<usize>,
    /// Each byte of the reading stands for this much of it: so many by so many. (0, 1) where that is not known.
    pub scale: (usize, usize),
}

impl View {
    /// Where a part of the reading was read from.
    pub fn source(&self, part: &Range<usize>) -> Range<usize> {
        let (times, by) = self.scale;
        if times == 0 {
            return self.from.clone();
        }
        let at = |offset: usize| (self.from.start + offset * times / by).min(self.from.end);
        at(part.start)..at(part.end + 1)
    }
}

/// What a digit stands for.
type Digit = fn(u8) -> Option<u8>;

/// Shorter runs hold no part of a canary that proves anything.
const LEAST_HEX: usize = 24;
const LEAST_BASE64: usize = 16;
const LEAST_BASE32: usize = 20;
/// What is made of compressed data, at most, and how many beginnings are tried.
const LONGEST_INFLATED: usize = 4 << 20;
const MOST_INFLATED: usize = 64;

/// Sees all readings of `bytes`, one after the other.
pub fn each(bytes: &[u8], see: &mut dyn FnMut(View)) {
    for run in runs(bytes, LEAST_HEX, |byte| byte.is_ascii_hexdigit()) {
        (0..2).for_each(|skipped| see(packed("hex", bytes, run.start + skipped..run.end, 4, hex_digit)));
    }
    for run in runs(bytes, LEAST_BASE64, |byte| base64_digit(byte).is_some() || matches!(byte, b'\r' | b'\n')) {
        (0..4).for_each(|skipped| see(packed("base64", bytes, run.start + skipped..run.end, 6, base64_digit)));
    }
    for run in runs(bytes, LEAST_BASE32, |byte| base32_digit(byte).is_some()) {
        (0..8).for_each(|skipped| see(packed("base32", bytes, run.start + skipped..run.end, 5, base32_digit)));
    }
    url(bytes).into_iter().for_each(&mut *see);
    inflated(bytes).into_iter().for_each(see);
}

/// What one piece stands for if it is written in digits from its first byte to its last, padding aside: in each way that it can be.
pub fn whole(piece: &[u8]) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let piece = piece.trim_ascii().strip_suffix(b"==").or_else(|| piece.trim_ascii().strip_suffix(b"=")).unwrap_or(piece.trim_ascii());
    let kinds: [(&'static str, u32, Digit); 3] = [("hex", 4, hex_digit), ("base64", 6, base64_digit), ("base32", 5, base32_digit)];
    kinds.into_iter().filter_map(|(name, bits, digit)| {
        let fits = !piece.is_empty() && piece.iter().all(|byte| digit(*byte).is_some());
        fits.then(|| (name, packed(name, piece, 0..piece.len(), bits, digit).bytes))
    })
}

fn runs(bytes: &[u8], least: usize, is_in: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 0..=bytes.len() {
        if at == bytes.len() || !is_in(bytes[at]) {
            if at - start >= least {
                found.push(start..at);
            }
            start = at + 1;
        }
    }
    found
}

/// Digits of so many bits each, put together to bytes.
fn packed(name: &'static str, bytes: &[u8], from: Range<usize>, bits: u32, digit: impl Fn(u8) -> Option<u8>) -> View {
    let mut out = Vec::with_capacity(from.len() * bits as usize / 8);
    let (mut word, mut held) = (0u32, 0);
    for value in bytes[from.clone()].iter().filter_map(|byte| digit(*byte)) {
        word = word << bits | u32::from(value);
        held += bits;
        if held >= 8 {
            held -= 8;
            out.push((word >> held) as u8);
        }
    }
    View { name, bytes: out, from, scale: (8, bits as usize) }
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|value| value as u8)
}

/// Both alphabets of RFC 4648.
fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// In either case: names have none.
fn base32_digit(byte: u8) -> Option<u8> {
    match byte.to_ascii_uppercase() {
        upper @ b'A'..=b'Z' => Some(upper - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    }
}

fn url(bytes: &[u8]) -> Option<View> {
    let escaped = |at: usize| {
        let digits = bytes.get(at..at + 3).filter(|escape| escape[0] == b'%')?;
        Some(hex_digit(digits[1])? << 4 | hex_digit(digits[2])?)
    };
    let (mut out, mut at, mut any) = (Vec::new(), 0, false);
    while at < bytes.len() {
        match escaped(at) {
            Some(byte) => {
                out.push(byte);
                at += 3;
                any = true;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    any.then_some(View { name: "url-encoded", bytes: out, from: 0..bytes.len(), scale: (0, 1) })
}

/// Compressed data by its first bytes (RFC 1950, RFC 1952); raw deflate has none, and is tried at the beginning alone.
fn inflated(bytes: &[u8]) -> Vec<View> {
    let mut found = Vec::new();
    let begins = |at: usize| match bytes.get(at..at + 3)? {
        [0x1f, 0x8b, 8] => Some(("gzip", at + gzip_header(&bytes[at..])?, false)),
        [0x78, flags, _] if (0x7800 + u16::from(*flags)) % 31 == 0 => Some(("zlib", at, true)),
        _ => None,
    };
    let mut tried = 0;
    let mut at = 0;
    while at + 3 <= bytes.len() && tried < MOST_INFLATED {
        if let Some((name, start, wrapped)) = begins(at) {
            tried += 1;
            if let Some((out, read)) = inflate(&bytes[start..], wrapped) {
                found.push(View { name, bytes: out, from: at..start + read, scale: (0, 1) });
                at = start + read;
                continue;
            }
        }
        at += 1;
    }
    if found.is_empty()
        && let Some((out, read)) = inflate(bytes, false)
    {
        found.push(View { name: "deflate", bytes: out, from: 0..read, scale: (0, 1) });
    }
    found
}

/// How long the header is, RFC 1952 §2.3.
fn gzip_header(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            at += bytes.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    (at <= bytes.len()).then_some(at)
}

/// What it was, and how much of it there is. What breaks off is taken as far as it goes, if that is worth it.
fn inflate(bytes: &[u8], wrapped: bool) -> Option<(Vec<u8>, usize)> {
    let mut state = Decompress::new(wrapped);
    let mut out = Vec::with_capacity(4096);
    loop {
        let (read, made) = (state.total_in() as usize, out.len());
        match state.decompress_vec(bytes.get(read..)?, &mut out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => break,
            Ok(_) if out.len() >= LONGEST_INFLATED => break,
            Ok(_) if out.len() == out.capacity() => out.reserve(out.capacity()),
            Ok(_) if (read, made) != (state.total_in() as usize, out.len()) => {}
            Ok(_) | Err(_) if wrapped && out.len() >= super::canaries::LEAST => break,
            Ok(_) | Err(_) => return None,
        }
    }
    (out.len() >= super::canaries::LEAST).then_some((out, state.total_in() as usize))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn of(bytes: &[u8]) -> Vec<View> {
        let mut found = Vec::new();
        each(bytes, &mut |view| found.push(view));
        found
    }

    const SECRET: &[u8] = b"sk_live_4eC39HqLyjWDarjtT1zdp7dc";

    fn reads(bytes: &[u8]) -> Vec<&'static str> {
        let holds = |view: &View| view.bytes.windows(SECRET.len()).any(|window| window == SECRET);
        of(bytes).into_iter().filter(holds).map(|view| view.name).collect()
    }

    fn base(bits: u32, alphabet: &[u8], bytes: &[u8]) -> Vec<u8> {
        let all: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
        let digit =
            |bits: &[bool], width: u32| (0..width as usize).fold(0, |value, at| value << 1 | usize::from(bits.get(at) == Some(&true)));
        all.chunks(bits as usize).map(|chunk| alphabet[digit(chunk, bits)]).collect()
    }

    const STANDARD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    #[test]
    fn digits_of_every_kind_at_every_place() {
        for before in 0..9 {
            let text = [&b"zoo zoo z"[..before], SECRET, b"??>>~~"].concat();
            for (bits, alphabet, name) in [
                (4, &b"0123456789abcdef"[..], "hex"),
                (4, b"0123456789ABCDEF", "hex"),
                (6, STANDARD, "base64"),
                (6, SAFE, "base64"),
                (5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "base32"),
                (5, b"abcdefghijklmnopqrstuvwxyz234567", "base32"),
            ] {
                let encoded = [b"data=\"", &base(bits, alphabet, &text)[..], b"\" end"].concat();
                assert!(reads(&encoded).contains(&name), "{name} after {before}");
            }
        }
        let wrapped: Vec<u8> = base(6, STANDARD, SECRET).chunks(10).flat_map(|line| [line, b"\r\n"].concat()).collect();
        assert!(reads(&wrapped).contains(&"base64"), "in lines");
    }

    #[test]
    fn where_it_was_read_from() {
        let encoded = [b"....", &base(6, STANDARD, &[b"123456", SECRET].concat())[..], b"...."].concat();
        let view = of(&encoded).into_iter().find(|view| view.name == "base64" && view.bytes.starts_with(b"123456")).unwrap();
        let source = view.source(&(6..6 + SECRET.len()));
        assert!(source.start >= 10 && source.start <= 12 && source.end <= encoded.len() - 4 && source.end >= 52, "{source:?}");
    }

    #[test]
    fn escapes_and_compressed() {
        let escaped: String = SECRET.iter().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(reads(format!("q={escaped}&x=1").as_bytes()), ["url-encoded"]);
        assert_eq!(of(b"100% nothing").iter().filter(|view| view.name == "url-encoded").count(), 0);
        let level = flate2::Compression::default();
        let text = [SECRET, &[b'x'; 200]].concat();
        let mut gzip = flate2::write::GzEncoder::new(b"body: ".to_vec(), level);
        gzip.write_all(&text).unwrap();
        assert_eq!(reads(&gzip.finish().unwrap()), ["gzip"]);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(&text).unwrap();
        assert_eq!(reads(&zlib.finish().unwrap()), ["zlib"]);
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), level);
        deflate.write_all(&text).unwrap();
        assert_eq!(reads(&deflate.finish().unwrap()), ["deflate"]);
    }

    #[test]
    fn what_swells_is_bounded() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![0; 64 << 20]).unwrap();
        let made = of(&gzip.finish().unwrap()).iter().map(|view| view.bytes.len()).max().unwrap();
        assert!(made <= 2 * LONGEST_INFLATED, "{made}");
    }

    #[test]
    fn garbage_never_panics() {
        let mut state = 1u64;
        for _ in 0..2000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let length = (state >> 33) as usize % 120;
            let mut bytes: Vec<u8> = (0..length).map(|i| (state.rotate_left(i as u32 * 7) >> 11) as u8).collect();
            for magic in [&[0x1f, 0x8b, 8, 0x1f][..], &[0x78, 0x9c, 1, 2], b"%4%%4g%"] {
                if bytes.len() > magic.len() {
                    bytes[..magic.len()].copy_from_slice(magic);
                }
                let _ = of(&bytes);
            }
        }
    }
}
