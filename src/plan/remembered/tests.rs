//! Machines made of files, on which everything is changed that cargo's answer depends on, one thing at a time.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use super::*;

/// A machine with a workspace, a package beside it, one behind a link, one from a registry and one from git.
struct Machine(tempfile::TempDir);

const FILES: [&str; 20] = [
    "tc/bin/cargo",
    "tc/bin/rustc",
    "tc/lib/rustlib/x",
    "ws/Cargo.lock",
    "ws/crates/two/src/lib.rs",
    "ws/crates/notes/text",
    "ws/one/src/main.rs",
    "ws/one/src/bin/x/helper.rs",
    "ws/one/tests/t.rs",
    "elsewhere/three/src/lib.rs",
    "beside/dep/src/lib.rs",
    "home/.cargo/registry/src/i/foo-1.0.0/src/lib.rs",
    "home/.cargo/registry/src/i/foo-1.0.0/Cargo.toml",
    "home/.cargo/registry/src/i/foo-1.0.0/.cargo-ok",
    "home/.cargo/registry/cache/i/foo-1.0.0.crate",
    "home/.cargo/registry/index/i/.cache/3/f/foo",
    "home/.cargo/git/db/g-1/HEAD",
    "home/.cargo/git/checkouts/g-1/abc/Cargo.toml",
    "home/.cargo/git/checkouts/g-1/abc/src/lib.rs",
    "home/.cargo/git/checkouts/g-1/abc/.cargo-ok",
];

impl Machine {
    fn new() -> Machine {
        let machine = Machine(tempfile::tempdir().unwrap());
        FILES.iter().for_each(|file| machine.write(file, ""));
        let package = |name: &str| format!("[package]\nname = \"{name}\"\n");
        machine.write("ws/Cargo.toml", "[workspace]\nmembers = [\"crates/*\", \"one\"]\n");
        machine.write("ws/one/Cargo.toml", &format!("{}[dependencies]\ndep = {{ path = \"../../beside/dep\" }}\n", package("one")));
        machine.write("ws/crates/two/Cargo.toml", &package("two"));
        machine.write("elsewhere/three/Cargo.toml", &package("three"));
        machine.write("elsewhere/four/Cargo.toml", &package("three"));
        symlink("../../elsewhere/three", machine.path("ws/crates/three")).unwrap();
        machine.write(
            "beside/dep/Cargo.toml",
            &format!("{}[target.'cfg(windows)'.dependencies]\nfar = {{ path = \"far\" }}\n", package("dep")),
        );
        machine.write("beside/dep/far/Cargo.toml", &package("far"));
        machine.write("ws/.cargo/config.toml", "include = [\"more.toml\", { path = \"missing.toml\", optional = true }]\n");
        machine.write("ws/.cargo/more.toml", "[build]\njobs = 1\n");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        vec![("HOME".into(), self.path("home").into()), ("PATH".into(), "/bin".into()), ("TERM".into(), "dumb".into())]
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.path("tc/bin/cargo"));
        command.env_clear().envs(self.env()).current_dir(self.path("ws")).args(["metadata", "--filter-platform", "x"]);
        command
    }

    fn ask(&self, command: &Command) -> Question {
        Question::of(command, &Steering::default(), &self.path("tc"), &self.env()).unwrap()
    }

    fn recall(&self) -> Option<Known> {
        self.ask(&self.command()).recall()
    }

    /// Cargo is asked, and answers at once.
    fn keep(&self) -> Option<()> {
        self.keep_unless(|| ())
    }

    fn keep_unless(&self, meanwhile: impl FnOnce()) -> Option<()> {
        let asking = self.ask(&self.command()).asking()?;
        meanwhile();
        let local = ["ws/one/Cargo.toml", "ws/crates/two/Cargo.toml", "ws/crates/three/Cargo.toml", "beside/dep/Cargo.toml"];
        let others = ["home/.cargo/registry/src/i/foo-1.0.0/Cargo.toml", "home/.cargo/git/checkouts/g-1/abc/Cargo.toml"];
        let manifests: Vec<_> = local.iter().chain(&others).map(|name| self.path(name)).collect();
        let package = |(nth, manifest)| Package { manifest, is_local: nth < local.len() };
        let packages: Vec<Package> = manifests.iter().map(PathBuf::as_path).enumerate().map(package).collect();
        asking.keep(&known(), &self.path("ws"), &packages)
    }
}

fn known() -> Known {
    Known { head: "{}".into(), graph: "{\"packages\": []}\n".into() }
}

/// Waits until what was just written has settled.
fn kept(machine: &Machine) {
    let end = Instant::now() + Duration::from_secs(30);
    while machine.keep().is_none() {
        assert!(Instant::now() < end, "never kept");
        std::thread::sleep(Duration::from_millis(100));
    }
}

