//! The command line of a compiler, read the way cargo writes it. In: arguments. Out: crate root, crate name, where results go.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::source::{clean, read_text};
use crate::judge::Places;

const MAX_RESPONSE_FILE: u64 = 16 << 20;

/// What a compiler was asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// First operand that is Rust source. Cargo puts it before everything that directives and `RUSTFLAGS` add.
    pub root: Option<PathBuf>,
    pub crate_name: Option<String>,
    /// `-C extra-filename`: with the crate name it makes the name of every file this compilation writes.
    pub extra_filename: Option<String>,
    /// Directories results go to, absolute and clean, in the order given.
    pub outputs: Vec<PathBuf>,
    /// The first `--out-dir`, which is cargo's.
    pub out_dir: Option<PathBuf>,
}

/// Options that take their value from the next argument. Those of one letter may also have it attached.
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

impl Invocation {
    /// Reads the arguments behind the program's name. `documents` is true for rustdoc, whose `-o` names a directory.
    pub fn read(arguments: &[OsString], cwd: &Path, documents: bool) -> Self {
        let arguments = with_response_files(arguments, cwd);
        let mut found = Invocation::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let bytes = argument.as_bytes();
            let (option, value) = if bytes.starts_with(b"--") {
                match bytes.iter().position(|&b| b == b'=') {
                    Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
                    None if WITH_VALUE.iter().any(|known| known.as_bytes() == bytes) => (bytes, rest.next().map(|v| v.as_bytes())),
                    None => (bytes, None),
                }
            } else if matches!(bytes, [b'-', b'C' | b'L' | b'l' | b'o' | b'A' | b'W' | b'D' | b'F' | b'Z', ..]) {
                (&bytes[..2], if bytes.len() > 2 { Some(&bytes[2..]) } else { rest.next().map(|v| v.as_bytes()) })
            } else if bytes.starts_with(b"-") {
                (bytes, None)
            } else {
                if found.root.is_none() && bytes.ends_with(b".rs") {
                    found.root = Some(clean(&cwd.join(argument)));
                }
                continue;
            };
            if let Some(value) = value {
                found.option(option, value, cwd, documents);
            }
        }
        found
    }

    fn option(&mut self, option: &[u8], value: &[u8], cwd: &Path, documents: bool) {
        let path = |bytes: &[u8]| clean(&cwd.join(OsStr::from_bytes(bytes)));
        let text = || std::str::from_utf8(value).ok().map(str::to_owned);
        match option {
            b"--crate-name" if self.crate_name.is_none() => self.crate_name = text(),
            b"--out-dir" => {
                self.out_dir.get_or_insert_with(|| path(value));
                self.outputs.push(path(value));
            }
            b"-o" if documents => self.outputs.push(path(value)),
            b"-o" if value != b"-" => self.outputs.extend(path(value).parent().map(Path::to_path_buf)),
            b"-C" | b"--codegen" => {
                if let Some(directory) = value.strip_prefix(b"incremental=") {
                    self.outputs.push(path(directory));
                } else if let Some(suffix) = value.strip_prefix(b"extra-filename=") {
                    self.extra_filename = self.extra_filename.take().or(std::str::from_utf8(suffix).ok().map(str::to_owned));
                }
            }
            b"--emit" => {
                for kind in value.split(|&b| b == b',') {
                    let file = kind.iter().position(|&b| b == b'=').map(|at| &kind[at + 1..]).filter(|file| *file != b"-");
                    self.outputs.extend(file.and_then(|file| path(file).parent().map(Path::to_path_buf)));
                }
            }
            _ => {}
        }
    }

    /// `<crate name><extra filename>`, as in `lib….so` and `….d`.
    pub fn artifact(&self) -> Option<String> {
        Some(format!("{}{}", self.crate_name.as_ref()?, self.extra_filename.as_ref()?))
    }

    /// Outputs that belong to the build: below its directories of results, or below the profile directory that cargo's `--out-dir` lies in
    /// (`cargo install` builds in a temporary one). A repository's `rustflags` may ask for an output anywhere; that is no grant.
    pub fn outputs_within(&self, places: &Places) -> Vec<PathBuf> {
        let out_dir = self.out_dir.as_deref().map(|dir| places.by_real_name(dir));
        let profile = out_dir.as_deref().and_then(profile_directory);
        let ours = |path: &&PathBuf| {
            places.results().any(|tree| path.starts_with(tree)) || profile.is_some_and(|profile| path.starts_with(profile))
        };
        let mut outputs: Vec<PathBuf> = self.outputs.iter().map(|path| places.by_real_name(path)).filter(|path| ours(&path)).collect();
        let mut seen = std::collections::HashSet::new();
        outputs.retain(|path| seen.insert(path.clone()));
        outputs
    }
}

/// `target/debug` of `target/debug/deps`, `target/debug/build/x-0a` and `target/debug/build/x/0a/out`.
fn profile_directory(out_dir: &Path) -> Option<&Path> {
    if out_dir.ends_with("deps") || out_dir.ends_with("examples") {
        return out_dir.parent();
    }
    out_dir.ancestors().take(4).find(|above| above.ends_with("build"))?.parent()
}

/// Cargo moves a command line that is too long into a file, one argument per line, and passes `@file`.
pub fn with_response_files(arguments: &[OsString], cwd: &Path) -> Vec<OsString> {
    let mut all = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let file = argument.as_bytes().strip_prefix(b"@").map(|path| cwd.join(OsStr::from_bytes(path)));
        match file.and_then(|file| read_text(&file, MAX_RESPONSE_FILE)) {
            Some(text) => all.extend(text.lines().map(|line| OsString::from_vec(line.into()))),
            None => all.push(argument.clone()),
        }
    }
    all
}
