//! One run of all fixtures in a throw-away place. In: a user and what stands around the build. Out: the ways that won, and the reports.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::accomplice::Accomplice;
use crate::control::Control;
use crate::finding::{actor, line, violations};
use crate::fixture::{At, Fixture, WORKSPACE};
use crate::layered;
use crate::near::Near;
use crate::place::Place;
use crate::run::{Outcome, Run, cargo, guarded};
use crate::seed::Seed;
use crate::sink::Door;
use crate::who::Who;

/// How long daemons have to do their work after the build.
const LATE: Duration = Duration::from_secs(4);
/// A descriptor that a careless caller leaves open. High: a number that a thread is about to get from `accept` cannot be taken.
const LEFT_OPEN: i32 = 900;

/// What stands around the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing: the control.
    Plain,
    Enforce,
    Observe,
    /// As `Enforce`, with the profile `strict`.
    Strict,
    WallOnly,
    GateOnly,
    Neither,
}

pub struct Trial {
    pub who: Who,
    pub how: How,
    /// Ways that won, by row and name of the fixture's crate: `e01-absolute-path:absolute`.
    pub won: BTreeSet<String>,
    pub reports: Vec<Value>,
    /// What changed that no run may change, and where the planted secrets turned up.
    strays: Vec<String>,
    /// Where everything is written that the runs printed, for readers of failures.
    pub transcript: PathBuf,
    pub took: Duration,
}

impl Trial {
    pub fn run(who: Who, how: How, fixtures: &[&Fixture], seed: &Seed, keep: bool) -> Trial {
        if how != How::Plain || keep {
            return Trial::really_run(who, how, fixtures, seed, keep);
        }
        let names: Vec<&str> = fixtures.iter().map(|fixture| fixture.name.as_str()).collect();
        let control = Control::of(&names.join(" "), WORKSPACE, who);
        if let Some(won) = control.remembered() {
            return Trial { won: won.into_iter().collect(), ..Trial::nothing_yet(who, how) };
        }
        let trial = Trial::really_run(who, how, fixtures, seed, keep);
        if fixtures.iter().all(|fixture| fixture.unproven(who.is_root(), &trial.won_by(fixture)).is_empty()) {
            control.won(trial.won.iter().cloned());
        }
        trial
    }

    fn nothing_yet(who: Who, how: How) -> Trial {
        let transcript =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("evasions-{}-{}.txt", format!("{how:?}").to_lowercase(), name(who)));
        Trial { who, how, won: BTreeSet::new(), reports: Vec::new(), strays: Vec::new(), transcript, took: Duration::ZERO }
    }

    fn really_run(who: Who, how: How, fixtures: &[&Fixture], seed: &Seed, keep: bool) -> Trial {
        let begun = Instant::now();
        let place = Place::new(WORKSPACE, who);
        seed.lay(&place.target());
        let scene = Scene::set(&place, fixtures);
        let mut trial = Trial::nothing_yet(who, how);
        let mut told = String::new();
        let mut outcomes = Vec::new();
        // Tests first: what the others leave behind under plain cargo (a policy, a toolchain file) is there to steer later commands.
        for (at, first) in [(At::Test, ["test", "--no-fail-fast"]), (At::Build, ["build", "--keep-going"])] {
            let packages: Vec<&str> = fixtures.iter().filter(|one| one.says.at == at).flat_map(|one| ["-p", &one.name]).collect();
            if packages.is_empty() {
                continue;
            }
            let args = [&first[..], &["--offline"], &packages].concat();
            let run = match how {
                How::Plain => cargo(&place, &args),
                How::Enforce => guarded(&place, &[], &args),
                How::Observe => guarded(&place, &["--mode", "observe"], &args),
                How::Strict => guarded(&place, &["--policy", "strict"], &args),
                How::WallOnly => layered::guarded(&place, "wall", &args),
                How::GateOnly => layered::guarded(&place, "gate", &args),
                How::Neither => layered::guarded(&place, "neither", &args),
            };
            outcomes.push(scene.around(run).go());
        }
        std::thread::sleep(LATE);
        for outcome in outcomes {
            trial.won.extend(scene.marks(&place, &outcome));
            if matches!(how, How::Enforce | How::Strict) {
                let left = fixtures.iter().flat_map(|one| one.says.leaves.iter().map(|path| place.workspace().join(&one.name).join(path)));
                let left: Vec<String> = left.map(|path| format!("new: {}", path.display())).collect();
                trial.strays.extend(outcome.strays(&place).into_iter().filter(|stray| !left.contains(stray)));
            }
            told.push_str(&outcome.to_string());
            trial.reports.extend(outcome.report);
        }
        trial.took = begun.elapsed();
        fs::write(&trial.transcript, told).expect("write the transcript");
        println!("trial {how:?} as {}: {} ways won <{:.3}s>", name(who), trial.won.len(), trial.took.as_secs_f32());
        drop(scene);
        if keep {
            println!("kept: {}", place.path("").display());
            std::mem::forget(place);
        }
        trial
    }

    /// What must not be, whichever fixture did it.
    pub fn failures(&self, fixtures: &[&Fixture]) -> Vec<String> {
        let whose = format!("{:?} as {}", self.how, name(self.who));
        let mut failures: Vec<String> = self.strays.iter().map(|what| format!("{whose}: {what}")).collect();
        if self.how != How::Plain && self.reports.is_empty() {
            failures.push(format!("{whose}: no report; the whole run: {}", self.transcript.display()));
        }
        // What did not run has not been stopped.
        let scripts = fixtures.iter().filter(|fixture| fixture.says.at == At::Build && fixture.says.actor == "build-script").count();
        let ran: u64 = self.reports.iter().filter_map(|report| report["coverage"]["ran"]["build-script"].as_u64()).sum();
        if self.how != How::Plain && ran < scripts as u64 {
            failures.push(format!("{whose}: {ran} of {scripts} build scripts ran; the whole run: {}", self.transcript.display()));
        }
        if matches!(self.how, How::Enforce | How::Observe | How::Strict) {
            let known: BTreeSet<&str> = fixtures.iter().flat_map(|fixture| [fixture.name.as_str(), fixture.offender()]).collect();
            for report in &self.reports {
                let innocent =
                    violations(report).filter(|finding| !offender(report, finding).as_str().is_some_and(|name| known.contains(name)));
                failures.extend(innocent.map(|finding| format!("{whose}: blames somebody innocent: {}", line(report, finding))));
            }
        }
        failures
    }

    /// The ways of this fixture that won.
    pub fn won_by(&self, fixture: &Fixture) -> BTreeSet<&str> {
        self.won.iter().filter_map(|mark| mark.strip_prefix(fixture.name.as_str())?.strip_prefix(':')).collect()
    }
}

