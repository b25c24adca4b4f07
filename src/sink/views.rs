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

/// Shorter runs hold no part of a canary that proves anything.
const LEAST_HEX: usize = 24;
const LEAST_BASE64: usize = 16;
const LEAST_BASE32: usize = 20;
const LEAST_URL: usize = 12;
/// What is made of compressed data, at most; and one beginning is tried for so many bytes, but this many always.
const LONGEST_INFLATED: usize = 4 << 20;
const TRIED_EACH: usize = 4096;
const TRIED: usize = 64;
/// What is longer is taken for data of a kind, in which only compressed data is looked for.
const LONG: usize = 256 << 10;

/// What a digit stands for, `NONE` for what is none.
type Digits = [u8; 256];
const NONE: u8 = 0xff;

const HEX: Digits = digits(b"0123456789abcdef", b"0123456789ABCDEF");
/// Both alphabets of RFC 4648.
const BASE64: Digits = digits(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
);
/// In either case: names have none. Both at once are something else.
const BASE32: Digits = digits(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
const BASE32_LOW: Digits = digits(b"abcdefghijklmnopqrstuvwxyz234567", b"abcdefghijklmnopqrstuvwxyz234567");

const fn digits(one: &[u8], other: &[u8]) -> Digits {
    let mut table = [NONE; 256];
    let mut at = 0;
    while at < one.len() {
        table[one[at] as usize] = at as u8;
        table[other[at] as usize] = at as u8;
        at += 1;
    }
    table
}

/// A way to write bytes in digits of so many bits.
struct Kind {
    name: &'static str,
    digits: &'static Digits,
    bits: u32,
    /// So many digits make whole bytes: from each of them on it may have been begun.
    group: usize,
    least: usize,
    /// May it be broken into lines?
    lines: bool,
}

const KINDS: [Kind; 4] = [
    Kind { name: "hex", digits: &HEX, bits: 4, group: 2, least: LEAST_HEX, lines: false },
    Kind { name: "base64", digits: &BASE64, bits: 6, group: 4, least: LEAST_BASE64, lines: true },
    Kind { name: "base32", digits: &BASE32, bits: 5, group: 8, least: LEAST_BASE32, lines: false },
    Kind { name: "base32", digits: &BASE32_LOW, bits: 5, group: 8, least: LEAST_BASE32, lines: false },
];

impl Kind {
    /// Digits put together to bytes.
    fn view(&self, bytes: &[u8], from: Range<usize>) -> View {
        let mut out = Vec::with_capacity(from.len() * self.bits as usize / 8);
        let (mut word, mut held) = (0u32, 0);
        for byte in &bytes[from.clone()] {
            let value = self.digits[usize::from(*byte)];
            if value == NONE {
                continue;
            }
            word = word << self.bits | u32::from(value);
            held += self.bits;
            if held >= 8 {
                held -= 8;
                out.push((word >> held) as u8);
            }
        }
        View { name: self.name, bytes: out, from, scale: (8, self.bits as usize) }
    }
}

/// Sees all readings of `bytes`, one after the other. `inner`: they are a reading themselves.
pub fn each(bytes: &[u8], inner: bool, see: &mut dyn FnMut(View)) {
    if !(inner && bytes.len() > LONG) {
        for kind in &KINDS {
            let is_in = |byte: u8| kind.digits[usize::from(byte)] != NONE || kind.lines && matches!(byte, b'\r' | b'\n');
            runs(bytes, kind.least, is_in, &mut |run| {
                (0..kind.group).for_each(|skipped| see(kind.view(bytes, run.start + skipped..run.end)));
            });
        }
        // Tokens: what stands between two is not part of either.
        runs(bytes, LEAST_URL, |byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\'), &mut |run| {
            if let Some(view) = url(bytes, run) {
                see(view);
            }
        });
    }
    inflated(bytes, inner).into_iter().for_each(see);
}

