//! Cargo as people use it: where things lie, what a configuration says, where code comes from, which toolchain builds it, and who else starts
//! cargo. Nothing may be noticed of Brig: the same exit code, the same words of cargo's, the same files byte for byte, and no finding.
//!
//! In: a place with the fixture `habits`, a virtual workspace, and a way to run cargo there. Out: a comparison of two runs.

mod configuration;
mod makers;
mod nested;
mod places;
pub mod registries;
mod sources;
mod toolchains;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::finding::expect_silence;
use crate::honest::{calm, clean};
use crate::place::{Place, visit};
use crate::run::{Outcome, Run, cargo, guarded};
use crate::who::Who;

pub fn place(who: Who) -> Place {
    calm("habits", OsStr::new("code"), who)
}

pub fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

pub fn configure(place: &Place, text: &str) {
    place.write(&place.workspace().join(".cargo/config.toml"), text);
}

/// `app` gets one more dependency.
pub fn depend(place: &Place, dependency: &str) {
    let manifest = place.workspace().join("app/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(manifest, format!("{text}{dependency}\n")).unwrap();
}

/// The dependency lies here from now on, and says so where it is asked.
pub fn give(place: &Place, to: &Path, origin: &str) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(place.workspace().join("given"), to).unwrap();
    fs::write(to.join("origin"), origin).unwrap();
}

/// A program of the user's own.
pub fn executable(place: &Place, path: &Path, text: &str) {
    place.write(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Something done beforehand, as the user of the place: it must succeed.
pub fn done(place: &Place, dir: &Path, command: &[&str]) -> String {
    place.hand_over();
    let mut made = Command::new(command[0]);
    place.environment(&mut made);
    place.who.apply(&mut made);
    for role in ["AUTHOR", "COMMITTER"] {
        made.env(format!("GIT_{role}_NAME"), "zoo").env(format!("GIT_{role}_EMAIL"), "zoo@invalid");
        made.env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
    }
    let output = made.args(&command[1..]).current_dir(dir).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?} in {dir:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// One way of using cargo, to be tried without Brig and with it.
pub struct Habit<'a> {
    place: &'a Place,
    what: String,
    args: Vec<&'a str>,
    results: Vec<PathBuf>,
    forgotten: Vec<PathBuf>,
    start: Start<'a>,
    dress: Dress<'a>,
    idle: bool,
}

/// What is added to both runs.
type Dress<'a> = Box<dyn Fn(Run<'a>) -> Run<'a> + 'a>;
/// Starts without Brig, or (`true`) with it.
type Start<'a> = Box<dyn Fn(&'a Place, &[&str], bool) -> Run<'a> + 'a>;