type Change = (&'static str, fn(&Machine));

/// Each of these may change the answer.
const CHANGES: &[Change] = &[
    ("a new member", |m| m.write("ws/crates/five/Cargo.toml", "[package]\nname = \"five\"\n")),
    ("a manifest where there was none", |m| m.write("ws/crates/notes/Cargo.toml", "[package]\nname = \"notes\"\n")),
    ("a member less", |m| fs::remove_dir_all(m.path("ws/crates/two")).unwrap()),
    ("a new program", |m| m.write("ws/one/src/bin/new.rs", "")),
    ("a program in a directory that was there", |m| m.write("ws/one/src/bin/x/main.rs", "")),
    ("a first program", |m| m.write("ws/crates/two/src/bin/new.rs", "")),
    ("a new test", |m| m.write("ws/one/tests/new.rs", "")),
    ("a first example", |m| m.write("ws/one/examples/new.rs", "")),
    ("a first bench behind a link", |m| m.write("elsewhere/three/benches/new.rs", "")),
    ("a build script", |m| m.write("beside/dep/build.rs", "")),
    ("a library", |m| m.write("ws/one/src/lib.rs", "")),
    ("a feature", |m| m.write("ws/one/Cargo.toml", "[package]\nname = \"one\"\n[features]\nx = []\n")),
    ("the workspace's manifest", |m| m.write("ws/Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n")),
    ("a package beside", |m| m.write("beside/dep/Cargo.toml", "[package]\nname = \"dep\"\n")),
    ("one of another platform", |m| m.write("beside/dep/far/Cargo.toml", "[package]\nname = \"nearer\"\n")),
    ("the lock file", |m| m.write("ws/Cargo.lock", "version = 4\n")),
    ("no lock file", |m| fs::remove_file(m.path("ws/Cargo.lock")).unwrap()),
    ("a package that was fetched is gone", |m| fs::remove_dir_all(m.path("home/.cargo/registry/src/i/foo-1.0.0")).unwrap()),
    ("its archive is gone", |m| fs::remove_file(m.path("home/.cargo/registry/cache/i/foo-1.0.0.crate")).unwrap()),
    ("its mark is gone", |m| fs::remove_file(m.path("home/.cargo/registry/src/i/foo-1.0.0/.cargo-ok")).unwrap()),
    ("its place in the index is gone", |m| fs::remove_file(m.path("home/.cargo/registry/index/i/.cache/3/f/foo")).unwrap()),
    ("its manifest", |m| m.write("home/.cargo/registry/src/i/foo-1.0.0/Cargo.toml", "[package]\n")),
    ("a build script of its own", |m| m.write("home/.cargo/registry/src/i/foo-1.0.0/build.rs", "")),
    ("a repository is gone", |m| fs::remove_dir_all(m.path("home/.cargo/git/db/g-1")).unwrap()),
    ("a checkout is gone", |m| fs::remove_dir_all(m.path("home/.cargo/git/checkouts/g-1/abc")).unwrap()),
    ("configuration above", |m| m.write(".cargo/config.toml", "")),
    ("configuration by the older name", |m| m.write("ws/.cargo/config", "")),
    ("configuration at home", |m| m.write("home/.cargo/config.toml", "")),
    ("configuration less", |m| fs::remove_file(m.path("ws/.cargo/config.toml")).unwrap()),
    ("what is included", |m| m.write("ws/.cargo/more.toml", "[build]\njobs = 2\n")),
    ("what may be included is there", |m| m.write("ws/.cargo/missing.toml", "")),
    ("a manifest above", |m| m.write("Cargo.toml", "[workspace]\n")),
    ("a manifest between", |m| m.write("ws/crates/Cargo.toml", "[workspace]\n")),
    ("another compiler", |m| {
        m.write("tc/bin/new", "");
        fs::rename(m.path("tc/bin/new"), m.path("tc/bin/rustc")).unwrap();
    }),
    ("another cargo", |m| m.write("tc/bin/cargo", "x")),
    ("what a link leads to", |m| m.write("elsewhere/three/Cargo.toml", "[package]\nname = \"thre3\"\n")),
    ("where a link leads", |m| {
        fs::remove_file(m.path("ws/crates/three")).unwrap();
        symlink("../../elsewhere/four", m.path("ws/crates/three")).unwrap();
    }),
];

/// None of these can.
const OTHERS: &[Change] = &[
    ("nothing", |_| ()),
    ("code", |m| m.write("ws/one/src/main.rs", "fn main() {}\n")),
    ("a text", |m| m.write("ws/crates/notes/text", "x")),
    ("cargo's own notes", |m| m.write("home/.cargo/.global-cache", "x")),
    ("a package nobody needs", |m| m.write("home/.cargo/registry/index/i/.cache/3/b/bar", "")),
];

#[test]
fn whatever_may_change_the_answer_makes_cargo_say_it_again() {
    let machines: Vec<Machine> = CHANGES.iter().chain(OTHERS).map(|_| Machine::new()).collect();
    let young = Machine::new();
    // However busy this machine is: it was written later than now.
    let manifest = fs::File::options().append(true).open(young.path("ws/Cargo.toml")).unwrap();
    manifest.set_modified(std::time::SystemTime::now() + Duration::from_hours(1)).unwrap();
    assert!(young.keep().is_none(), "what was written a moment ago may change unseen");
    assert!(young.recall().is_none());
    machines.iter().for_each(kept);
    for (machine, (what, change)) in machines.iter().zip(CHANGES.iter().chain(OTHERS)) {
        assert_eq!(machine.recall(), Some(known()), "before: {what}");
        change(machine);
        let same = OTHERS.iter().any(|(other, _)| other == what);
        assert_eq!(machine.recall().is_some(), same, "{what}");
    }
}

#[test]
fn another_question_has_another_answer() {
    let machine = Machine::new();
    kept(&machine);
    let asked = |change: &dyn Fn(&mut Command)| {
        let mut command = machine.command();
        change(&mut command);
        machine.ask(&command).recall().is_some()
    };
    assert!(asked(&|_| ()));
    assert!(asked(&|command| _ = command.env("TERM", "xterm")));
    for name in ["CARGO_HOME", "CARGO_BUILD_TARGET", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "PATH", "LD_LIBRARY_PATH"] {
        assert!(!asked(&|command| _ = command.env(name, "/x")), "{name}");
    }
    assert!(!asked(&|command| _ = command.arg("--all-features")));
    assert!(!asked(&|command| _ = command.current_dir(machine.path("ws/one"))));
    fs::create_dir_all(machine.path("other/bin")).unwrap();
    let question = Question::of(&machine.command(), &Steering::default(), &machine.path("other"), &machine.env()).unwrap();
    assert!(question.recall().is_none());
    for typed in [&["build", "--config", "x=1"][..], &["build", "-Zscript"], &["build", "--lockfile-path=x"]] {
        let steering = Steering::read(&typed.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(Question::of(&machine.command(), &steering, &machine.path("tc"), &machine.env()).is_none(), "{typed:?}");
    }
    let mut command = machine.command();
    command.arg("spec.json");
    assert!(Question::of(&command, &Steering::default(), &machine.path("tc"), &machine.env()).is_none());
}

#[test]
fn what_changes_while_cargo_thinks_is_not_kept() {
    let machine = Machine::new();
    kept(&machine);
    forget(&machine.env());
    assert!(machine.recall().is_none());
    assert!(machine.keep_unless(|| machine.write(".cargo/config.toml", "")).is_none());
    assert!(machine.recall().is_none());
}

#[test]
fn a_file_that_is_not_whole_is_none() {
    let machine = Machine::new();
    kept(&machine);
    let brig = machine.path("home/.cache/brig");
    let file = fs::read_dir(&brig).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&file).unwrap();
    for length in [0, 1, FORM.len(), FORM.len() + 3, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(machine.recall(), None, "{length}");
    }
    fs::write(&file, [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(machine.recall(), None);
    // A question of the same name.
    let at = FORM.len() + whole[FORM.len()..].iter().position(|byte| *byte == b'\n').unwrap() + 2;
    let mut other = whole.clone();
    other[at] ^= 1;
    fs::write(&file, other).unwrap();
    assert_eq!(machine.recall(), None);
    fs::write(&file, &whole).unwrap();
    assert_eq!(machine.recall(), Some(known()));
}

#[test]
fn nothing_of_a_run_writes_there() {
    let env = vec![("HOME".into(), "/h".into())];
    let places = Places { workspace: Some("/h/ws".into()), target: "/h/ws/target".into(), tmp: "/tmp/x".into(), ..Places::default() };
    let grants = |write: &[&str]| KernelGrants { write: write.iter().map(PathBuf::from).collect(), ..KernelGrants::default() };
    assert!(is_apart(&env, &places, &grants(&["/h/.cache/miri", "/h/.cargo/registry"])));
    for write in ["/", "/h", "/h/.cache", "/h/.cache/brig", "/h/.cache/brig/x"] {
        assert!(!is_apart(&env, &places, &grants(&[write])), "{write}");
    }
    let at = |places: Places| is_apart(&env, &places, &grants(&[]));
    assert!(!at(Places { workspace: Some("/h".into()), ..places.clone() }));
    assert!(!at(Places { target: "/h/.cache".into(), ..places.clone() }));
    assert!(!at(Places { members: vec!["/h/.cache/brig/x".into()], ..places.clone() }));
}