pub fn name(who: Who) -> &'static str {
    if who.is_root() { "root" } else { "user" }
}

/// The package a finding is about. What is done through the crate all fixtures share is done by its user.
pub fn offender<'a>(report: &'a Value, finding: &'a Value) -> &'a Value {
    let named = &finding["offender"]["name"];
    if named.is_null() || *named == "trick" { &actor(report, finding)["package"]["name"] } else { named }
}

/// What fixtures find around them: the same for all, and laid anew for each trial.
struct Scene {
    nonce: String,
    env: BTreeMap<&'static str, std::ffi::OsString>,
    worker: Child,
    _near: Near,
    accomplice: Accomplice,
}

impl Scene {
    fn set(place: &Place, fixtures: &[&Fixture]) -> Scene {
        let nonce = place.canary.replace("CANARY-", "");
        // Secrets that are marks, for ways that leak what they read without being able to look at it (`include_str!`, an error message).
        for (fixture, way) in fixtures.iter().flat_map(|fixture| fixture.says.ways.iter().map(|way| (&fixture.name, way))) {
            let text = format!("{}-mark won:{nonce}:{fixture}:{way}\n", place.canary);
            place.write(&place.path(&format!("home/.aws/marks/{fixture}.{way}")), &text);
        }
        place.write(&place.workspace().join(".env.local"), &format!("{}-local won:{nonce}:e95-include-str:dotenv\n", place.canary));
        for (path, mark) in [
            ("home/.netrc", "netrc"),
            ("home/.git-credentials", "git"),
            ("home/.config/gh/hosts.yml", "gh"),
            ("home/.docker/config.json", "docker"),
            ("home/.gnupg/secring.gpg", "gpg"),
            ("home/.config/solana/id.json", "wallet"),
            ("home/.mozilla/firefox/x.default/logins.json", "browser"),
            ("home/.bash_history", "history"),
            ("home/.cargo/credentials.toml", "cargo"),
            // To be moved away.
            ("home/.kube/config", "kube"),
            ("home/.azure/token", "azure"),
            ("home/.oci/config", "oci"),
            ("home/code/notes/.env.local", "local"),
        ] {
            place.plant(path, mark, "");
        }
        for (path, text) in [
            ("home/.bashrc", "# nothing\n"),
            ("home/.gitconfig", "[user]\n\tname = zoo\n"),
            ("home/.cargo/bin/some-tool", "#!/bin/sh\n"),
            ("home/.cargo/registry/src/zoo-0/victim-1.0.0/build.rs", "fn main() {}\n"),
            ("home/.rustup/toolchains/zoo/bin/rustc", "not really a compiler\n"),
            ("home/documents/a", "a\n"),
            ("home/documents/b", "b\n"),
            ("home/documents/c", "c\n"),
            ("home/documents/d", "d\n"),
            ("home/documents/e/f", "f\n"),
            ("run/github_env", ""),
            ("run/github_path", ""),
            ("run/github_step_summary", ""),
        ] {
            place.write(&place.path(path), text);
        }
        for page in 0..1000 {
            place.write(&place.path(&format!("home/diary/page-{page}")), "dear diary\n");
        }
        place.write(&place.workspace().join(".git/hooks/README"), "\n");
        place.write(&place.workspace().join(".git/config"), &format!("[http]\n\textraheader = {}-git\n", place.canary));
        other_copies(place);
        for name in ["chmod", "fchmodat", "fchmodat2", "owner", "times", "attribute", "length", "room"] {
            place.write(&place.path("home/outside").join(name), "nobody's business\n");
        }
        place.write(&place.workspace().join("notes/source.txt"), "part of the sources\n");
        // Pages of an earlier run.
        for (path, text) in [
            ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
            ("doc/victim/index.html", "<p>\n"),
            ("doc/static.files/main-0a1b2c3d.js", "//\n"),
        ] {
            place.write(&place.target().join(path), text);
        }
        std::os::unix::fs::symlink("id_ed25519", place.path("home/.ssh/current")).unwrap();
        // A second name that was there before anybody looked.
        fs::hard_link(place.path("home/.ssh/id_ed25519"), place.path("home/code/notes/second-name.txt")).unwrap();
        let left_open = fs::File::open(place.path("home/.aws/credentials")).unwrap();
        // SAFETY: the number is nobody's here (the scene before has closed it), and dup2 takes nothing else.
        assert_eq!(
            unsafe { libc::dup2(left_open.as_raw_fd(), LEFT_OPEN) },
            LEFT_OPEN,
            "leave a descriptor open: {}",
            std::io::Error::last_os_error()
        );
        let worker = place.runner_worker();
        let near = Near::set(place, fixtures, worker.id());
        let accomplice = Accomplice::start(place);
        let env = BTreeMap::from([
            ("ZOO_NONCE", nonce.clone().into()),
            ("ZOO_KNOCKED", accomplice.knocked.to_string().into()),
            ("ZOO_SHARED", accomplice.shared.to_string().into()),
            ("ZOO_WORKER", worker.id().to_string().into()),
            ("GITHUB_ENV", place.path("run/github_env").into()),
            ("GITHUB_PATH", place.path("run/github_path").into()),
            ("GITHUB_STEP_SUMMARY", place.path("run/github_step_summary").into()),
            ("AWS_SECRET_ACCESS_KEY", format!("{}-aws-env", place.canary).into()),
        ]);
        Scene { nonce, env, worker, accomplice, _near: near }
    }

