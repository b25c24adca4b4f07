//! What a program was really told. We read the arguments of an `execve`, and then the kernel reads them again: in between, another thread or
//! process may have exchanged them. In: a process that has just become another program, and the arguments that were judged. Out: its
//! real ones, where they are others.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use crate::gate::memory::{Arguments, MORE};
use crate::model::Hostile;
use crate::sys::script::DEEPEST;

/// How many words may come before those of a script: its interpreter, an option of that and the script's path, for each script that
/// interprets a script.
const BEFORE: usize = 3 * DEEPEST;

/// The arguments `pid` has, unless they are known to be the judged ones. `script`: they come after an interpreter's own.
pub fn others(pid: u32, judged: Option<&[Hostile]>, script: bool) -> Option<Vec<Hostile>> {
    let real = File::open(format!("/proc/{pid}/cmdline")).and_then(|file| collect(BufReader::new(file))).ok()?;
    // It is gone, or it has written over them, which it may.
    (!real.is_empty() && !judged.is_some_and(|judged| same(judged, &real, script))).then_some(real)
}

fn collect(mut words: impl BufRead) -> io::Result<Vec<Hostile>> {
    let mut arguments = Arguments::default();
    let mut word = Vec::new();
    while arguments.has_room() {
        word.clear();
        if words.read_until(0, &mut word)? == 0 {
            return Ok(arguments.words);
        }
        if word.last() == Some(&0) {
            word.pop();
        }
        arguments.add(&word);
    }
    if !words.fill_buf()?.is_empty() {
        arguments.cut();
    }
    Ok(arguments.words)
}

fn same(judged: &[Hostile], real: &[Hostile], script: bool) -> bool {
    // Since Linux 5.18 a program without arguments is given an empty one.
    let nothing = [Hostile::default()];
    let judged = if judged.is_empty() { &nothing[..] } else { judged };
    if !script {
        return matches(judged, real);
    }
    // The script's own name is the path it was found by, and an interpreter stands before that.
    (2..=BEFORE.min(real.len())).any(|before| matches(&judged[1..], &real[before..]))
}

/// Word for word, as far as both were kept.
fn matches(judged: &[Hostile], real: &[Hostile]) -> bool {
    let cut = |words: &[Hostile]| words.last().is_some_and(|last| last.as_bytes() == MORE.as_bytes());
    let (one, other) = (cut(judged), cut(real));
    if !one && !other {
        return judged == real;
    }
    let kept = (judged.len() - usize::from(one)).min(real.len() - usize::from(other));
    judged[..kept] == real[..kept] && kept > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Hostile> {
        text.split(' ').map(Hostile::from).collect()
    }

    #[test]
    fn what_was_exchanged_shows() {
        let list = |text: &str| collect(text.replace(' ', "\0").as_bytes()).unwrap();
        assert_eq!(list("cc -c a.c "), words("cc -c a.c"));
        for (judged, real, script, equal) in [
            ("cc -c a.c", "cc -c a.c", false, true),
            ("cc -c a.c", "cc -c b.c", false, false),
            ("cc -c a.c", "cc -c", false, false),
            ("cc -c", "cc -c a.c", false, false),
            ("run a b", "/bin/sh ./run a b", true, true),
            ("run a b", "/usr/bin/env -S x ./run a b", true, true),
            ("run a b", "/bin/sh ./run a c", true, false),
            ("run", "/bin/sh ./run", true, true),
            ("run -c x", "run -c x", true, false),
        ] {
            assert_eq!(same(&words(judged), &words(real), script), equal, "{judged} / {real}");
        }
        assert!(same(&[], &[Hostile::default()], false));
    }

    #[test]
    fn long_lists_are_compared_as_far_as_they_are_kept() {
        let many = "x ".repeat(1000);
        let real = collect(many.replace(' ', "\0").as_bytes()).unwrap();
        assert_eq!(real.last().unwrap().as_bytes(), MORE.as_bytes());
        assert!(same(&real, &real, false));
        let mut other = real.clone();
        other[1] = Hostile::from("y");
        assert!(!same(&real, &other, false));
        // One word that alone would fill any room does not hide those behind it.
        let long = [&[b'x'; 200_000][..], b"\0a\0"].concat();
        let real = collect(&long[..]).unwrap();
        assert_eq!(real.len(), 2);
        assert_eq!(real[1].as_bytes(), b"a");
    }
}
