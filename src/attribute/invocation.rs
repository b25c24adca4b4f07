//! The command line of a compiler, read option by option as rustc reads it, and no further than cargo's own words go. In: arguments. Out:
//! crate root, crate name, where results go, what chooses a linker; and what somebody else has asked for besides.
//!
//! Cargo writes its words first; what directives, `[lints]` and `RUSTFLAGS` add comes behind them. So the first `--out-dir` is cargo's, and
//! so is the first incremental directory if it lies where cargo keeps it. Any other place for an output is somebody's wish.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::source::clean;
use crate::judge::Places;

const MAX_ARGUMENT_FILE: u64 = 16 << 20;

/// What a compiler was asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// First operand. Cargo puts it before everything that directives and `RUSTFLAGS` add.
    pub root: Option<PathBuf>,
    pub crate_name: Option<String>,
    /// The first `-C extra-filename`: with the crate name it makes the name of every file this compilation writes.
    pub extra_filename: Option<String>,
    /// The first `--out-dir` (of rustdoc `-o`), which is cargo's; absolute and clean, as all paths here.
    pub out_dir: Option<PathBuf>,
    /// The first `-C incremental`.
    pub incremental: Option<PathBuf>,
    /// Files that were asked for by name, and the word that did so, or, where an option stands by itself, its value: `--emit=asm=x.s`, `x`.
    pub wishes: Vec<(OsString, PathBuf)>,
    /// The last `-C linker`, which counts.
    pub linker: Option<PathBuf>,
    /// `-C link-arg` and `-C link-args`, in order.
    pub link_args: Vec<OsString>,
    /// `-L`, in order: where libraries are looked for.
    pub searches: Vec<OsString>,
    /// `@file`, wherever it stands: the compiler takes further arguments from there, which are not read here.
    pub argument_files: Vec<OsString>,
    /// `--test`: of rustdoc, that doctests are built and run.
    pub tests: bool,
}

/// Options that take their value from the next argument.
const WITH_VALUE: [&str; 36] = [
    "--cfg",
    "--check-cfg",
    "--crate-name",
    "--crate-type",
    "--crate-version",
    "--edition",
    "--emit",
    "--print",
    "--target",
    "--allow",
    "--warn",
    "--force-warn",
    "--deny",
    "--forbid",
    "--cap-lints",
    "--codegen",
    "--extern",
    "--sysroot",
    "--error-format",
    "--json",
    "--color",
    "--diagnostic-width",
    "--remap-path-prefix",
    "--env-set",
    "--out-dir",
    "--test-run-directory",
    "--test-args",
    "--document-private-items-from",
    "--html-in-header",
    "--extern-html-root-url",
    "--default-theme",
    "--playground-url",
    "--test-builder",
    "--test-runtool",
    "--persist-doctests",
    "--runtool",
];
/// Letters that take what follows them, or else the next argument.
const LETTERS: &[u8] = b"CLloAWDFZ";

