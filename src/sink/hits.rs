//! Which conversations carried which canaries. In: the canaries' index, all conversations. Out: a hit for each canary in each conversation that carried
//! it or a part of it, with the way it was written.
//!
//! What went to one destination in one place of a protocol (bodies, one parameter, labels below one domain) is put together in order of time first, so
//! that what was cut in pieces is whole again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::canaries::{Found, Index};
use super::kept::Talk;
use super::views;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Index of the conversation.
    pub talk: usize,
    /// Index of the canary.
    pub canary: usize,
    /// `plain`, `base64`, `base64 of gzip`, `reversed`, `xor 0x5a` …
    pub encoding: String,
}

/// Pieces, each with the index of its conversation.
type Pieces<'t> = Vec<(usize, &'t [u8])>;

/// Encodings in encodings.
const DEEPEST: usize = 3;
/// Looked through at once, and how much of it once more with what follows.
const PART: usize = 4 << 20;
const OVERLAP: usize = 16 << 10;
/// Pieces that were encoded one by one are no longer than this.
const SMALL: usize = 4096;
/// Bytes looked through in all, readings included.
const MOST: usize = 1 << 30;
/// What is longer is not read from its end.
const LONGEST_REVERSED: usize = 256 << 10;

/// All hits, and whether everything was looked through.
pub fn hits(index: &Index, talks: &[Talk]) -> (Vec<Hit>, bool) {
    let mut threads: BTreeMap<(String, &str), Pieces<'_>> = BTreeMap::new();
    for (number, talk) in talks.iter().enumerate() {
        let named = || talk.host.clone().unwrap_or_else(|| talk.visit.to.ip().to_string());
        // Whichever server is asked, it is the owner of the name who hears of it.
        let destination = if talk.protocol == "dns" { "dns".to_owned() } else { named() };
        for said in &talk.said {
            threads.entry((destination.clone(), &said.field)).or_default().push((number, &said.bytes));
        }
    }
    let mut search = Search { index, found: Vec::new(), seen: HashSet::new(), left: MOST };
    for pieces in threads.values() {
        search.thread(pieces);
    }
    // Each canary once for each conversation: as it was found first, which is in the plainest way.
    search.found.sort_by_key(|hit| (hit.talk, hit.canary));
    (search.found, search.left > 0)
}

struct Search<'i> {
    index: &'i Index,
    found: Vec<Hit>,
    seen: HashSet<(usize, usize)>,
    left: usize,
}

