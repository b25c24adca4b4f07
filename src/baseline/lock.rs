//! The file: `brig.lock`. In: text. Out: units and what they did, or what is wrong and where; and the text again, sorted, one thing a line, so that versions of it
//! are merged line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::fold::Key;
use super::line::Line;
use crate::model::ActorKind;

/// Code of others that runs while something is built: a build script, or a macro.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    pub name: String,
    pub kind: ActorKind,
    pub version: String,
    /// A registry's checksum or a commit: what cargo has locked it by.
    pub pin: String,
}

/// Code of others that is linked into build scripts and macros, and runs as they do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Library {
    pub name: String,
    pub version: String,
    /// As that of a unit.
    pub pin: String,
}

/// What is beside a unit, as data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// It was seen to run. One that was not is accepted for its name alone.
    pub ran: bool,
    /// Where: `x86_64-linux`, each once.
    pub on: BTreeSet<String>,
    /// With which features.
    pub features: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// Written before there were lines for libraries: of those it says nothing.
    pub without_libraries: bool,
    pub units: BTreeMap<Unit, Beside>,
    pub libraries: BTreeSet<Library>,
    /// Digests of the locks of others that count beside this one, by the names they are imported under.
    pub imports: BTreeMap<String, String>,
    pub did: BTreeMap<Key, BTreeSet<Line>>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub line: u32,
    pub message: String,
}

const VERSION: &str = "brig-lock 2";
/// Without libraries.
const OLDER: &str = "brig-lock 1";
/// In place of a kind of actor.
const LIBRARY: &str = "library";
const IMPORT: &str = "import";
const HEAD: &str = "# Whose code may run while this workspace is built, and what it was seen to do. Written by `cargo brig baseline accept`.\n\
                    # Every line stands for itself; where a merge fails, keep the lines of both sides.\n";
const KINDS: [ActorKind; 5] = [ActorKind::BuildScript, ActorKind::ProcMacro, ActorKind::Program, ActorKind::Rustc, ActorKind::Rustdoc];
/// Between the words that tell of an act and those that tell of a unit.
const DID: &str = "does";