impl Invocation {
    /// Reads the arguments behind the program's name. `documents` is true for rustdoc, whose `-o` names a directory.
    pub fn read(arguments: &[OsString], cwd: &Path, documents: bool) -> Self {
        let mut found = Invocation::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let bytes = argument.as_bytes();
            let mut next = || {
                let value = rest.next().map(|value| value.as_bytes());
                found.argument_files.extend(value.filter(|value| is_argument_file(value)).map(|value| OsStr::from_bytes(value).to_owned()));
                value
            };
            let (option, value) = if is_argument_file(bytes) {
                found.argument_files.push(argument.clone());
                continue;
            } else if bytes.starts_with(b"--") {
                match bytes.iter().position(|&b| b == b'=') {
                    Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
                    None if bytes == b"--test" => {
                        found.tests = true;
                        continue;
                    }
                    None if WITH_VALUE.iter().any(|known| known.as_bytes() == bytes) => (bytes, next()),
                    None => (bytes, None),
                }
            } else if let (Some(letters), true) = (bytes.strip_prefix(b"-"), bytes.len() > 1) {
                // Flags may stand together in front: `-gC linker=x`.
                let Some(at) = letters.iter().position(|letter| LETTERS.contains(letter)) else { continue };
                (&letters[at..=at], if letters.len() > at + 1 { Some(&letters[at + 1..]) } else { next() })
            } else {
                if found.root.is_none() && bytes != b"-" {
                    found.root = Some(clean(&cwd.join(argument)));
                }
                continue;
            };
            if let Some(value) = value {
                let word = if argument.as_bytes().len() > option.len() + 1 { argument } else { OsStr::from_bytes(value) };
                found.option(option, value, word, cwd, documents);
            }
        }
        found
    }

    fn option(&mut self, option: &[u8], value: &[u8], word: &OsStr, cwd: &Path, documents: bool) {
        let path = |bytes: &[u8]| clean(&cwd.join(OsStr::from_bytes(bytes)));
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        match option {
            b"--crate-name" if self.crate_name.is_none() => self.crate_name = text(value),
            b"--out-dir" if self.out_dir.is_none() => self.out_dir = Some(path(value)),
            b"o" if documents && self.out_dir.is_none() => self.out_dir = Some(path(value)),
            b"o" | b"--out-dir" if value != b"-" => self.wishes.push((word.to_owned(), path(value))),
            b"L" => self.searches.push(OsStr::from_bytes(value).to_owned()),
            b"C" | b"--codegen" => {
                let (name, value) = value.split_at(value.iter().position(|&b| b == b'=').unwrap_or(value.len()));
                let value = value.strip_prefix(b"=").unwrap_or_default();
                // rustc takes either sign between the words of a name (`build_options`, rustc_session).
                let name: Vec<u8> = name.iter().map(|&b| if b == b'_' { b'-' } else { b }).collect();
                match &name[..] {
                    b"incremental" if self.incremental.is_none() => self.incremental = Some(path(value)),
                    b"extra-filename" if self.extra_filename.is_none() => self.extra_filename = text(value),
                    b"linker" => self.linker = Some(OsStr::from_bytes(value).into()),
                    b"link-arg" | b"link-args" => {
                        // Several in one word (`parse_list`, rustc_session).
                        let words = value.split(|b| name.ends_with(b"s") && b.is_ascii_whitespace()).filter(|word| !word.is_empty());
                        for argument in words {
                            self.link_args.push(OsStr::from_bytes(argument).to_owned());
                            self.wishes.extend(maps(argument).map(|map| (word.to_owned(), path(&map))));
                        }
                    }
                    _ => {}
                }
            }
            b"--emit" => {
                for kind in value.split(|&b| b == b',') {
                    let file = kind.iter().position(|&b| b == b'=').map(|at| &kind[at + 1..]).filter(|file| *file != b"-");
                    self.wishes.extend(file.map(|file| (word.to_owned(), path(file))));
                }
            }
            _ => {}
        }
    }

    /// `<crate name><extra filename>`, as in `lib….so` and `….d`.
    pub fn artifact(&self) -> Option<String> {
        Some(format!("{}{}", self.crate_name.as_ref()?, self.extra_filename.as_ref()?))
    }

    /// Where this compiler may leave results: cargo's directories, as far as they belong to the build — below its directories of results,
    /// or the profile directory that cargo's `--out-dir` lies in (`cargo install` builds in a temporary one) — and there the files, each by
    /// itself, that the user asked for by name. What `is_users` does not know, nobody is granted.
    pub fn outputs_within(&self, places: &Places, is_users: impl Fn(&OsStr) -> bool) -> Vec<PathBuf> {
        let out_dir = self.out_dir.as_deref().map(|dir| places.by_real_name(dir));
        let profile = out_dir.as_deref().and_then(profile_directory);
        let ours = |path: &PathBuf| {
            places.results().any(|tree| path.starts_with(tree)) || profile.is_some_and(|profile| path.starts_with(profile))
        };
        let incremental = self.incremental.as_deref().map(|dir| places.by_real_name(dir));
        let incremental = incremental.filter(|dir| profile.is_some_and(|profile| *dir == profile.join("incremental")));
        let wishes = self.wishes.iter().filter(|(word, _)| is_users(word)).map(|(_, file)| places.by_real_name(file));
        // A link there would be a grant of what it leads to, and an existing directory one of all that is in it.
        let wishes = wishes.filter(|file| file.symlink_metadata().map_or(true, |there| there.is_file()));
        let mut outputs: Vec<PathBuf> = out_dir.clone().into_iter().chain(incremental).chain(wishes).filter(ours).collect();
        let mut seen = std::collections::HashSet::new();
        outputs.retain(|path| seen.insert(path.clone()));
        outputs
    }
}

