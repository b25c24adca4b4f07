//! What a build script told cargo: its standard output, which cargo keeps beside `OUT_DIR`, read the way cargo reads it. In: an `OUT_DIR`.
//! Out: directives.
//!
//! The file is cargo's: a build script may write its `OUT_DIR` and nothing beside it. It is there before anything is started that a
//! directive could reach.

use std::fs::Metadata;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Cargo holds all of it in memory, so it is not endless; what is longer than this nobody looked through. A warning takes as little as any
/// other line, however long it is.
const LONGEST: u64 = 1 << 30;
/// Of one line; of a longer one only that it is a warning, or not.
const LONGEST_LINE: usize = 16 << 20;
/// Of all directives together.
const MOST: usize = 64 << 20;
/// File times are those of the last tick of the kernel's coarse clock (10 ms at most), and may lie before a moment that is past already.
const TICK: Duration = Duration::from_millis(10);
/// Directives that change what other programs are given or how they are linked. Everything else cargo does not know is metadata.
const KEYS: [&str; 12] = [
    "rustc-env",
    "rustc-flags",
    "rustc-link-lib",
    "rustc-link-search",
    "rustc-link-arg",
    "rustc-link-arg-bin",
    "rustc-link-arg-bins",
    "rustc-link-arg-tests",
    "rustc-link-arg-benches",
    "rustc-link-arg-examples",
    "rustc-link-arg-cdylib",
    "rustc-cdylib-link-arg",
];
/// Names a variable whose value cargo keeps.
const KEEPS: &str = "rerun-if-env-changed";
/// Of consequence only where the compiler takes their value for more than a value, see [`Directive::arguments`].
const CONDITIONS: [&str; 2] = ["rustc-cfg", "rustc-check-cfg"];
/// Known to cargo, and of no consequence to other programs.
const HARMLESS: [&str; 2] = ["warning", "rerun-if-changed"];

/// One line of a build script to cargo. Values for dependents (`cargo:root=…`, `cargo::metadata=root=…`) have the key `metadata`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    pub key: &'static str,
    pub value: String,
}

impl Directive {
    /// Name and value of an environment variable for compilers and programs.
    pub fn variable(&self) -> Option<(&str, &str)> {
        if self.key == "rustc-env" { self.value.split_once('=') } else { None }
    }

    /// A variable of whose value cargo's fingerprints hold a copy.
    pub fn keeps(&self) -> Option<&str> {
        (self.key == KEEPS).then_some(&self.value)
    }

    /// A word for the linker's command line.
    pub fn link_arg(&self) -> Option<&str> {
        match self.key {
            "rustc-link-arg-bin" => self.value.split_once('=').map(|(_, argument)| argument),
            key if key.contains("link-arg") => Some(&self.value),
            _ => None,
        }
    }

    /// What becomes a whole argument of compilers. Each follows its option as a word of its own, and the compiler looks for files of further
    /// arguments among all words, before it knows which is an option's value.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        let (whole, flags) = match self.key {
            "rustc-cfg" | "rustc-check-cfg" | "rustc-link-lib" | "rustc-link-search" => (Some(self.value.as_str()), ""),
            "rustc-flags" => (None, self.value.as_str()),
            _ => (None, ""),
        };
        // `-l x`, `-lx`: cargo splits at blanks and takes the letters off (`parse_rustc_flags`).
        let flags = flags.split_whitespace().map(|word| word.strip_prefix("-l").or(word.strip_prefix("-L")).unwrap_or(word));
        whole.into_iter().chain(flags.filter(|word| !word.is_empty()))
    }

    /// Where libraries are looked for, as the compiler is told.
    pub fn searches(&self) -> impl Iterator<Item = &str> {
        let whole = (self.key == "rustc-link-search").then_some(self.value.as_str());
        let flags = if self.key == "rustc-flags" { self.value.as_str() } else { "" };
        let mut words = flags.split_whitespace();
        let of_flags = std::iter::from_fn(move || {
            loop {
                match words.next()?.strip_prefix("-L") {
                    Some("") => return words.next(),
                    Some(path) => return Some(path),
                    None => {}
                }
            }
        });
        whole.into_iter().chain(of_flags)
    }

    /// The directories of these, without the kind that may stand before one (`native=`).
    pub fn searched(&self) -> impl Iterator<Item = &str> {
        let kinds = ["native", "dependency", "crate", "framework", "all"];
        self.searches().map(move |dir| dir.split_once('=').filter(|(kind, _)| kinds.contains(kind)).map_or(dir, |(_, dir)| dir))
    }

    /// What may be shown of it: of a variable, and of what is handed to dependents, only the name.
    pub fn shown(&self) -> &str {
        match self.key {
            "rustc-env" | "metadata" => self.value.split_once('=').map_or(self.value.as_str(), |(name, _)| name),
            _ => &self.value,
        }
    }
}