/// What one piece stands for if it is written in digits from its first byte to its last, padding aside: in each way that it can be.
pub fn whole(piece: &[u8]) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let piece = piece.trim_ascii();
    let padding = piece.iter().rev().take_while(|byte| **byte == b'=').count();
    let piece = &piece[..piece.len() - padding];
    KINDS.iter().filter_map(move |kind| {
        let fits = !piece.is_empty() && piece.iter().all(|byte| kind.digits[usize::from(*byte)] != NONE);
        fits.then(|| (kind.name, kind.view(piece, 0..piece.len()).bytes))
    })
}

fn runs(bytes: &[u8], least: usize, is_in: impl Fn(u8) -> bool, see: &mut dyn FnMut(Range<usize>)) {
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if !is_in(*byte) {
            if at - start >= least {
                see(start..at);
            }
            start = at + 1;
        }
    }
    if bytes.len().saturating_sub(start) >= least {
        see(start..bytes.len());
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    Some(HEX[usize::from(byte)]).filter(|value| *value != NONE)
}

fn url(bytes: &[u8], from: Range<usize>) -> Option<View> {
    let token = &bytes[from.clone()];
    let escaped = |at: usize| {
        let digits = token.get(at..at + 3).filter(|escape| escape[0] == b'%')?;
        Some(hex_digit(digits[1])? << 4 | hex_digit(digits[2])?)
    };
    let first = token.iter().enumerate().filter(|(_, byte)| **byte == b'%').find_map(|(at, _)| escaped(at).map(|_| at))?;
    let (mut out, mut at) = (token[..first].to_vec(), first);
    while at < token.len() {
        let value = escaped(at);
        out.push(value.unwrap_or(token[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    Some(View { name: "url-encoded", bytes: out, from, scale: (0, 1) })
}

/// Compressed data by its first bytes (RFC 1950, RFC 1952); raw deflate has none, and is tried at the beginning alone.
fn inflated(bytes: &[u8], inner: bool) -> Vec<View> {
    let mut found = Vec::new();
    let begins = |at: usize| match bytes.get(at..at + 3)? {
        [0x1f, 0x8b, 8] if bytes.get(at + 3).is_some_and(|flags| *flags < 32) => Some(("gzip", at + gzip_header(&bytes[at..])?, false)),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, _] => Some(("zlib", at, true)),
        _ => None,
    };
    let mut tried = 0;
    let mut at = 0;
    let most = (bytes.len() / TRIED_EACH).max(TRIED);
    while at + 3 <= bytes.len() && tried < most {
        if let Some((name, start, wrapped)) = begins(at) {
            tried += 1;
            if let Some((out, read)) = inflate(&bytes[start..], wrapped, true) {
                found.push(View { name, bytes: out, from: at..start + read, scale: (0, 1) });
                at = start + read;
                continue;
            }
        }
        at += 1;
    }
    // RFC 1951 §3.2.3: one last block, or several; in readings, which are many, one.
    let kind = bytes.first().map_or(0, |first| first & 7);
    if found.is_empty()
        && (matches!(kind, 3 | 5) || !inner && matches!(kind, 2 | 4))
        && let Some((out, read)) = inflate(bytes, false, false)
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

/// What it was, and how much of it there is. `breaks`: what breaks off is taken as far as it goes.
fn inflate(bytes: &[u8], wrapped: bool, breaks: bool) -> Option<(Vec<u8>, usize)> {
    let mut state = Decompress::new(wrapped);
    let mut out = Vec::with_capacity(4096);
    loop {
        let (read, made) = (state.total_in() as usize, out.len());
        match state.decompress_vec(bytes.get(read..)?, &mut out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => break,
            Ok(_) if out.len() >= LONGEST_INFLATED => break,
            Ok(_) if out.len() == out.capacity() => out.reserve(out.capacity()),
            Ok(_) if (read, made) != (state.total_in() as usize, out.len()) => {}
            Ok(_) | Err(_) if breaks && out.len() >= super::canaries::LEAST => break,
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
        each(bytes, false, &mut |view| found.push(view));
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