impl Lock {
    /// # Errors
    /// With the line, where it is not one of ours.
    pub fn read(text: &str) -> Result<Lock, Wrong> {
        let mut lock = Lock::default();
        let mut version = false;
        for (line, number) in text.lines().zip(1..) {
            let wrong = |message: String| Err(Wrong { line: number, message });
            if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
                return wrong(
                    "a merge stopped here: every line stands for itself, so remove the marks, keep the lines of both sides that you \
                     accept, and look at them with `cargo brig baseline check`"
                        .to_owned(),
                );
            }
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if let Some(found) = line.strip_prefix("brig-lock ") {
                if ![VERSION, OLDER].contains(&line) {
                    return wrong(format!("unknown version `{}`: this program reads `1` and `2`", found.escape_debug()));
                }
                // Of two sides of a merge the older one.
                lock.without_libraries |= line == OLDER;
                version = true;
                continue;
            }
            if !version {
                return wrong(format!("`{VERSION}` must stand before everything else"));
            }
            if let Err(message) = lock.line(line) {
                return wrong(message);
            }
        }
        if version { Ok(lock) } else { Err(Wrong { line: 1, message: format!("`{VERSION}` is missing: the file is empty or cut off") }) }
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ');
        let (Some(name), Some(kind), Some(third)) = (words.next(), words.next(), words.next()) else {
            return Err("too short: a line holds a package, a kind of actor, and what is said of it".to_owned());
        };
        if word(name) != name {
            return Err(format!("`{}` is no package's name", name.escape_debug()));
        }
        if kind == IMPORT {
            let is_digest = third.len() == 64 && third.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_digest || words.next().is_some() {
                return Err("an import has the SHA-256 of its file, and nothing behind it".to_owned());
            }
            // Of two sides of a merge that differ, nobody knows which was meant.
            return match self.imports.insert(name.to_owned(), third.to_owned()) {
                Some(other) if other != third => Err(format!("`{}` is pinned twice: keep one of the lines", name.escape_debug())),
                _ => Ok(()),
            };
        }
        if kind == LIBRARY {
            return self.library(name, third, &words.collect::<Vec<_>>());
        }
        let Some(kind) = KINDS.into_iter().find(|known| known.name() == kind) else {
            return Err(format!("unknown kind of actor `{}`", kind.escape_debug()));
        };
        if third == DID {
            let rest = line.splitn(4, ' ').nth(3).unwrap_or_default();
            let did = Line::read(rest).ok_or_else(|| format!("`{}` is nothing that is done", rest.escape_debug()))?;
            self.did.entry((name.to_owned(), kind)).or_default().insert(did);
            return Ok(());
        }
        let (Some(pin), Some(state), Some(on)) = (words.next(), words.next(), words.next()) else {
            return Err("too short: version, checksum, `ran` or `unseen`, and where belong behind it".to_owned());
        };
        let ran = match state {
            "ran" => true,
            "unseen" => false,
            other => return Err(format!("`{}` is neither `ran` nor `unseen`", other.escape_debug())),
        };
        let beside_it = [Some(third), Some(pin), Some(on), words.clone().next()];
        if let Some(odd) = beside_it.into_iter().flatten().find(|found| *found != "-" && word(found) != **found) {
            return Err(format!("`{}` is no word of a line", odd.escape_debug()));
        }
        let list = |text: &str| -> BTreeSet<String> {
            text.split(',').filter(|word| !word.is_empty() && *word != "-").map(str::to_owned).collect()
        };
        let unit = Unit { name: name.to_owned(), kind, version: third.to_owned(), pin: pin.to_owned() };
        // Of two sides of a merge: both.
        let beside = self.units.entry(unit).or_default();
        beside.ran |= ran;
        beside.on.extend(list(on));
        beside.features.extend(words.next().map(list).unwrap_or_default());
        match words.next() {
            None => Ok(()),
            Some(more) => Err(format!("`{}` belongs to nothing", more.escape_debug())),
        }
    }

    fn library(&mut self, name: &str, version: &str, rest: &[&str]) -> Result<(), String> {
        let [pin] = rest else { return Err("a library has a version and a checksum, and nothing behind it".to_owned()) };
        match [version, *pin].into_iter().find(|found| word(found) != **found) {
            Some(odd) => Err(format!("`{}` is no word of a line", odd.escape_debug())),
            None => {
                self.libraries.insert(Library { name: name.to_owned(), version: version.to_owned(), pin: (*pin).to_owned() });
                Ok(())
            }
        }
    }

    pub fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (name, digest) in &self.imports {
            lines.push(format!("{} {IMPORT} {digest}", word(name)));
        }
        for Library { name, version, pin } in &self.libraries {
            lines.push(format!("{} {LIBRARY} {} {}", word(name), word(version), word(pin)));
        }
        let list = |words: &BTreeSet<String>| {
            let words: Vec<String> = words.iter().map(|text| word(&text.replace(',', "?"))).collect();
            if words.is_empty() { "-".to_owned() } else { words.join(",") }
        };
        for (unit, beside) in &self.units {
            let (name, kind, version, pin) = (word(&unit.name), unit.kind, word(&unit.version), word(&unit.pin));
            let state = if beside.ran { "ran" } else { "unseen" };
            lines.push(format!("{name} {} {version} {pin} {state} {} {}", kind.name(), list(&beside.on), list(&beside.features)));
        }
        for ((name, kind), did) in &self.did {
            let name = word(name);
            lines.extend(did.iter().map(|line| format!("{name} {} {DID} {}", kind.name(), line.text())));
        }
        // By byte, as `sort` does it under LC_ALL=C.
        lines.sort_unstable();
        let mut text = format!("{HEAD}{}\n", if self.without_libraries { OLDER } else { VERSION });
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Was this very code accepted?
    pub fn accepts(&self, unit: &Unit) -> bool {
        self.units.contains_key(unit)
    }

    /// Was this very library accepted?
    pub fn links(&self, library: &Library) -> bool {
        self.libraries.contains(library)
    }

    /// Versions of a package's code of this kind that were accepted.
    pub fn versions<'l>(&'l self, name: &'l str, kind: ActorKind) -> impl Iterator<Item = &'l str> {
        self.units.keys().filter(move |unit| unit.name == name && unit.kind == kind).map(|unit| unit.version.as_str())
    }

    /// Was such a thing accepted of this package's code?
    pub fn holds(&self, key: &Key, line: &Line) -> bool {
        self.did.get(key).is_some_and(|did| did.contains(line) || line.of_directory().is_some_and(|all| did.contains(&all)))
    }
}