/// Where cargo keeps it, in the layout it has had for years and in the one that is to come (`-Zbuild-dir-new-layout`).
pub fn kept(out: &Path) -> [PathBuf; 2] {
    let unit = out.parent().unwrap_or(out);
    [unit.join("output"), unit.join("run/stdout")]
}

/// Removes the halves of a script's fingerprints that hold values of variables; cargo calls a unit's directory alike in both places.
///
/// # Errors
/// When one is there and cannot be removed.
pub fn drop_values(out: &Path) -> io::Result<()> {
    let Some(unit) = out.parent() else { return Ok(()) };
    let profile = unit.parent().and_then(Path::parent);
    let beside = profile.zip(unit.file_name()).map(|(profile, name)| profile.join(".fingerprint").join(name));
    for directory in beside.into_iter().chain([unit.join("fingerprint")]) {
        // An actor can make no link here; should one be here all the same, it is not followed.
        if !directory.symlink_metadata().is_ok_and(|there| there.is_dir()) {
            continue;
        }
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                std::fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Of which run words are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// Whichever came last.
    AnyBuild,
    /// The one that began then. Cargo may be writing at this moment.
    Running(SystemTime),
    /// The same, and cargo has ended.
    Ended(SystemTime),
}

/// Everything told by the script that has this `OUT_DIR`; `None` while there is nothing of that run.
///
/// # Errors
/// When it is there and cannot be read, or is too long.
pub fn told(out: &Path, of: Of) -> io::Result<Option<Vec<Directive>>> {
    for path in kept(out) {
        let file = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&path);
        let file = match file {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        // An earlier run's words stay until this one's replace them. Cargo sets their `mtime` back; a `ctime` nobody can set. It writes
        // `root-output` when all words are written.
        let fresh = |facts: &Metadata, since| changed(facts) + TICK >= since;
        let complete = match of {
            Of::AnyBuild => true,
            Of::Running(since) => fresh(&facts, since) && roots(&path).metadata().is_ok_and(|roots| fresh(&roots, since)),
            Of::Ended(since) => fresh(&facts, since),
        };
        if !complete {
            continue;
        }
        if facts.len() > LONGEST {
            return Err(io::Error::other("too long"));
        }
        let moved = if matches!(of, Of::AnyBuild) { moved(&path, out) } else { None };
        return read(BufReader::new(file.take(LONGEST)), moved.as_ref().map(|(before, now)| (before.as_str(), now.as_str()))).map(Some);
    }
    Ok(None)
}

fn changed(facts: &Metadata) -> SystemTime {
    let (seconds, nanos) = (facts.ctime().max(0) as u64, facts.ctime_nsec().clamp(0, 999_999_999) as u32);
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos)
}

/// Where cargo keeps which `OUT_DIR` the words were about.
fn roots(kept: &Path) -> PathBuf {
    kept.with_file_name("root-output")
}