/// `cargo <args>`, offline.
pub fn habit<'a>(place: &'a Place, what: &str, args: &[&'a str]) -> Habit<'a> {
    Habit {
        place,
        what: what.to_owned(),
        args: args.to_vec(),
        results: vec![place.target()],
        forgotten: Vec::new(),
        start: Box::new(|place, args, brig| if brig { guarded(place, &[], args) } else { cargo(place, args) }),
        dress: Box::new(|run| run),
        idle: false,
    }
}

impl<'a> Habit<'a> {
    /// Results are there, and not in the workspace's own target directory.
    pub fn results(mut self, dirs: &[&Path]) -> Self {
        self.results = dirs.iter().map(|dir| dir.to_path_buf()).collect();
        self
    }

    /// The second run must not find this of the first.
    pub fn forget(mut self, path: PathBuf) -> Self {
        self.forgotten.push(path);
        self
    }

    pub fn with(mut self, dress: impl Fn(Run<'a>) -> Run<'a> + 'a) -> Self {
        self.dress = Box::new(dress);
        self
    }

    pub fn by(mut self, start: impl Fn(&'a Place, &[&str], bool) -> Run<'a> + 'a) -> Self {
        self.start = Box::new(start);
        self
    }

    /// Cargo runs no code of the build, and the report must not say that it is clean.
    pub fn idle(mut self) -> Self {
        self.idle = true;
        self
    }

    /// Both succeed, and say this.
    #[track_caller]
    pub fn says(self, words: &str) -> Outcome {
        let outcome = self.same();
        assert!(outcome.stdout_text().contains(words), "not {words:?}\n{outcome}");
        outcome
    }

    /// Both succeed, and nothing tells them apart.
    #[track_caller]
    pub fn same(self) -> Outcome {
        let what = format!("{} as {:?}", self.what, self.place.who);
        let (plain, made) = self.once(false);
        assert_eq!(plain.code, 0, "{what}: it must work without Brig\n{plain}");
        let (brig, remade) = self.once(true);
        assert_eq!(brig.code, 0, "{what}\n{brig}");
        expect_silence(&brig);
        if self.idle {
            assert_eq!(brig.report()["outcome"]["verdict"], "not-run", "{brig}");
        } else {
            clean(&brig);
        }
        assert_eq!(words(&plain.stdout_text()), words(&brig.stdout_text()), "{what}: standard output\n{brig}");
        let said = words(&brig.stderr_text());
        let missing: Vec<_> = words(&plain.stderr_text()).into_iter().filter(|line| !said.contains(line)).collect();
        assert!(missing.is_empty(), "{what}: cargo no longer says {missing:#?}\n{brig}");
        let troubled = |text: String| text.lines().filter(|line| line.starts_with("warning") || line.starts_with("error")).count();
        assert_eq!(troubled(plain.stderr_text()), troubled(brig.stderr_text()), "{what}: warnings\n{plain}\n{brig}");
        let differing: Vec<_> = made.keys().chain(remade.keys()).filter(|path| made.get(*path) != remade.get(*path)).collect();
        assert!(!made.is_empty() || self.results.is_empty(), "{what}: nothing was made\n{plain}");
        assert!(differing.is_empty(), "{what}: not as plain cargo makes them: {differing:#?}\n{brig}");
        brig
    }

    fn once(&self, brig: bool) -> (Outcome, BTreeMap<PathBuf, Vec<u8>>) {
        if !self.args.iter().any(|arg| ["--locked", "--frozen"].contains(arg)) {
            fs::remove_file(self.place.workspace().join("Cargo.lock")).ok();
        }
        // What is a link stays one.
        for path in self.results.iter().chain(&self.forgotten) {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).ok();
            if self.results.iter().any(|dir| dir.is_symlink()) {
                fs::create_dir_all(&path).unwrap();
            }
        }
        if self.results.contains(&self.place.target()) && !self.place.target().is_symlink() {
            self.place.clean();
        }
        let run = (self.dress)((self.start)(self.place, &self.args, brig));
        let outcome = run.compared().go();
        (outcome, self.results.iter().flat_map(|dir| artefacts(dir)).collect())
    }
}

/// Everything below a target directory but the compiler's incremental state, cargo's notes about the compiler and Brig's report. Of what two
/// builds never make the same only the name counts: object files of incremental sessions, and cargo's lists of variables in no order.
fn artefacts(target: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut artefacts = BTreeMap::new();
    let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
    visit(&target, &mut |path| {
        let below = path.strip_prefix(&target).unwrap();
        let parts = || below.components().map(|part| part.as_os_str().as_encoded_bytes());
        let name = path.file_name().unwrap().as_encoded_bytes();
        if below.starts_with("brig") || parts().any(|part| part == b"incremental") || name == b".rustc_info.json" || !path.is_file() {
            return;
        }
        let unsteady = name.ends_with(b".rlib") || name.starts_with(b"dep-") && parts().any(|part| part == b".fingerprint");
        artefacts.insert(path.to_path_buf(), if unsteady { Vec::new() } else { fs::read(path).unwrap_or_default() });
    });
    artefacts
}

/// Lines in no order, without what differs from run to run: times, counts of what is done so far, the numbers of runs.
fn words(text: &str) -> Vec<String> {
    let is_time = |word: &str| word.ends_with(['s', 'm']) && word.trim_end_matches(['s', 'm']).parse::<f64>().is_ok();
    let is_count = |word: &str| word.contains('/') && word.split('/').all(|part| part.parse::<u32>().is_ok());
    let is_unsteady = |word: &&str| {
        let inner = word.trim_matches(['[', ']', '(', ')', ',', ';']);
        is_time(inner) || is_count(inner) || inner.len() == 36 && inner.matches('-').count() == 4
    };
    let line = |line: &str| line.split_whitespace().filter(|word| !is_unsteady(word)).collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = text.lines().map(line).collect();
    lines.sort();
    lines
}

/// Actors of this kind: their package, and the program they began as.
pub fn actors(outcome: &Outcome, kind: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let report = outcome.report();
    let processes = report["processes"].as_array().unwrap();
    let program = |id: &Value| processes.iter().find(|process| process["actor"] == *id).map(|process| text(&process["exe"]));
    let actors = report["actors"].as_array().unwrap().iter().filter(|actor| actor["kind"] == kind);
    actors.map(|actor| (text(&actor["package"]["name"]), program(&actor["id"]).unwrap_or_default())).collect()
}
