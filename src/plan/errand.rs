//! What the user sent cargo to do, as far as it decides what cargo writes. In: cargo's arguments as typed. Out: an [`Errand`].

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A subcommand by the name the profiles have for it, and where it was told to leave what it makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errand {
    /// Empty where nothing was typed.
    pub name: String,
    /// `--root` of `cargo install`.
    pub root: Option<PathBuf>,
    /// `--path` of `cargo add` and `cargo install`: the user's own word for a package.
    pub path: Option<PathBuf>,
    /// The first word behind the subcommand: what `cargo new` makes.
    pub operand: Option<PathBuf>,
    /// `--out-dir`, `--artifact-dir`, `--output-path`: a directory or file outside the target directory.
    pub outputs: Vec<PathBuf>,
    /// `--locked` or `--frozen`: the lock file stays as it is.
    pub locked: bool,
}

/// Cargo's own short names.
const SHORT: [(&str, &str); 7] =
    [("b", "build"), ("c", "check"), ("d", "doc"), ("r", "run"), ("t", "test"), ("rm", "remove"), ("i", "install")];
/// Options of subcommands above that are followed by a value of their own.
const VALUED: [&str; 27] = [
    "--manifest-path",
    "--config",
    "--target-dir",
    "--target",
    "--package",
    "-p",
    "--features",
    "-F",
    "--jobs",
    "-j",
    "--profile",
    "--color",
    "-Z",
    "-C",
    "--git",
    "--branch",
    "--tag",
    "--rev",
    "--version",
    "--registry",
    "--index",
    "--vcs",
    "--edition",
    "--name",
    "--sync",
    "-s",
    "--lockfile-path",
];
const OUTPUTS: [&str; 4] = ["--out-dir", "--artifact-dir", "--output-path", "--output-dir"];
/// What looks at no source of the workspace, so that it need not know which ones git has.
const NO_GIT: [&str; 5] = ["fetch", "update", "generate-lockfile", "vendor", "tree"];
/// What neither builds nor resolves anything, or leaves the lock file to a wider grant.
const LOCKLESS: [&str; 23] = [
    "",
    "new",
    "init",
    "clean",
    "login",
    "logout",
    "owner",
    "yank",
    "search",
    "help",
    "version",
    "locate-project",
    "config",
    "read-manifest",
    "verify-project",
    "info",
    "fmt",
    "add",
    "remove",
    "update",
    "generate-lockfile",
    "install",
    "uninstall",
];

impl Errand {
    /// Does it put the sources into an archive? What git has of them goes along, a test's certificates and keys too.
    pub fn packs(&self) -> bool {
        self.name == "package" || self.name == "publish"
    }

    /// Is the lock file what it is about?
    pub fn resolves(&self) -> bool {
        self.name == "update" || self.name == "generate-lockfile"
    }

    /// May it be about files that git knows? What only resolves and fetches is not.
    pub fn looks_into_git(&self) -> bool {
        !NO_GIT.contains(&self.name.as_str())
    }

    pub fn read(args: &[OsString]) -> Errand {
        let mut found = Errand::default();
        let mut fixes = false;
        let mut words = args.iter().take_while(|word| *word != "--").peekable();
        while let Some(word) = words.next() {
            let bytes = word.as_bytes();
            let (name, inline) = match bytes.iter().position(|byte| *byte == b'=').filter(|_| bytes.starts_with(b"--")) {
                Some(at) => (&bytes[..at], Some(PathBuf::from(OsStr::from_bytes(&bytes[at + 1..])))),
                None => (bytes, None),
            };
            let is = |known: &&str| known.as_bytes() == name;
            if name == b"--path" {
                found.path = inline.or_else(|| words.next().map(PathBuf::from));
            } else if name == b"--root" || OUTPUTS.iter().any(is) {
                let value = inline.or_else(|| words.next().map(PathBuf::from));
                if name == b"--root" { found.root = value } else { found.outputs.extend(value) }
            } else if VALUED.iter().any(is) {
                drop(inline.or_else(|| words.next().map(PathBuf::from)));
            } else if name == b"--fix" {
                fixes = true;
            } else if name == b"--locked" || name == b"--frozen" {
                found.locked = true;
            } else if name.starts_with(b"-") || name.starts_with(b"+") {
            } else if found.name.is_empty() {
                let typed = word.to_string_lossy();
                found.name = SHORT.iter().find(|(short, _)| *short == typed).map_or(&*typed, |(_, long)| long).to_owned();
            } else if found.operand.is_none() {
                found.operand = Some(word.into());
            }
        }
        if fixes {
            found.name = "fix".into();
        }
        found
    }

    /// The directory that is filled, or emptied first: by default a name the repository may have taken.
    pub fn made(&self) -> Option<PathBuf> {
        let default = match self.name.as_str() {
            "vendor" => Some("vendor"),
            "init" => Some("."),
            "new" => None,
            _ => return None,
        };
        self.operand.clone().or_else(|| default.map(PathBuf::from))
    }

    /// May the lock file have to be made for it, where there is none?
    pub fn may_lock(&self) -> bool {
        !self.locked && !LOCKLESS.contains(&self.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errand(text: &str) -> Errand {
        Errand::read(&text.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_to_be_made_is_found_among_the_options() {
        assert_eq!(errand("+nightly b --release").name, "build");
        assert_eq!(errand("clippy --all-targets --fix -- -D warnings").name, "fix");
        assert_eq!(errand("clippy -- --fix").name, "clippy");
        let install = errand("install --root=/r --version 1.2 ripgrep --locked");
        assert_eq!((install.name.as_str(), install.root, install.operand), ("install", Some("/r".into()), Some("ripgrep".into())));
        assert_eq!(errand("--color never new --vcs git ../app --lib").operand, Some("../app".into()));
        assert_eq!(errand("build --artifact-dir out").outputs, [PathBuf::from("out")]);
        for (typed, made) in [
            ("vendor", Some("vendor")),
            ("vendor --offline -s ../x/Cargo.toml --versioned-dirs third", Some("third")),
            ("new --name x foo/bar", Some("foo/bar")),
            ("init", Some(".")),
            ("build vendor", None),
        ] {
            assert_eq!(errand(typed).made(), made.map(PathBuf::from), "{typed}");
        }
        assert!(errand("test").may_lock() && !errand("test --locked").may_lock() && !errand("fmt").may_lock());
    }
}
