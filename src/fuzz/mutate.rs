//! Byte mutation: what a damaged disk, a cut transfer and a patient enemy do to a file.

use super::source::Source;

/// Some damage: bits flipped, bytes set, inserted and deleted, pieces repeated, swapped in from `other`, words of `dictionary` put in, the
/// end cut off.
pub fn mutate(source: &mut Source, bytes: &mut Vec<u8>, other: &[u8], dictionary: &[&[u8]]) {
    for _ in 0..=source.below(8) {
        one(source, bytes, other, dictionary);
    }
}

fn one(source: &mut Source, bytes: &mut Vec<u8>, other: &[u8], dictionary: &[&[u8]]) {
    let at = source.below(bytes.len());
    let (from, to) = range(source, bytes.len());
    match source.below(10) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << source.below(8),
        1 if !bytes.is_empty() => bytes[at] = source.pick(&[0, 1, 0x7f, 0x80, 0xff, b'"', b'\n']),
        2 => bytes.insert(at, source.next() as u8),
        3 => drop(bytes.drain(from..to)),
        4 => {
            let piece = bytes[from..to].to_vec();
            let times = 1 + source.below(if piece.len() < 64 { 20 } else { 2 });
            bytes.splice(at..at, piece.repeat(times));
        }
        5 => {
            let (there, end) = range(source, other.len());
            bytes.splice(from..to, other[there..end].iter().copied());
        }
        6 if !dictionary.is_empty() => {
            let word = source.pick(dictionary);
            let replaced = if source.one_in(2) { (at + word.len()).min(bytes.len()) } else { at };
            bytes.splice(at..replaced, word.iter().copied());
        }
        7 if bytes.len() >= 8 => {
            let at = source.below(bytes.len() - 7);
            let width = source.pick(&[1, 2, 4, 8]);
            bytes[at..at + width].copy_from_slice(&source.number().to_le_bytes()[..width]);
        }
        8 if source.one_in(3) => bytes.truncate(at),
        _ if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(1),
        _ => {}
    }
}

/// A short stretch, mostly.
fn range(source: &mut Source, length: usize) -> (usize, usize) {
    let from = source.below(length);
    let longest = if source.one_in(8) { length - from } else { (length - from).min(16) };
    (from, from + source.below(longest + 1))
}
