//! What an act leaves behind: the proof that a fixture really acts under plain cargo, and the proof that it did not under Brig.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::place::{Place, visit};
use crate::run::Outcome;
use crate::sink::Door;

#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// A planted secret arrives at a sink.
    Steals(Door),
    /// Anything at all arrives at a sink.
    Reaches(Door),
    /// These words are printed: on cargo's output, or into the files where cargo keeps a build script's.
    Says(&'static str),
    /// The planted secret turns up below `target/` or in the output.
    Leaks,
    /// A file of this name comes into being below `target/`.
    Plants(&'static str),
    /// This file of the place comes into being, or grows.
    Touches(&'static str),
}

/// What the place looked like before the run, as far as effects need to know.
pub struct Before(Vec<(PathBuf, Option<u64>)>);

impl Before {
    pub fn look(place: &Place, effects: &[Effect]) -> Before {
        let touched = effects.iter().filter_map(|effect| match effect {
            Effect::Touches(path) => Some(place.path(path)),
            _ => None,
        });
        Before(touched.map(|path| (path.clone(), length(&path))).collect())
    }
}

impl Effect {
    /// Has it come about?
    pub fn seen(self, place: &Place, outcome: &Outcome, before: &Before) -> bool {
        match self {
            Effect::Steals(door) => contains(&place.sinks.heard(door), place.canary.as_bytes()),
            Effect::Reaches(door) => !place.sinks.heard(door).is_empty(),
            Effect::Says(words) => said(place, outcome, words.as_bytes()),
            Effect::Leaks => !found(place, outcome, place.canary.as_bytes()).is_empty(),
            Effect::Plants(name) => {
                let mut seen = false;
                visit(&place.target(), &mut |path| seen |= path.file_name().is_some_and(|found| found == name));
                seen
            }
            Effect::Touches(path) => {
                let path = place.path(path);
                let was = before.0.iter().find(|(known, _)| *known == path).and_then(|(_, length)| *length);
                length(&path) != was
            }
        }
    }

    /// The same, for acts that go on after the run: waits until it has come about, or until `patience` is over.
    pub fn comes(self, place: &Place, outcome: &Outcome, before: &Before, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            if self.seen(place, outcome, before) {
                return true;
            }
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Everywhere the canary must not be after Brig has run: sinks, target, temporary files, report, output.
pub fn spilled(place: &Place, outcome: &Outcome) -> Vec<String> {
    let mut spilled = found(place, outcome, place.canary.as_bytes());
    for door in Door::ALL {
        if contains(&place.sinks.heard(door), place.canary.as_bytes()) {
            spilled.push(format!("the {door:?} sink"));
        }
    }
    for dir in ["tmp", "report"] {
        spilled.extend(files_with(&place.path(dir), place.canary.as_bytes()));
    }
    spilled
}

/// Printed by cargo, or by a build script, whose words cargo keeps in files. Not a search of all of target: the program that would
/// say the words contains them.
fn said(place: &Place, outcome: &Outcome, words: &[u8]) -> bool {
    let kept = files_with(&place.target(), words).iter().any(|path| path.ends_with("/output") || path.ends_with("/stderr"));
    kept || contains(&outcome.stdout, words) || contains(&outcome.stderr, words)
}

/// Where below target or in the output these bytes are.
fn found(place: &Place, outcome: &Outcome, needle: &[u8]) -> Vec<String> {
    let mut places = files_with(&place.target(), needle);
    for (name, bytes) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        if contains(bytes, needle) {
            places.push(name.to_string());
        }
    }
    places
}

/// By `grep`, because tests are not compiled for speed and a target directory is large.
fn files_with(dir: &Path, needle: &[u8]) -> Vec<String> {
    if !dir.exists() {
        // Nothing was built.
        return Vec::new();
    }
    let mut grep = Command::new("grep");
    grep.args(["-r", "-l", "-a", "-F", "-Z", "-D", "skip", "-e"]).arg(OsStr::from_bytes(needle)).arg(dir);
    let output = grep.output().expect("run grep");
    assert!(matches!(output.status.code(), Some(0 | 1)), "grep below {dir:?}: {output:?}");
    output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(|path| String::from_utf8_lossy(path).into_owned()).collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn length(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().map(|meta| meta.len())
}