impl Search<'_> {
    fn thread(&mut self, pieces: &[(usize, &[u8])]) {
        let ends = ends(pieces);
        let length = ends.last().copied().unwrap_or(0);
        let mut start = 0;
        loop {
            let part = gathered(pieces, &ends, start..length.min(start + PART));
            for (at, canary, encoding) in self.look(&part) {
                self.hit(pieces, &ends, start + at.start..start + at.end, canary, encoding);
            }
            if start + PART >= length {
                break;
            }
            start += PART - OVERLAP;
        }
        if pieces.len() > 1 {
            self.each_decoded(pieces);
        }
    }

    /// Small pieces that were encoded one by one.
    fn each_decoded(&mut self, pieces: &[(usize, &[u8])]) {
        for kind in ["hex", "base64", "base32"] {
            let decode = |piece: &[u8]| views::whole(piece).find(|(name, _)| *name == kind).map(|(_, bytes)| bytes);
            let small = pieces.iter().filter(|(_, piece)| piece.len() <= SMALL);
            let decoded: Vec<(usize, Vec<u8>)> = small.filter_map(|(talk, piece)| Some((*talk, decode(piece)?))).collect();
            let borrowed: Pieces<'_> = decoded.iter().map(|(talk, bytes)| (*talk, bytes.as_slice())).collect();
            let ends = ends(&borrowed);
            let whole = gathered(&borrowed, &ends, 0..ends.last().copied().unwrap_or(0));
            if !self.spend(whole.len()) {
                return;
            }
            for found in self.index.find(&whole) {
                self.hit(&borrowed, &ends, found.at.clone(), found.canary, named(&found, kind));
            }
        }
    }

    fn hit(&mut self, pieces: &[(usize, &[u8])], ends: &[usize], at: Range<usize>, canary: usize, encoding: String) {
        let first = ends.partition_point(|end| *end <= at.start);
        for (talk, _) in pieces[first..].iter().zip(&ends[first..]).take_while(|(_, end)| **end < at.end).map(|(piece, _)| piece) {
            self.record(*talk, canary, &encoding);
        }
        let last = ends.partition_point(|end| *end < at.end);
        if let Some((talk, _)) = pieces.get(last) {
            self.record(*talk, canary, &encoding);
        }
    }

    fn record(&mut self, talk: usize, canary: usize, encoding: &str) {
        if self.seen.insert((talk, canary)) {
            self.found.push(Hit { talk, canary, encoding: encoding.to_owned() });
        }
    }

    /// The canaries in some bytes, in every reading of them, the plainest first.
    fn look(&mut self, bytes: &[u8]) -> Vec<(Range<usize>, usize, String)> {
        let mut found = Vec::new();
        self.layer(bytes, "", 0, &mut found);
        if bytes.len() <= LONGEST_REVERSED {
            let backwards: Vec<u8> = bytes.iter().rev().copied().collect();
            let mut inside = Vec::new();
            self.readings(&backwards, "reversed", 0, &mut inside);
            let turned = |at: Range<usize>| bytes.len() - at.end.min(bytes.len())..bytes.len() - at.start.min(bytes.len());
            found.extend(inside.into_iter().map(|(at, canary, encoding)| (turned(at), canary, encoding)));
        }
        found
    }

    fn layer(&mut self, bytes: &[u8], way: &str, depth: usize, found: &mut Vec<(Range<usize>, usize, String)>) {
        if !self.spend(bytes.len()) {
            return;
        }
        found.extend(self.index.find(bytes).into_iter().map(|one| (one.at.clone(), one.canary, named(&one, way))));
        self.readings(bytes, way, depth, found);
    }

    fn readings(&mut self, bytes: &[u8], way: &str, depth: usize, found: &mut Vec<(Range<usize>, usize, String)>) {
        if depth == DEEPEST {
            return;
        }
        views::each(bytes, depth > 0, &mut |view| {
            let way = if way.is_empty() { view.name.to_owned() } else { format!("{way} of {}", view.name) };
            let mut inside = Vec::new();
            self.layer(&view.bytes, &way, depth + 1, &mut inside);
            found.extend(inside.into_iter().map(|(at, canary, encoding)| (view.source(&at), canary, encoding)));
        });
    }

    fn spend(&mut self, bytes: usize) -> bool {
        self.left = self.left.saturating_sub(bytes);
        self.left > 0
    }
}

/// The way a canary was written, from the outside to the inside.
fn named(found: &Found, way: &str) -> String {
    let own = match (found.reversed, found.key) {
        (false, 0) => String::new(),
        (true, 0) => "reversed".to_owned(),
        (false, key) => format!("xor {key:#04x}"),
        (true, key) => format!("reversed, xor {key:#04x}"),
    };
    match (way, own.as_str()) {
        ("", "") => "plain".into(),
        ("", own) => own.into(),
        (way, "") => way.into(),
        (way, own) => format!("{way} of {own}"),
    }
}

/// Where each piece ends, put together.
fn ends(pieces: &[(usize, &[u8])]) -> Vec<usize> {
    let add = |total: &mut usize, (_, bytes): &(usize, &[u8])| {
        *total += bytes.len();
        Some(*total)
    };
    pieces.iter().scan(0, add).collect()
}

