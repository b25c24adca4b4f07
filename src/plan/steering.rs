//! Cargo's own arguments, read for what steers it: where it works, and what is in the build graph. In: arguments as typed. Out:
//! [`Steering`]; everything else is cargo's business.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Options that decide where cargo works; `cargo metadata` takes them too.
const PLACES: [&str; 4] = ["--manifest-path", "--config", "--lockfile-path", "-Z"];
/// Options that decide what is in the graph.
const FEATURES: [&str; 2] = ["--features", "-F"];
const SWITCHES: [&str; 2] = ["--all-features", "--no-default-features"];
/// Options that decide whose part of the graph is built; `cargo tree` takes them too.
const SELECTION: [&str; 3] = ["--package", "-p", "--exclude"];
/// How cargo speaks.
const MANNER: [&str; 5] = ["-q", "--quiet", "-v", "-vv", "--verbose"];
/// Subcommands that need what tests need only where they are told to.
const WITHOUT_TESTS: [&str; 12] = ["build", "b", "check", "c", "run", "r", "rustc", "doc", "d", "rustdoc", "install", "clippy"];
const TESTS: [&str; 7] = ["--tests", "--test", "--benches", "--bench", "--examples", "--example", "--all-targets"];

/// What cargo was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steering {
    pub subcommand: Option<OsString>,
    /// `+name`.
    pub toolchain: Option<OsString>,
    /// Where: options and their values, one word each.
    pub places: Vec<OsString>,
    /// What: the same.
    features: Vec<OsString>,
    /// Whose part of it.
    pub selection: Vec<OsString>,
    /// Each `--target`.
    pub targets: Vec<OsString>,
    /// How cargo is to speak.
    pub manner: Vec<OsString>,
    /// `--locked` or `--frozen`: the lock file is not to change.
    pub locked: bool,
    /// `--offline` or `--frozen`: nothing is to be fetched.
    pub offline: bool,
    /// Tests, benches or examples are built.
    pub tests: bool,
    /// `--no-verify` or `--list`: what would be built or published is not built.
    pub runs_nothing: bool,
    pub asks_for_help: bool,
    pub target_dir: Option<PathBuf>,
    /// `--path` of `cargo install`.
    pub path: Option<PathBuf>,
    /// `RUSTC_BOOTSTRAP` is set: a stable cargo takes unstable flags.
    pub bootstraps: bool,
    /// Behind `--`, where that is for the compiler: `cargo rustc`, `cargo rustdoc`.
    pub passed: Vec<OsString>,
}

impl Steering {
    /// Everything behind `--` belongs to the program.
    pub fn read(args: &[OsString]) -> Steering {
        let mut found = Steering::default();
        let mut words = args.iter().take_while(|word| *word != "--");
        while let Some(word) = words.next() {
            if word.as_bytes().starts_with(b"+") && found.subcommand.is_none() {
                found.toolchain = Some(word.clone());
            } else if let Some((_, value)) = option(word, "--target-dir", &mut words) {
                found.target_dir = Some(value.into());
            } else if let Some((_, value)) = option(word, "--path", &mut words) {
                found.path = Some(value.into());
            } else if let Some((name, value)) = PLACES.iter().find_map(|name| option(word, name, &mut words)) {
                found.places.extend([name.into(), value]);
            } else if let Some((name, value)) = FEATURES.iter().find_map(|name| option(word, name, &mut words)) {
                found.features.extend([name.into(), value]);
            } else if let Some((name, value)) = SELECTION.iter().find_map(|name| option(word, name, &mut words)) {
                found.selection.extend([name.into(), value]);
            } else if let Some((_, value)) = option(word, "--target", &mut words) {
                found.targets.push(value);
            } else if let Some((name, value)) = option(word, "--color", &mut words) {
                found.manner.extend([name.into(), value]);
            } else if SWITCHES.iter().any(|switch| word == switch) {
                found.features.push(word.clone());
            } else if MANNER.iter().any(|switch| word == switch) {
                found.manner.push(word.clone());
            } else if word == "--workspace" || word == "--all" {
                found.selection.push("--workspace".into());
            } else if !word.as_bytes().starts_with(b"-") && found.subcommand.is_none() {
                found.subcommand = Some(word.clone());
            }
            let is = |names: &[&str]| names.iter().any(|name| word == *name);
            found.locked |= is(&["--locked", "--frozen"]);
            found.offline |= is(&["--offline", "--frozen"]);
            found.runs_nothing |= is(&["--no-verify", "--list", "-l"]);
            found.asks_for_help |= is(&["--help", "-h"]);
            found.tests |= TESTS.iter().any(|name| *name == word || word.as_bytes().starts_with(format!("{name}=").as_bytes()));
        }
        // `cargo add --path` names another package, not the one to work on.
        found.path = found.path.filter(|_| found.subcommand.as_deref() == Some(OsStr::new("install")));
        found.tests |= !WITHOUT_TESTS.iter().any(|name| found.subcommand.as_deref() == Some(OsStr::new(name)));
        if found.subcommand.as_ref().is_some_and(|told| told == "rustc" || told == "rustdoc") {
            found.passed = args.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
        }
        found
    }

