//! Which calls the program made that makes them, by its own record (`profiles/harness/calls.rs`). In: all that was said in its stage, and the word that it was
//! given. Out: the numbers of calls, and whether there are no more.
//!
//! What is called may say anything, on every stream that it has. The record is told by a word that was said to the first process alone, on its standard
//! input, before it makes any call (what runs before `main` could read it there, too); in its memory nobody looks who is another process. Whoever makes the calls is believed by it in turn, by a word that lies in
//! that process's own memory: code written against this can find it there, and gains what it has by doing nothing. What is not in the record did not happen.

use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Begun, however it ended.
    pub made: BTreeSet<usize>,
    /// It came to the end of all calls.
    pub is_whole: bool,
}

impl Record {
    pub fn of(said: &[u8], word: &str) -> Record {
        let mut record = Record::default();
        let own = |line: &'_ [u8]| std::str::from_utf8(line.strip_prefix(word.as_bytes())?.strip_prefix(b" ")?).ok().map(str::to_owned);
        for line in said.split(|byte| *byte == b'\n').filter(|_| !word.is_empty()).filter_map(own) {
            let Some((what, number)) = line.split_once(' ') else { continue };
            match (what, number.parse::<usize>()) {
                ("returned" | "panicked" | "hung" | "ended", Ok(number)) => drop(record.made.insert(number)),
                ("ends", Ok(number)) => record.is_whole = record.made.len() == number,
                _ => {}
            }
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_word_is_believed() {
        let of = |said: &str| Record::of(said.as_bytes(), "w1");
        let whole = of("noise\nw1 returned 0\nw1 ended 1\n\nw1 hung 2\nw1 ends 3\nreturned: 1\n");
        assert_eq!((whole.made.into_iter().collect::<Vec<_>>(), whole.is_whole), (vec![0, 1, 2], true));
        for (said, made, is_whole) in [
            ("w1 returned 0\n", 1, false),
            ("w1 returned 0\nw2 returned 1\nw2 ends 2\n", 1, false),
            ("w1 returned 0\nw1 ends 2\n", 1, false),
            ("\u{1} 3\n\u{3}\nreturned 0\n w1 returned 0\nw1returned 1\n", 0, false),
            ("w1 ends 0\n", 0, true),
        ] {
            let record = of(said);
            assert_eq!((record.made.len(), record.is_whole), (made, is_whole), "{said}");
        }
        assert_eq!(Record::of(b" returned 0\n ends 1\n", ""), Record::default());
    }
}
