//! May this be the target directory (or `build.build-dir`), although a repository said so, by its configuration or by a link? Everybody in the build
//! reads there, cargo writes there, and `clean` removes it: so it has to be new, empty, or filled by this very workspace, and no place of anything else's.
//! In: a directory, and whose workspace this is. Out: nothing, or why not.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::tracked;
use crate::attribute::source::read_text;
use crate::model::Hostile;

/// What cargo, or Brig on its behalf, leaves in a directory before anything was built there.
const MARKS: [&str; 4] = ["CACHEDIR.TAG", ".rustc_info.json", ".cargo-lock", "tmp"];
/// Entries of fingerprints looked at, and bytes of one, of a lock file, of a report.
const LOOKS: usize = 50_000;
const LONGEST: u64 = 1 << 20;
const LOCK: u64 = 16 << 20;
const REPORT: u64 = 256 << 20;

/// Whose results they would be. All paths are real.
pub struct Workspace<'a> {
    pub root: &'a Path,
    /// What the repository brings along; at least the workspace.
    pub repository: &'a Path,
    /// Directories of its packages.
    pub members: &'a [PathBuf],
    /// Names of packages that are found by a path.
    pub packages: &'a [&'a str],
    pub home: Option<&'a Path>,
    pub cargo_home: &'a Path,
    pub rustup_home: Option<&'a Path>,
}

impl Workspace<'_> {
    /// Why not, if not.
    pub fn objection(&self, tree: &Path) -> Option<&'static str> {
        // A home of cargo's that was put into the repository may as well lie among the results.
        let apart = |home: &&Path| !home.starts_with(self.repository);
        let homes = [Some(self.cargo_home), self.rustup_home].into_iter().flatten().filter(apart).chain(self.home);
        let mut own = homes.chain(self.members.iter().map(PathBuf::as_path)).chain([self.root]);
        let has = |dir: &Path, name: &str| dir.join(name).symlink_metadata().is_ok();
        if own.any(|place| place.is_absolute() && place.starts_with(tree)) {
            return Some("it holds the workspace, a package of it, or a home");
        }
        if tree.iter().any(|name| name == ".git") || has(tree, ".git") {
            return Some("it is git's, or another repository");
        }
        if tree == self.root.join("target") {
            // Where results are by themselves, and no link.
            return None;
        }
        let within = |place: Option<&Path>| place.is_some_and(|place| place.is_absolute() && tree.starts_with(place));
        if within(Some(self.cargo_home)) && !self.is_build_cache(tree) || within(self.rustup_home) {
            return Some("it lies in the home of cargo or rustup");
        }
        if has(tree, "Cargo.toml") {
            return Some("it holds a manifest");
        }
        if tree.starts_with(self.repository) { self.inside(tree) } else { self.outside(tree) }
    }

    /// All of it came from the repository or was made here; but sources are no results.
    fn inside(&self, tree: &Path) -> Option<&'static str> {
        if is_hollow(tree) {
            return None;
        }
        let is_source = |entry: std::fs::DirEntry| Path::new(&entry.file_name()).extension() == Some(OsStr::new("rs"));
        // The first is cargo's mark on a directory it made, the others lie in every one it used.
        let marks = ["CACHEDIR.TAG", ".rustc_info.json", "debug/.cargo-lock", "release/.cargo-lock"];
        let used = marks.iter().any(|mark| tree.join(mark).is_file()) || self.is_in_report(tree);
        if !used || std::fs::read_dir(tree).into_iter().flatten().flatten().any(is_source) {
            return Some("it holds other things");
        }
        let below = [tree.as_os_str().as_bytes(), b"/"].concat().to_ascii_lowercase();
        let kept = tracked::of(tree).is_some_and(|names| names.iter().any(|name| name.starts_with(&below)));
        kept.then_some("it holds files that git keeps")
    }

    /// `build-dir = "{cargo-cache-home}/build/…"`.
    fn is_build_cache(&self, tree: &Path) -> bool {
        tree.starts_with(self.cargo_home.join("build"))
    }

    fn outside(&self, tree: &Path) -> Option<&'static str> {
        let hidden = self.home.and_then(|home| {
            let first = tree.strip_prefix(home).ok()?.iter().next()?;
            first.as_bytes().starts_with(b".").then(|| home.join(first))
        });
        if hidden.is_some_and(|hidden| !self.is_build_cache(tree) && !self.root.starts_with(hidden)) {
            return Some("it lies in a hidden directory of your home");
        }
        let mut others = tree.ancestors().skip(1).take_while(|dir| !self.root.starts_with(dir));
        if others.any(|dir| [".git", "Cargo.toml"].iter().any(|name| dir.join(name).symlink_metadata().is_ok())) {
            return Some("it lies in another project");
        }
        (!is_hollow(tree) && !self.is_in_report(tree) && !self.has_built(tree))
            .then_some("it holds other things, or what another workspace has built")
    }

    /// Was this workspace the last one that Brig has built here? Nobody in a build writes there.
    fn is_in_report(&self, tree: &Path) -> bool {
        #[derive(Deserialize)]
        struct Report {
            run: Run,
        }
        #[derive(Deserialize)]
        struct Run {
            workspace: Option<Hostile>,
        }
        let text = read_text(&tree.join("brig/report.json"), REPORT);
        let report = text.and_then(|text| serde_json::from_str::<Report>(&text).ok());
        report.and_then(|report| report.run.workspace).is_some_and(|workspace| workspace == Hostile::from(self.root))
    }

    /// Are all packages that were built here from a path this workspace's?
    fn has_built(&self, tree: &Path) -> bool {
        let mut known: HashSet<String> = self.packages.iter().map(|name| (*name).to_owned()).collect();
        known.extend(locked(self.root));
        let Built { done, begun } = built(tree);
        let is_known = |name: &String| known.contains(name);
        done.iter().all(is_known) && done.iter().chain(&begun).any(is_known)
    }
}

