//! Paths as the report shows them: `{workspace}/.env` instead of an absolute path, so that reports of two machines, and of two runs,
//! compare. In: the directories this run is about. Out: acts and arguments with placeholders.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::steady::{self, steady};
use crate::model::{Act, Endpoint, Hostile};

/// Directories with their placeholders, longest first.
#[derive(Clone, Debug, Default)]
pub struct Places {
    named: Vec<(Vec<u8>, &'static str)>,
}

impl Places {
    /// Real, absolute directories and their placeholders (`{workspace}` …). Where two are the same directory the first one wins.
    pub fn new(pairs: impl IntoIterator<Item = (PathBuf, &'static str)>) -> Self {
        let mut places = Places::default();
        for (path, name) in pairs {
            places.add(&path, name);
        }
        places
    }

    /// The same places, and one more that takes precedence over an equal one: an actor's own `{out}` or `{tmp}`.
    pub fn with(&self, path: &Path, name: &'static str) -> Self {
        let mut places = self.clone();
        places.named.retain(|(known, _)| known != path.as_os_str().as_bytes());
        places.add(path, name);
        places
    }

    fn add(&mut self, path: &Path, name: &'static str) {
        let bytes = path.as_os_str().as_bytes();
        // A place at the root (a container with HOME=/) would swallow every path.
        if path.is_absolute() && path.parent().is_some() && !self.named.iter().any(|(known, _)| known == bytes) {
            self.named.push((bytes.to_vec(), name));
            self.named.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        }
    }

    /// A whole path.
    pub fn path(&self, path: &Hostile) -> Hostile {
        let bytes = path.as_bytes();
        if bytes.first() == Some(&b'{') {
            // A relative text (the target of a symlink) that dresses up as one of our placeholders.
            return Hostile::new([b"./", bytes].concat());
        }
        match self.prefix(bytes, |next| next == b'/') {
            Some((length, name)) => Hostile::new(steady([name.as_bytes(), &bytes[length..]].concat())),
            None => Hostile::new(without_pid(bytes)),
        }
    }

    /// A command-line word in which paths may stand after a flag (`-L/…`), an equals sign or a colon.
    pub fn text(&self, text: &Hostile) -> Hostile {
        let bytes = text.as_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let (mut at, mut segment) = (0, 0);
        while at < bytes.len() {
            let byte = bytes[at];
            let lead = &bytes[segment..at];
            let begins_path = byte == b'/' && (lead.is_empty() || (lead[0] == b'-' && !lead.contains(&b'/')));
            if begins_path && let Some((length, name)) = self.prefix(&bytes[at..], ends_in_text) {
                out.extend_from_slice(name.as_bytes());
                at += length;
                continue;
            }
            if b"=:,;@ \t\n'\"()<>".contains(&byte) {
                segment = at + 1;
            }
            out.push(byte);
            at += 1;
        }
        Hostile::new(steady(out))
    }

    pub fn act(&self, act: &Act) -> Act {
        let path = |p: &Hostile| self.path(p);
        match act {
            Act::Read { path: p } => Act::Read { path: path(p) },
            Act::Write { path: p } => Act::Write { path: path(p) },
            Act::Create { path: p } => Act::Create { path: path(p) },
            Act::Remove { path: p } => Act::Remove { path: path(p) },
            Act::Rename { from, to } => Act::Rename { from: path(from), to: path(to) },
            Act::Link { from, to } => Act::Link { from: path(from), to: path(to) },
            Act::Symlink { target, path: p } => Act::Symlink { target: path(target), path: path(p) },
            Act::Metadata { call, path: p } => Act::Metadata { call: call.clone(), path: path(p) },
            Act::Exec { path: p, argv } => Act::Exec { path: path(p), argv: self.argv(argv) },
            Act::Connect { to } => Act::Connect { to: self.endpoint(to) },
            Act::Send { to } => Act::Send { to: self.endpoint(to) },
            Act::Bind { to } => Act::Bind { to: self.endpoint(to) },
            Act::Lookup { name, via } => Act::Lookup { name: name.clone(), via: self.endpoint(via) },
            Act::Signal { signal, to } => Act::Signal { signal: signal.clone(), to: path(to) },
            Act::Survive { exe } => Act::Survive { exe: path(exe) },
            Act::Tell { directive, value } => Act::Tell { directive: directive.clone(), value: self.word(value) },
            Act::Linger { exe } => Act::Linger { exe: path(exe) },
            Act::Socket { .. } | Act::Tamper { .. } | Act::Withhold { .. } => act.clone(),
        }
    }

    /// Credentials out, placeholders in; a linker's thousand words are cut with a count.
    pub fn argv(&self, argv: &[Hostile]) -> Vec<Hostile> {
        const LONGEST: usize = 64;
        let mut words: Vec<Hostile> = Vec::new();
        let mut told = 0;
        for word in super::redact::words(argv) {
            let word = self.text(&word);
            // The units of a crate, one after the other, are one word.
            let again = steady::is_unit(word.as_bytes()) && words.last() == Some(&word);
            if !again && words.len() == LONGEST {
                break;
            }
            told += 1;
            words.extend((!again).then_some(word));
        }
        if argv.len() > told && argv.last().is_none_or(|word| !word.as_bytes().starts_with("… ".as_bytes())) {
            words.push(Hostile::from(format!("… {} more", argv.len() - told).as_str()));
        }
        words
    }

    /// One word of a command line.
    fn word(&self, word: &Hostile) -> Hostile {
        let redacted = super::redact::argv(std::slice::from_ref(word));
        self.text(redacted.first().unwrap_or(word))
    }

    fn endpoint(&self, to: &Endpoint) -> Endpoint {
        match to {
            Endpoint::UnixPath { path } => Endpoint::UnixPath { path: self.path(path) },
            other => other.clone(),
        }
    }

    /// The longest place that is `bytes` or is followed by a byte that ends a component.
    fn prefix(&self, bytes: &[u8], ends: fn(u8) -> bool) -> Option<(usize, &'static str)> {
        self.named.iter().find_map(|(place, name)| {
            let rest = bytes.strip_prefix(place.as_slice())?;
            rest.first().is_none_or(|next| ends(*next)).then_some((place.len(), *name))
        })
    }
}

/// In a command line a path also ends at whatever is unlikely in a file's name.
fn ends_in_text(next: u8) -> bool {
    !(next.is_ascii_alphanumeric() || b"_-.+~%{}".contains(&next) || next >= 0x80)
}

/// `/proc/4711/environ` → `/proc/{pid}/environ`: pids differ from run to run.
fn without_pid(bytes: &[u8]) -> Vec<u8> {
    let Some(rest) = bytes.strip_prefix(b"/proc/") else { return bytes.to_vec() };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match rest.get(digits) {
        None | Some(b'/') if digits > 0 => [b"/proc/{pid}", &rest[digits..]].concat(),
        _ => bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        let pairs = [
            ("/home/u", "{home}"),
            ("/home/u/.cargo", "{cargo-home}"),
            ("/home/u/app", "{workspace}"),
            ("/home/u/app/target", "{target}"),
            ("/tmp/brig-1", "{tmp}"),
            ("/", "{root}"),
        ];
        Places::new(pairs.map(|(path, name)| (PathBuf::from(path), name)))
    }

    #[test]
    fn longest_place_on_component_boundaries() {
        let out = places().with(Path::new("/home/u/app/target/debug/build/x-1f/out"), "{out}");
        let table = [
            ("/home/u/app/.env", "{workspace}/.env"),
            ("/home/u/app", "{workspace}"),
            ("/home/u/application/x", "{home}/application/x"),
            ("/home/u2/x", "/home/u2/x"),
            ("/home/u/app/target/debug/build/x-1f/out/gen.rs", "{out}/gen.rs"),
            ("/home/u/app/target/debug/deps/libx-0a1b.so", "{target}/debug/deps/libx-0a1b.so"),
            ("/home/u/app/target/debug/deps/rmetaAb12Cd/full.rmeta", "{target}/debug/deps/rmeta*/full.rmeta"),
            ("/home/u/app/target/debug/incremental/app-1/s-h1-0x-working/dep", "{target}/debug/incremental/app-1/s-*/dep"),
            ("/tmp/brig-1/ccXYZ123.s", "{tmp}/cc*.s"),
            ("/home/u/app/target/debug/deps/app-1f.tmp4822472", "{target}/debug/deps/app-1f.tmp*"),
            ("/home/u/app/src/app.tmp4822472", "{workspace}/src/app.tmp4822472"),
            ("/home/u/.cargo/credentials.toml", "{cargo-home}/credentials.toml"),
            ("/etc/passwd", "/etc/passwd"),
            ("/proc/4711/environ", "/proc/{pid}/environ"),
            ("/proc/sys/vm", "/proc/sys/vm"),
            ("{home}/spoofed", "./{home}/spoofed"),
        ];
        for (given, expected) in table {
            assert_eq!(out.path(&Hostile::from(given)), Hostile::from(expected), "{given}");
        }
    }

    #[test]
    fn paths_inside_arguments() {
        let table = [
            ("-L/home/u/app/target/debug", "-L{target}/debug"),
            ("x=/home/u/app/target/libx.rlib", "x={target}/libx.rlib"),
            ("/mnt/home/u/app", "/mnt/home/u/app"),
            ("cat '/home/u/app/.env' >/tmp/brig-1/o", "cat '{workspace}/.env' >{tmp}/o"),
            ("--remap-path-prefix=/home/u/app=/x", "--remap-path-prefix={workspace}=/x"),
        ];
        for (given, expected) in table {
            assert_eq!(places().text(&Hostile::from(given)), Hostile::from(expected), "{given}");
        }
    }
}