/// When a target directory was moved, cargo replaces the old `OUT_DIR` in what it kept by the new one.
fn moved(kept: &Path, out: &Path) -> Option<(String, String)> {
    let before = super::source::read_text(&roots(kept), 64 << 10)?;
    let now = out.to_str()?;
    (!before.is_empty() && before != now).then(|| (before, now.to_owned()))
}

pub(crate) fn read(mut lines: impl BufRead, moved: Option<(&str, &str)>) -> io::Result<Vec<Directive>> {
    let (mut found, mut line, mut held) = (Vec::new(), Vec::new(), 0);
    while let Some(whole) = next_line(&mut lines, &mut line)? {
        if !whole && !is_harmless(&line) {
            return Err(io::Error::other(format!("a line of more than {} MiB", LONGEST_LINE >> 20)));
        }
        if !whole {
            line.clear();
            continue;
        }
        // What is no text, cargo passes over.
        if let Some(mut directive) = std::str::from_utf8(&line).ok().and_then(directive) {
            if let Some((before, now)) = moved {
                directive.value = directive.value.replace(before, now);
            }
            held += directive.value.len();
            if held > MOST {
                return Err(io::Error::other(format!("directives of more than {} MiB", MOST >> 20)));
            }
            found.push(directive);
        }
        line.clear();
    }
    Ok(found)
}

