//! Canaries found again in what was sent. In: canaries, once; bytes. Out: which of them are in there, whole or in part, forwards or backwards, as they
//! are or with every byte XORed by one key.
//!
//! What two bytes that follow each other differ by is the same under any such key. So windows of differences are what is looked up: one pass for all
//! keys, plain ones among them.

use std::collections::HashMap;
use std::ops::Range;

use crate::model::Canary;

/// Fewer bytes of a canary prove nothing.
pub const LEAST: usize = 12;
/// So many differences make a key of the table.
const KEY: usize = 8;
/// Bits of the filter in front of the table.
const FILTER_BITS: u32 = 20;
/// A part without letters and digits mixed has to be this long: words are in anybody's data.
const LONG: usize = 32;

/// A canary that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Index of the canary.
    pub canary: usize,
    /// Where in the bytes.
    pub at: Range<usize>,
    pub reversed: bool,
    /// 0 for bytes as they are.
    pub key: u8,
}

/// All canaries, ready to be looked for.
pub struct Index {
    pub canaries: Vec<Canary>,
    /// Each canary forwards, then backwards.
    texts: Vec<Vec<u8>>,
    /// Differences → which text, and where in it.
    windows: HashMap<u64, Vec<(u32, u32)>>,
    filter: Vec<u64>,
}

impl Index {
    pub fn new(canaries: Vec<Canary>) -> Index {
        let both = |canary: &Canary| {
            let forwards = canary.value.as_bytes().to_vec();
            let backwards = forwards.iter().rev().copied().collect();
            [forwards, backwards]
        };
        let texts: Vec<Vec<u8>> = canaries.iter().flat_map(both).collect();
        let mut windows: HashMap<u64, Vec<(u32, u32)>> = HashMap::new();
        let mut filter = vec![0u64; 1 << (FILTER_BITS - 6)];
        for (number, text) in texts.iter().enumerate().filter(|(_, text)| text.len() >= LEAST) {
            for at in 0..=text.len() - LEAST {
                // What is nearly one byte repeated is in many a file.
                if distinct(&text[at..at + LEAST]) < 4 {
                    continue;
                }
                let Some(key) = differences(text, at) else { continue };
                windows.entry(key).or_default().push((number as u32, at as u32));
                let bit = hash(key);
                filter[bit >> 6] |= 1 << (bit & 63);
            }
        }
        Index { canaries, texts, windows, filter }
    }

    /// Every canary in `hay`, at each place once.
    pub fn find(&self, hay: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut at = 0;
        while at + KEY < hay.len() {
            let Some(key) = differences(hay, at) else { break };
            let bit = hash(key);
            let mut next = at + 1;
            if self.filter[bit >> 6] & (1 << (bit & 63)) != 0 {
                for &(number, from) in self.windows.get(&key).into_iter().flatten() {
                    if let Some(one) = self.verify(hay, at, number as usize, from as usize) {
                        next = next.max(one.at.end);
                        if !found.contains(&one) {
                            found.push(one);
                        }
                    }
                }
            }
            at = next;
        }
        found
    }

    fn verify(&self, hay: &[u8], at: usize, number: usize, from: usize) -> Option<Found> {
        let text = &self.texts[number];
        let key = hay[at] ^ text[from];
        let same = |(a, b): &(&u8, &u8)| **a ^ key == **b;
        let after = hay[at..].iter().zip(&text[from..]).take_while(same).count();
        let before = hay[..at].iter().rev().zip(text[..from].iter().rev()).take_while(same).count();
        let part = &text[from - before..from + after];
        let whole = part.len() == text.len();
        let others = || self.texts.iter().enumerate().any(|(other, text)| other / 2 != number / 2 && holds(text, part));
        let proves = part.len() >= LEAST && (whole || convinces(part) && !others());
        proves.then(|| Found { canary: number / 2, at: at - before..at + after, reversed: number % 2 == 1, key })
    }
}

/// Is this part of a canary such that nobody says it by chance?
fn convinces(part: &[u8]) -> bool {
    let mixed = part.iter().any(u8::is_ascii_digit) && part.iter().any(u8::is_ascii_alphabetic) && distinct(part) >= 8;
    mixed || part.len() >= LONG
}

fn distinct(bytes: &[u8]) -> u32 {
    let mut seen = [0u64; 4];
    bytes.iter().for_each(|byte| seen[usize::from(byte >> 6)] |= 1 << (byte & 63));
    seen.iter().map(|word| word.count_ones()).sum()
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What `KEY + 1` bytes differ by, each from the next.
fn differences(bytes: &[u8], at: usize) -> Option<u64> {
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + KEY)?.try_into().ok()?));
    Some(word(at)? ^ word(at + 1)?)
}

fn hash(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(value: &str) -> Canary {
        Canary { value: value.into(), place: ".env".into(), name: "TOKEN".into() }
    }

    fn index(values: &[&str]) -> Index {
        Index::new(values.iter().map(|value| canary(value)).collect())
    }

    const VALUE: &str = "AKIA2X7QNN4PZK3M9TRW";

    #[test]
    fn whole_parts_backwards_and_under_a_key() {
        let index = index(&["something-else-0123456789", VALUE]);
        let hay = |middle: &[u8]| [b"noise noise ", middle, b" and more noise of that kind"].concat();
        let [one] = &index.find(&hay(VALUE.as_bytes()))[..] else { panic!("not once") };
        assert_eq!(*one, Found { canary: 1, at: 12..32, reversed: false, key: 0 });
        let [one] = &index.find(&hay(&VALUE.as_bytes()[4..17]))[..] else { panic!("not once") };
        assert_eq!((one.canary, &one.at), (1, &(12..25)));
        assert_eq!(index.find(&hay(&VALUE.as_bytes()[4..15])), [], "eleven bytes are too few");
        let backwards: Vec<u8> = VALUE.bytes().rev().collect();
        assert!(index.find(&hay(&backwards))[0].reversed);
        for key in 1..=255u8 {
            let under: Vec<u8> = VALUE.bytes().map(|byte| byte ^ key).collect();
            let found = index.find(&hay(&under));
            assert!(found.iter().any(|one| one.canary == 1 && one.key == key), "{key}: {found:?}");
        }
    }

    #[test]
    fn what_anybody_says_proves_nothing() {
        let index =
            index(&["postgres://app:8fKq2LmZ71@db/app", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNza1", "aaaaaaaaaaaaaaaaaaaaaaaa"]);
        for hay in ["postgres://app:secret@localhost/app", "-----BEGIN OPENSSH PRIVATE", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", ""] {
            assert_eq!(index.find(hay.as_bytes()), [], "{hay}");
        }
        assert_eq!(index.find(b"x=postgres://app:8fKq2LmZ71@db/app").len(), 1);
    }

    #[test]
    fn a_beginning_that_two_have_names_neither() {
        let index = index(&["key4shared0prefix9-AAAA1111bbbb", "key4shared0prefix9-CCCC2222dddd"]);
        assert_eq!(index.find(b"key4shared0prefix9"), []);
        assert_eq!(index.find(b"..key4shared0prefix9-CCCC22..")[0].canary, 1);
    }

    #[test]
    fn noise_holds_nothing() {
        let index = index(&[VALUE]);
        let mut state = 7u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as u8
        })
        .take(1 << 20)
        .collect();
        assert_eq!(index.find(&noise), []);
    }
}