/// The file of a linker's map, and what lld draws beside it to write first: `-Wl,-Map=x`, `-Wl,-Map,x`, and `-Map=x` where no compiler is in between.
fn maps(argument: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut words = argument.strip_prefix(b"-Wl,").unwrap_or(argument).split(|&b| b == b',');
    let mut file = None;
    while let (None, Some(word)) = (file, words.next()) {
        let rest = word.strip_prefix(b"--Map").or_else(|| word.strip_prefix(b"-Map"));
        file = rest.and_then(|rest| if rest.is_empty() { words.next() } else { rest.strip_prefix(b"=") });
    }
    let file = file.filter(|file| !file.is_empty());
    file.into_iter().flat_map(|file| [file.to_vec(), [file, b".tmp*"].concat()])
}

/// `target/debug` of `target/debug/deps`, `target/debug/build/x-0a` and `target/debug/build/x/0a/out`.
fn profile_directory(out_dir: &Path) -> Option<&Path> {
    if out_dir.ends_with("deps") || out_dir.ends_with("examples") {
        return out_dir.parent();
    }
    out_dir.ancestors().take(4).find(|above| above.ends_with("build"))?.parent()
}

/// rustc takes every argument of this kind for the name of a file with arguments, one a line, before it looks at any option
/// (`arg_expand_all`, rustc_driver); in such a file the sign means nothing.
pub fn is_argument_file(word: &[u8]) -> bool {
    word.starts_with(b"@")
}

/// The arguments that are meant. Where the kernel finds a command line too long, cargo puts all of it behind the program's name (and that of
/// a wrapped compiler) into a file in its own temporary directory, one argument a line (`build_command_with_argfile`, cargo-util). No actor
/// may write there; any other file is somebody else's and means what it says to the compiler alone.
pub fn written_by_cargo<'a>(arguments: &'a [OsString], places: &Places) -> Cow<'a, [OsString]> {
    let [only] = arguments else { return Cow::Borrowed(arguments) };
    let Some(file) = only.as_bytes().strip_prefix(b"@").map(|path| Path::new(OsStr::from_bytes(path))) else {
        return Cow::Borrowed(arguments);
    };
    let named = file.file_name().is_some_and(|name| name.as_bytes().starts_with(b"cargo-argfile."));
    if !named || file.parent() != Some(&places.cargos_tmp()) {
        return Cow::Borrowed(arguments);
    }
    match lines(file) {
        Some(lines) => Cow::Owned(lines),
        None => Cow::Borrowed(arguments),
    }
}

fn lines(file: &Path) -> Option<Vec<OsString>> {
    let file = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(file).ok()?;
    let facts = file.metadata().ok().filter(|facts| facts.is_file() && facts.len() <= MAX_ARGUMENT_FILE)?;
    let mut text = Vec::with_capacity(facts.len() as usize);
    file.take(MAX_ARGUMENT_FILE).read_to_end(&mut text).ok()?;
    let text = text.strip_suffix(b"\n").unwrap_or(&text);
    Some(text.split(|&b| b == b'\n').map(|line| OsString::from_vec(line.to_vec())).collect())
}

#[cfg(test)]
#[path = "invocation_tests.rs"]
mod tests;