/// New, or with nothing in it that anybody made on purpose.
fn is_hollow(tree: &Path) -> bool {
    let is_empty = |dir: &Path| std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    match std::fs::read_dir(tree) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(mut entries) => entries.all(|entry| {
            entry.is_ok_and(|entry| {
                let is_mark = MARKS.iter().any(|mark| entry.file_name() == *mark);
                entry.file_type().is_ok_and(|kind| if kind.is_dir() { is_empty(&entry.path()) } else { kind.is_file() && is_mark })
            })
        }),
    }
}

/// Packages of the lock file that come from nowhere: found by a path.
fn locked(root: &Path) -> Vec<String> {
    let table = read_text(&root.join("Cargo.lock"), LOCK).and_then(|text| text.parse::<toml::Table>().ok()).unwrap_or_default();
    let packages = table.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    packages
        .filter(|package| package.get("source").is_none())
        .filter_map(|package| Some(package.get("name")?.as_str()?.to_owned()))
        .collect()
}

#[derive(Default)]
struct Built {
    done: BTreeSet<String>,
    /// What failed, and says nothing of where it came from.
    begun: BTreeSet<String>,
}

/// Names of the packages that were built here from a path: cargo compares their sources (`CheckDepInfo`), of all others it keeps the version
/// (cargo's `LocalFingerprint`). `<profile>/.fingerprint/<name>-<hash>/<unit>.json`, perhaps below a platform's name.
fn built(tree: &Path) -> Built {
    let dirs = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).take(LOOKS).collect()
    };
    let profiles: Vec<PathBuf> = dirs(tree).into_iter().flat_map(|dir| dirs(&dir).into_iter().chain([dir])).collect();
    let mut found = Built::default();
    for unit in profiles.iter().flat_map(|profile| dirs(&profile.join(".fingerprint"))).take(LOOKS) {
        let Some((name, _)) = unit.file_name().and_then(OsStr::to_str).and_then(|name| name.rsplit_once('-')) else { continue };
        if found.done.contains(name) {
            continue;
        }
        let files = std::fs::read_dir(&unit).into_iter().flatten().flatten().map(|entry| entry.path());
        let notes: Vec<String> =
            files.filter(|path| path.extension() == Some(OsStr::new("json"))).filter_map(|path| read_text(&path, LONGEST)).collect();
        if notes.iter().any(|note| note.contains("CheckDepInfo")) {
            found.done.insert(name.to_owned());
        } else if notes.is_empty() {
            found.begun.insert(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        for (file, text) in [
            ("r/.git/HEAD", ""),
            ("r/ws/Cargo.toml", ""),
            ("r/ws/Cargo.lock", "[[package]]\nname = \"near\"\n[[package]]\nname = \"far\"\nsource = \"registry+x\"\n"),
            ("r/ws/src/lib.rs", ""),
            ("r/ws/forged/CACHEDIR.TAG", ""),
            ("r/ws/forged/lib.rs", ""),
            ("r/ws/mixed/CACHEDIR.TAG", ""),
            ("r/ws/mixed/site/index.html", ""),
            ("r/target/CACHEDIR.TAG", ""),
            ("r/target/debug/x", ""),
            ("letters/letter", ""),
            ("tagged/CACHEDIR.TAG", ""),
            ("tagged/debug/private", ""),
            ("hollow/CACHEDIR.TAG", ""),
            ("own/debug/.fingerprint/app-0123456789abcdef/lib-app.json", "{\"local\":[{\"CheckDepInfo\":{}}]}"),
            ("own/x86/debug/.fingerprint/near-0123456789abcdef/lib-near.json", "{\"local\":[{\"CheckDepInfo\":{}}]}"),
            ("own/debug/.fingerprint/serde-0123456789abcdef/lib-serde.json", "{\"local\":[{\"Precalculated\":\"1\"}]}"),
            ("shared/debug/.fingerprint/app-0123456789abcdef/lib-app.json", "{\"local\":[{\"CheckDepInfo\":{}}]}"),
            ("shared/debug/.fingerprint/far-0123456789abcdef/lib-far.json", "{\"local\":[{\"CheckDepInfo\":{}}]}"),
            ("others/debug/.fingerprint/serde-0123456789abcdef/lib-serde.json", "{\"local\":[{\"Precalculated\":\"1\"}]}"),
            ("project/Cargo.toml", ""),
            (".cargo/registry/CACHEDIR.TAG", ""),
        ] {
            std::fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
            std::fs::write(home.join(file), text).unwrap();
        }
        for (dir, workspace) in [("reported", home.join("r/ws")), ("reported-others", home.join("project"))] {
            std::fs::create_dir_all(home.join(dir).join("brig")).unwrap();
            let report = serde_json::json!({ "run": { "workspace": workspace, "mode": "enforce" }, "findings": [] });
            std::fs::write(home.join(dir).join("brig/report.json"), report.to_string()).unwrap();
        }
        std::fs::create_dir(home.join("empty")).unwrap();
        (dir, home)
    }

    #[test]
    fn whose_a_target_directory_is() {
        let (_dir, home) = home();
        let root = home.join("r/ws");
        let workspace = Workspace {
            root: &root,
            repository: &home.join("r"),
            members: &[root.join("app")],
            packages: &["app"],
            home: Some(&home),
            cargo_home: &home.join(".cargo"),
            rustup_home: Some(&home.join(".rustup")),
        };
        for good in [
            "r/ws/target",
            "r/ws/new",
            "r/ws/.target",
            "r/ws/mixed",
            "r/target",
            "empty",
            "hollow",
            "nowhere/yet",
            "own",
            "reported",
            ".cargo/build/ab/cd",
        ] {
            assert_eq!(workspace.objection(&home.join(good)), None, "{good}");
        }
        for bad in [
            "r/ws",
            "r",
            "",
            "r/ws/app",
            "r/ws/src",
            "r/ws/forged",
            "r/.git",
            "r/.git/new",
            "letters",
            "tagged",
            "shared",
            "others",
            "project",
            "project/target",
            "reported-others",
            ".cargo",
            ".cargo/registry",
            ".cargo/new",
            ".rustup/new",
            ".config/new",
        ] {
            assert!(workspace.objection(&home.join(bad)).is_some(), "{bad}");
        }
        // Whoever keeps sources below a hidden directory has the results there, too.
        let root = home.join(".cache/aur/ws");
        let hidden = Workspace { root: &root, repository: &root, ..workspace };
        assert_eq!(hidden.objection(&home.join(".cache/aur/target")), None);
    }

    #[test]
    fn what_git_keeps_is_no_result() {
        let (_dir, home) = home();
        let repository = home.join("r");
        let git = |args: &[&str]| {
            let done = std::process::Command::new("git").args(args).current_dir(&repository).env("GIT_CONFIG_GLOBAL", "/dev/null").output();
            assert!(done.unwrap().status.success(), "{args:?}");
        };
        std::fs::remove_dir_all(repository.join(".git")).unwrap();
        git(&["init", "-q"]);
        git(&["add", "ws/mixed/site"]);
        let root = repository.join("ws");
        let workspace = Workspace {
            root: &root,
            repository: &repository,
            members: &[],
            packages: &[],
            home: Some(&home),
            cargo_home: &home.join(".cargo"),
            rustup_home: None,
        };
        assert!(workspace.objection(&root.join("mixed")).is_some());
        assert_eq!(workspace.objection(&repository.join("target")), None);
    }
}