    /// Values of `--config`.
    pub fn configured(&self) -> Vec<OsString> {
        self.places.chunks(2).filter(|pair| pair[0] == "--config").filter_map(|pair| pair.get(1).cloned()).collect()
    }

    /// The directory of the manifest cargo was told to work with, or of the package to install.
    pub fn start(&self) -> Option<PathBuf> {
        let manifest = self.places.chunks(2).find(|pair| pair[0] == "--manifest-path").map(|pair| Path::new(&pair[1]));
        let directory = manifest.map(|path| path.parent().map_or_else(PathBuf::new, Path::to_owned));
        directory.or_else(|| self.path.clone())
    }

    /// What `cargo metadata` must be told to answer for the same graph.
    pub fn graph(&self) -> Vec<OsString> {
        self.with(&self.places)
    }

    /// The same for a call of our own.
    pub fn question(&self) -> Vec<OsString> {
        self.with(&self.places_asked())
    }

    /// Where to look, for a call of our own. `-Z` goes together with the variable by which a stable cargo takes it, and which no call of our own has
    /// (`own_calls`): cargo would say no more than that it does not know the flag.
    pub fn places_asked(&self) -> Vec<OsString> {
        let asked = self.places.chunks(2).filter(|pair| !self.bootstraps || pair[0] != "-Z");
        asked.flatten().cloned().collect()
    }

    fn with(&self, places: &[OsString]) -> Vec<OsString> {
        let locked: &[OsString] = if self.locked { &["--locked".into()] } else { &[] };
        [places, &self.features[..], locked].concat()
    }
}

/// `--name value`, `--name=value`, `-N value` or `-Nvalue`.
fn option<'n, 'a>(word: &OsStr, name: &'n str, rest: &mut impl Iterator<Item = &'a OsString>) -> Option<(&'n str, OsString)> {
    match word.as_bytes().strip_prefix(name.as_bytes())? {
        [] => Some((name, rest.next()?.clone())),
        [b'=', value @ ..] => Some((name, OsStr::from_bytes(value).to_owned())),
        value if !name.starts_with("--") => Some((name, OsStr::from_bytes(value).to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn found_in_every_form_and_not_behind_dashes() {
        let typed = "+nightly build --release --manifest-path a/Cargo.toml --config=k=1 --target-dir=/t -- --target-dir x";
        let found = Steering::read(&words(typed));
        assert_eq!(found.subcommand.as_deref(), Some(OsStr::new("build")));
        assert_eq!(found.toolchain.as_deref(), Some(OsStr::new("+nightly")));
        assert_eq!(found.places, words("--manifest-path a/Cargo.toml --config k=1"));
        assert_eq!(found.target_dir, Some("/t".into()));
        assert_eq!(Steering::read(&words("run -- --manifest-path x")).places, words(""));
        assert_eq!(Steering::read(&words("install --path tool")).path, Some("tool".into()));
        assert_eq!(Steering::read(&words("rustc --lib -- --emit=asm=x.s")).passed, words("--emit=asm=x.s"));
        assert_eq!(found.passed, words(""));
    }

    #[test]
    fn what_is_to_be_fetched_and_for_whom() {
        let found = Steering::read(&words("check --all -p a -pb --exclude=c --target x --target=y -q --color never --frozen --test=z"));
        assert_eq!(found.selection, words("--workspace -p a -p b --exclude c"));
        assert_eq!((found.targets, found.manner), (words("x y"), words("-q --color never")));
        assert!(found.locked && found.offline && found.tests);
        for (typed, tests) in
            [("build", false), ("t", true), ("nextest run", true), ("run -- --tests", false), ("check --all-targets", true)]
        {
            assert_eq!(Steering::read(&words(typed)).tests, tests, "{typed}");
        }
    }

    #[test]
    fn only_what_shapes_the_graph_is_passed_on() {
        let typed = "test -p x --features=a -F b -Fc --locked --all-features --offline --release --config k=1 -Zscript -- --features z";
        let kept = "--config k=1 -Z script --features a -F b -F c --all-features --locked";
        assert_eq!(Steering::read(&words(typed)).graph(), words(kept));
    }
}