/// A part of all pieces put together.
fn gathered<'p>(pieces: &[(usize, &'p [u8])], ends: &[usize], part: Range<usize>) -> Cow<'p, [u8]> {
    let mut out: Cow<'p, [u8]> = Cow::Borrowed(&[]);
    let first = ends.partition_point(|end| *end <= part.start);
    for ((_, bytes), end) in pieces.iter().zip(ends).skip(first) {
        let start = end - bytes.len();
        if start >= part.end {
            break;
        }
        let bytes = &bytes[part.start.saturating_sub(start)..bytes.len().min(part.end - start)];
        if out.is_empty() {
            out = Cow::Borrowed(bytes);
        } else {
            out.to_mut().extend(bytes);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Canary;
    use crate::sink::kept::Kept;
    use crate::sink::kept::tests::visit;

    const VALUE: &str = "AKIA2X7QNN4PZK3M9TRW";

    fn index() -> Index {
        Index::new(vec![Canary { value: VALUE.into(), place: ".env".into(), name: "KEY".into() }])
    }

    fn talks(said: &[(&str, &str, &[u8])]) -> Vec<Talk> {
        let kept = Kept::default();
        said.iter()
            .map(|(to, field, bytes)| {
                let mut draft = kept.begin(visit("192.0.2.1:80"), Some((*to).to_owned()));
                draft.said(*field, bytes);
                draft.talk
            })
            .collect()
    }

    fn found(said: &[(&str, &str, &[u8])]) -> Vec<(usize, String)> {
        hits(&index(), &talks(said)).0.into_iter().map(|hit| (hit.talk, hit.encoding)).collect()
    }

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn split_over_requests_and_labels() {
        let (a, b) = VALUE.split_at(9);
        let both = [("x.example", "query d", a.as_bytes()), ("y.example", "query d", b"zzz"), ("x.example", "query d", b.as_bytes())];
        assert_eq!(found(&both), [(0, "plain".into()), (2, "plain".into())]);
        assert_eq!(found(&[("x.example", "query d", a.as_bytes()), ("x.example", "query e", b.as_bytes())]), []);
        let pieces: Vec<String> = VALUE.as_bytes().chunks(4).map(|piece| hex(std::str::from_utf8(piece).unwrap())).collect();
        let labels: Vec<(&str, &str, &[u8])> = pieces.iter().map(|piece| ("dns", "label 0 below evil.example", piece.as_bytes())).collect();
        assert_eq!(found(&labels), (0..5).map(|at| (at, "hex".to_owned())).collect::<Vec<_>>());
    }

    #[test]
    fn pieces_encoded_one_by_one() {
        // base64 of "AKIA2X7", "QNN4PZK3", "M9TRW".
        let pieces = ["QUtJQTJYNw==", "UU5ONFBaSzM=", "TTlUUlc="];
        let said: Vec<(&str, &str, &[u8])> = pieces.iter().map(|piece| ("x", "body", piece.as_bytes())).collect();
        assert_eq!(found(&said), [(0, "base64".into()), (1, "base64".into()), (2, "base64".into())]);
    }

    #[test]
    fn encodings_in_encodings() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(format!("{{\"env\":\"{VALUE}\"}}").as_bytes()).unwrap();
        let twice = hex(&hex(VALUE));
        let packed: String = gzip.finish().unwrap().iter().map(|byte| format!("{byte:02X}")).collect();
        let escaped: String = VALUE.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let backwards: String = VALUE.chars().rev().collect();
        let hex_backwards: String = hex(VALUE).chars().rev().collect();
        for (text, way) in [
            (VALUE, "plain"),
            (&hex(VALUE), "hex"),
            (&twice, "hex of hex"),
            (&packed, "hex of gzip"),
            (&escaped, "url-encoded"),
            (&backwards, "reversed"),
            (&hex(&backwards), "hex of reversed"),
            (&hex_backwards, "reversed of hex"),
        ] {
            assert_eq!(found(&[("x", "body", format!("a={text}&z").as_bytes())]), [(0, way.to_owned())], "{text}");
        }
        let xored: Vec<u8> = VALUE.bytes().map(|byte| byte ^ 0x5a).collect();
        assert_eq!(found(&[("x", "stream", &xored)]), [(0, "xor 0x5a".into())]);
    }

    #[test]
    fn far_into_a_long_stream() {
        let mut stream = vec![b' '; PART - 7];
        stream.extend(VALUE.bytes());
        stream.extend(vec![b' '; 1 << 20]);
        assert_eq!(found(&[("x", "stream", &stream)]), [(0, "plain".into())]);
    }
}