/// The next line, with as much of it as fits; and whether that is all. What is longer is passed over piece by piece.
fn next_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    let (mut whole, mut any) = (true, false);
    loop {
        let piece = lines.fill_buf()?;
        if piece.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = piece.iter().position(|b| *b == b'\n').map(|at| at + 1);
        let taken = end.unwrap_or(piece.len());
        let room = LONGEST_LINE - line.len();
        line.extend_from_slice(&piece[..taken.min(room)]);
        whole &= taken <= room;
        lines.consume(taken);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

/// By its beginning: nothing to cargo, or something that reaches no other program.
fn is_harmless(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let Some(text) = line.strip_prefix(b"cargo::").or_else(|| line.strip_prefix(b"cargo:")) else {
        // Of a line of blanks nobody knows what comes.
        return !line.is_empty();
    };
    HARMLESS.iter().any(|key| text.strip_prefix(key.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")))
}

/// `cargo::key=value` or `cargo:key=value`.
fn directive(line: &str) -> Option<Directive> {
    let line = line.trim();
    let (text, newer) = match line.strip_prefix("cargo::") {
        Some(text) => (text, true),
        None => (line.strip_prefix("cargo:")?, false),
    };
    let (key, value) = text.split_once('=')?;
    if let Some(key) = KEYS.iter().find(|known| **known == key) {
        return Some(Directive { key, value: value.to_owned() });
    }
    if key == KEEPS {
        return Some(Directive { key: KEEPS, value: value.to_owned() });
    }
    if let Some(key) = CONDITIONS.iter().find(|known| **known == key) {
        return super::invocation::is_argument_file(value.as_bytes()).then(|| Directive { key, value: value.to_owned() });
    }
    match (newer, key) {
        (true, "metadata") => Some(Directive { key: "metadata", value: value.to_owned() }),
        (false, key) if !HARMLESS.contains(&key) => Some(Directive { key: "metadata", value: text.to_owned() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(output: &[u8]) -> Vec<String> {
        let found = read(output, Some(("/old/out", "/new/out"))).unwrap();
        found.iter().map(|directive| format!("{} {}", directive.key, directive.value)).collect()
    }

    /// Each line was given to cargo 1.95, which took the directives that are expected here and no others.
    #[test]
    fn lines_are_read_as_cargo_reads_them() {
        let output = b"hello\n  cargo:rustc-env=A=b  \ncargo::rustc-env=C=d=e\ncargo:rustc-link-arg-bin=app=-B/old/out\ncargo::metadata=root=/x\n\
            cargo:root=/y\ncargo:warning=w\ncargo::rerun-if-changed=x\ncargo::unknown=x\nx cargo:rustc-env=N=o\n\xff cargo:rustc-env=N=o\ncargo:rustc-cfg=x\n\
            cargo::rustc-flags=-l x\ncargo:rustc-cfg=@x\ncargo::rustc-check-cfg=@y";
        let expected = [
            "rustc-env A=b",
            "rustc-env C=d=e",
            "rustc-link-arg-bin app=-B/new/out",
            "metadata root=/x",
            "metadata root=/y",
            "rustc-flags -l x",
            "rustc-cfg @x",
            "rustc-check-cfg @y",
        ];
        assert_eq!(texts(output), expected);
    }

    #[test]
    fn long_lines_take_little() {
        let long = |start: &str| [start.as_bytes(), &vec![b'x'; LONGEST_LINE + 1], b"\ncargo:rustc-env=A=b\n"].concat();
        for harmless in ["cargo::warning=", "cargo:rerun-if-changed=", "  cargo:warning=", "said "] {
            assert_eq!(texts(&long(harmless)), ["rustc-env A=b"], "{harmless}");
        }
        for steering in ["cargo::rustc-env=A=", "cargo:rustc-link-arg=", "cargo:key="] {
            assert!(read(&long(steering)[..], None).is_err(), "{steering}");
        }
        let blanks = [&vec![b' '; LONGEST_LINE][..], b"cargo:rustc-env=A=b\n"].concat();
        assert!(read(&blanks[..], None).is_err());
    }

    #[test]
    fn values_of_variables_are_not_shown() {
        let directive = |text| directive(text).unwrap();
        assert_eq!(directive("cargo:rustc-env=A=b").shown(), "A");
        assert_eq!(directive("cargo::rerun-if-env-changed=A").keeps(), Some("A"));
        assert_eq!(directive("cargo:rustc-env=A=b").keeps(), None);
        assert_eq!(directive("cargo:key=secret").shown(), "key");
        assert_eq!(directive("cargo:rustc-link-arg-bin=app=-Tx").link_arg(), Some("-Tx"));
        assert_eq!(directive("cargo:rustc-cdylib-link-arg=-Tx").link_arg(), Some("-Tx"));
        assert_eq!(directive("cargo:rustc-link-lib=x").link_arg(), None);
    }

    #[test]
    fn directories_that_are_searched() {
        let searched = |text| directive(text).unwrap().searched().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(searched("cargo:rustc-link-search=native=/o/lib"), ["/o/lib"]);
        assert_eq!(searched("cargo::rustc-link-search=/o=p"), ["/o=p"]);
        assert_eq!(searched("cargo:rustc-flags=-l x -L native=/a -L/b"), ["/a", "/b"]);
        assert!(searched("cargo:rustc-link-lib=x").is_empty());
    }

    #[test]
    fn only_words_of_this_run_count() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        std::fs::create_dir(&out).unwrap();
        assert_eq!(told(&out, Of::AnyBuild).unwrap(), None);
        std::fs::write(dir.path().join("output"), "cargo:rustc-env=A=b\n").unwrap();
        let (before, later) = (SystemTime::now() - Duration::from_secs(5), SystemTime::now() + Duration::from_secs(5));
        let count = |of| told(&out, of).unwrap().map(|told| told.len());
        assert_eq!((count(Of::Ended(before)), count(Of::Ended(later)), count(Of::AnyBuild)), (Some(1), None, Some(1)));
        // Cargo may still be writing.
        assert_eq!(count(Of::Running(before)), None);
        std::fs::write(dir.path().join("root-output"), "/elsewhere/out").unwrap();
        assert_eq!((count(Of::Running(before)), count(Of::Running(later))), (Some(1), None));
        std::fs::remove_file(dir.path().join("output")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("output")).unwrap();
        assert!(told(&out, Of::AnyBuild).is_err());
    }
}