/// What cargo calls no package, version or feature is no word of a line: it is changed, and so is nobody's.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() || c.is_alphanumeric();
    let text: String = text.chars().map(|c| if plain(c) { c } else { '?' }).collect();
    match text.as_str() {
        "" | DID | "-" => format!("?{text}"),
        text if text.starts_with(['#', '<', '>', '=', '|']) || text.starts_with("brig-lock") => format!("?{text}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> &'static str {
        "brig-lock 2\ncc library 1.2.3 aa11\ngiven build-script 0.1.0 00ff ran x86_64-linux more,std\ngiven build-script does exec echo\n\
         given build-script does read {workspace}/a\\x20b\nmade_macro proc-macro 1.2.3 git:abc unseen - -\n\
         ours import 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
    }

    #[test]
    fn what_is_written_is_read_again() {
        let lock = Lock::read(small()).unwrap();
        assert_eq!((lock.units.len(), lock.did.len(), lock.libraries.len()), (2, 1, 1));
        let text = lock.text();
        assert_eq!(text, format!("{HEAD}{}", small()));
        assert_eq!(Lock::read(&text).unwrap(), lock);
        // Another order, twice the same, a comment: the same lock.
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("brig-lock")).collect();
        lines.reverse();
        let mixed = format!("brig-lock 2\n{}\n\n# x\n{}\n", lines.join("\n"), lines.join("\n"));
        assert_eq!(Lock::read(&mixed).unwrap().text(), text);
        assert_eq!(Lock::default().text(), format!("{HEAD}brig-lock 2\n"));
        // One of before stays what it is until something is accepted in it.
        let older = format!("{HEAD}brig-lock 1\na build-script 1.0.0 00 ran x -\n");
        let lock = Lock::read(&older).unwrap();
        assert!(lock.without_libraries && lock.text() == older);
        assert!(!Lock::read("brig-lock 2\n").unwrap().without_libraries);
        assert!(Lock::read("brig-lock 2\nbrig-lock 1\n").unwrap().without_libraries);
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        for (text, line, said) in [
            ("", 1, "`brig-lock 2` is missing: the file is empty or cut off"),
            ("given build-script does exec x\n", 1, "must stand before everything else"),
            ("brig-lock 3\n", 1, "unknown version `3`"),
            ("brig-lock 2\nours import 00ff\n", 2, "an import has the SHA-256 of its file"),
            ("brig-lock 2\ncc library 1.0.0\n", 2, "a library has a version and a checksum"),
            ("brig-lock 2\ncc library does exec x\n", 2, "a library has a version and a checksum"),
            ("brig-lock 2\ncc library does x\n", 2, "`does` is no word of a line"),
            ("brig-lock 1\n<<<<<<< HEAD\n", 2, "a merge stopped here"),
            ("brig-lock 1\n=======\n", 2, "a merge stopped here"),
            ("brig-lock 1\ngiven\n", 2, "too short"),
            ("brig-lock 1\ngiven cook does exec x\n", 2, "unknown kind of actor `cook`"),
            ("brig-lock 1\ngiven build-script does\n", 2, "is nothing that is done"),
            ("brig-lock 1\ngiven build-script 0.1.0 00\n", 2, "too short"),
            ("brig-lock 1\ngiven build-script 0.1.0 00 maybe - -\n", 2, "neither `ran` nor `unseen`"),
            ("brig-lock 1\ngiven build-script 0.1.0 00 ran - - x\n", 2, "belongs to nothing"),
            ("\u{feff}brig-lock 1\n", 1, "must stand before everything else"),
        ] {
            let wrong = Lock::read(text).unwrap_err();
            assert!(wrong.line == line && wrong.message.contains(said), "{text:?}: {wrong:?}");
        }
    }

    #[test]
    fn a_directory_stands_for_what_lies_in_it() {
        let key = ("x".to_owned(), ActorKind::BuildScript);
        let lock = Lock::read("brig-lock 1\nx build-script does read {workspace}/data/*\n").unwrap();
        for (path, expected) in
            [("{workspace}/data/one", true), ("{workspace}/data/sub/one", false), ("{workspace}/datas", false), ("{workspace}", false)]
        {
            assert_eq!(lock.holds(&key, &Line::new("read", &[path.as_bytes()])), expected, "{path}");
        }
        assert!(!lock.holds(&key, &Line::new("write", &[b"{workspace}/data/one"])));
    }
}