    fn around<'a>(&self, run: Run<'a>) -> Run<'a> {
        self.env.iter().fold(run, |run, (name, value)| run.env(name, value.clone()))
    }

    /// Every mark anywhere but in reports, which may quote an argument.
    fn marks(&self, place: &Place, outcome: &Outcome) -> BTreeSet<String> {
        let start = format!("won:{}:", self.nonce);
        let mut grep = Command::new("grep");
        grep.args(["-r", "-a", "-o", "-h", "-D", "skip", "--exclude-dir=report", "--exclude-dir=marks", "--exclude=.env.local", "-E"])
            .arg(format!("{start}[a-z0-9_.:-]+"));
        let found = grep.arg(place.path("")).output().expect("run grep");
        let mut texts = vec![found.stdout, outcome.stdout.clone(), outcome.stderr.clone()];
        texts.extend(Door::ALL.map(|door| place.sinks.heard(door)));
        texts.push(self.accomplice.heard());
        let mut marks = BTreeSet::new();
        for text in texts {
            for rest in String::from_utf8_lossy(&text).split(&start).skip(1) {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.:-".contains(c))).unwrap_or(rest.len());
                marks.insert(rest[..end].to_owned());
            }
        }
        marks
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.worker.kill().ok();
        self.worker.wait().ok();
        nix::unistd::close(LEFT_OPEN).ok();
    }
}

/// Secrets by names that say it in other ways, copies that editors and a desktop leave, and an object of git's in which a secret was
/// committed.
fn other_copies(place: &Place) {
    let notes = place.workspace().join("notes");
    let text = |mark: &str| format!("ZOO_SECRET={}-{mark}\n", place.canary);
    let long = [&[b'x'; 250][..], b".env"].concat();
    for name in [&b".ENV"[..], b".Env.LOCAL", b"\xff\xfe.env", b"harmless.txt\n.env", b"\x1b[2K\r.env", b".env ", &long] {
        place.write(&notes.join("odd").join(OsStr::from_bytes(name)), &text("odd"));
    }
    for name in [".env.swp", ".secrets.toml.swp", "secrets.toml~", "#secrets.toml#"] {
        place.write(&notes.join(name), &text("editor"));
    }
    place.plant("home/.local/share/Trash/files/old.txt", "bin", "");
    let object = place.workspace().join(".git/objects/5e/c4e7000000000000000000000000000000000b");
    fs::create_dir_all(object.parent().unwrap()).unwrap();
    fs::write(object, stored(text("committed").as_bytes())).unwrap();
}

/// As git keeps it where nothing is compressed: one stored block of zlib (RFC 1950 and 1951).
fn stored(content: &[u8]) -> Vec<u8> {
    let data = [format!("blob {}\0", content.len()).as_bytes(), content].concat();
    let length = (data.len() as u16).to_le_bytes();
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| ((a + u32::from(*byte)) % 65521, (a + u32::from(*byte) + b) % 65521));
    [&[0x78, 0x01, 0x01][..], &length, &length.map(|byte| !byte), &data, &(b << 16 | a).to_be_bytes()].concat()
}
