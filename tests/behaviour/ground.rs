//! Weaker ground: older kernels and containers (see `grounds`). On each a build either holds — thieves are stopped and named, honest code is
//! left in peace, the report says exactly what is weaker — or it stops with 104 and says what to change; and `cargo-brig doctor`, asked on
//! that very ground, says so before. The whole matrix is `scripts/grounds`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use cargo_brig::model::calls;

use crate::effect::{Before, Effect, spilled};
use crate::finding::{expect, expect_silence, refused};
use crate::footing;
use crate::grounds::{Fate, Ground, SECCOMP, UDP, all};
use crate::place::Place;
use crate::run::{Outcome, Run, bare, cargo, guarded, shell};
use crate::sink::Door;
use crate::who::Who;
use crate::zoo::Process;

const BUILD: &[&str] = &["build", "--offline"];
const SCRIPT: &[&str] = &["build-script"];

/// Files, processes, the network, names: one thief for each way out.
const THIEVES: &[&str] = &[
    "04-sh-unawaited/build-info",
    "15-runner-memory/deps/changed-files",
    "16-fastopen/deps/fast-opener",
    "17-dns-labels/deps/dns-labels",
    "21-aliases/deps/aliaser",
    "28-abstract-names/deps/abstract-caller",
];
const HONEST: &[&str] = &[
    "honest-scripts/deps/c-library",
    "honest-scripts/deps/process-lister",
    "honest-scripts/deps/rustc-probe",
    "honest-scripts/deps/temp-user",
];

/// The weakest of each sort: what holds there holds on the others.
const BUILT_ON: &[&str] = &["landlock-2-loopback-device", "no-user-namespaces", "docker", "proc-hidepid"];

#[test]
fn doctor_says_what_will_become_of_a_build() {
    for who in Who::all() {
        let plain = ordinary(who);
        for ground in all() {
            let place = Place::new("honest-run", who);
            fs::remove_file(place.workspace().join(".env")).unwrap();
            if !there(&ground, &place) {
                continue;
            }
            told_apart(&ground, &place);
            let doctor = asked(&ground, &place, &plain);
            if let Fate::Stops(_) = ground.fate(who) {
                stops(&ground, &place, &doctor);
            }
        }
    }
}

/// A profile may ask for more than the least: then doctor answers for that one, and `--allow-degraded` is told to both.
#[test]
fn doctor_answers_for_the_profile_that_is_asked_for() {
    let place = Place::new("honest-run", Who::Myself);
    fs::remove_file(place.workspace().join(".env")).unwrap();
    for (options, abi, code) in
        [(&["--policy", "ci"][..], "2", 104), (&["--policy", "ci", "--allow-degraded"], "2", 0), (&["--policy", "ci"], "4", 0)]
    {
        let doctor = bare(&place, &[options, &["doctor"]].concat()).env("BRIG_LANDLOCK_ABI", abi).go();
        let build = guarded(&place, options, BUILD).env("BRIG_LANDLOCK_ABI", abi).go();
        assert_eq!((doctor.code, build.code), (code, code), "{doctor}\n{build}");
        let words = "this kernel has Landlock ABI 2, the profile requires 4";
        assert_eq!(doctor.stdout_text().contains(words), code == 104, "{doctor}");
        assert_eq!(build.stderr_text().contains(words), code == 104, "{build}");
    }
}

#[test]
fn thieves_are_stopped_and_honest_code_is_left_in_peace() {
    for who in Who::all() {
        let plain = ordinary(who);
        for ground in all().iter().filter(|ground| BUILT_ON.contains(&ground.name)) {
            holds(ground, who, &plain);
        }
    }
}

#[test]
fn servers_are_met_in_a_container() {
    for who in Who::all() {
        for ground in all().iter().filter(|ground| ground.name == "docker") {
            tests_as_before(ground, who);
        }
    }
}

/// What the reports say of signals and of `truncate` is so: below Landlock 3 the gate alone holds the one, below 6 the other.
#[test]
fn what_an_older_landlock_loses_the_gate_still_holds() {
    for who in Who::all() {
        let kills = |run: &dyn Fn(&Place) -> Run<'_>| {
            let place = Place::new("old-kernels", who);
            place.hand_over();
            let mut victim = Process(Some(sleeper(&place)));
            let pid = victim.0.as_ref().unwrap().id().to_string();
            let before = Before::look(&place, &[TRUNCATED]);
            let outcome = run(&place).env("ZOO_VICTIM", pid).go();
            let ended = victim.0.as_mut().unwrap().try_wait().unwrap().is_some();
            (ended, TRUNCATED.seen(&place, &outcome, &before), outcome)
        };
        let (ended, emptied, plain) = kills(&|place| cargo(place, BUILD));
        assert!(ended && emptied, "as {who:?}: both work under plain cargo\n{plain}");
        for abi in ["7", "5", "2"] {
            let (ended, emptied, outcome) = kills(&|place| guarded(place, &[], BUILD).env("BRIG_LANDLOCK_ABI", abi));
            outcome.exits(100);
            assert!(!emptied, "as {who:?}, Landlock {abi}: the keys are gone\n{outcome}");
            assert!(!ended, "as {who:?}, Landlock {abi}: the victim is gone\n{outcome}");
            expect(&outcome, &[refused(&["fs/persist"], "old-hand", SCRIPT), refused(&["proc/tamper"], "old-hand", SCRIPT)]);
            let told = weaker(outcome.report()).iter().any(|what| what == "signals are not walled");
            assert_eq!(told, abi != "7" || landlock_here() < 6, "as {who:?}, Landlock {abi}: told so\n{outcome}");
        }
    }
}

#[test]
fn a_supervisor_cannot_be_killed_where_landlock_would_let_it() {
    for who in Who::all() {
        let place = Place::new("old-kernels", who);
        let before = Before::look(&place, &[TRUNCATED]);
        let outcome = guarded(&place, &[], BUILD).env("BRIG_LANDLOCK_ABI", "5").env("ZOO_VICTIM", "supervisor").go();
        outcome.exits(100);
        assert!(outcome.report()["coverage"]["complete"] == true, "{outcome}");
        for rule in ["fs/persist", "proc/tamper", "secret/read", "net/connect"] {
            assert!(outcome.report()["findings"].as_array().unwrap().iter().any(|one| one["rule"] == *rule), "{rule}\n{outcome}");
        }
        assert!(!TRUNCATED.seen(&place, &outcome, &before), "{outcome}");
        assert_eq!(spilled(&place, &outcome), Vec::<String>::new(), "{outcome}");
        assert_eq!(place.sinks.heard(Door::Tcp), b"", "{outcome}");
    }
}

#[test]
fn dockers_refusals_are_the_calls_they_are_named_for() {
    let mut known = 0;
    for line in SECCOMP.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = words[if cfg!(target_arch = "x86_64") { 1 } else { 2 }];
        if let Some(row) = calls::table().iter().find(|row| row.name == words[0]) {
            known += 1;
            assert_eq!(number.parse(), Ok(row.number), "{line}");
        }
    }
    assert!(known > 40, "{known}");
}

/// Every ground, every thief, every honest habit; one line of a table for each. Told straight to stdout, for the script.
#[test]
#[ignore = "takes minutes: scripts/grounds runs it"]
fn the_whole_matrix() {
    let only = std::env::var("BRIG_GROUND").unwrap_or_default();
    for ground in all().iter().filter(|ground| only.is_empty() || ground.name == only) {
        for who in Who::all() {
            let plain = ordinary(who);
            let place = Place::new("honest-run", who);
            fs::remove_file(place.workspace().join(".env")).unwrap();
            if !there(ground, &place) {
                continue;
            }
            told_apart(ground, &place);
            let doctor = asked(ground, &place, &plain);
            let (build, sockets, weak) = match ground.fate(who) {
                Fate::Stops(_) => {
                    let outcome = stops(ground, &place, &doctor);
                    let text = outcome.stderr_text();
                    let line = text.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
                    (format!("stops: {line}"), String::new(), String::new())
                }
                Fate::Holds { .. } => {
                    let outcome = holds(ground, who, &plain);
                    let report = outcome.report();
                    let code = tests_as_before(ground, who);
                    let weak: Vec<_> = weaker(report).difference(&plain.weaker).cloned().collect();
                    let refused = report["outcome"]["counts"]["refused"].as_u64().unwrap_or(0);
                    let without = report["enforcement"]["sockets"] == "no-sockets";
                    let tests = match code {
                        0 => "tests pass",
                        _ if without => "tests with sockets fail",
                        _ => "tests fail as without Brig",
                    };
                    (format!("holds: {refused} refused, {tests}"), text(&report["enforcement"]["sockets"]), weak.join("; "))
                }
            };
            let name = if who.is_root() { "root" } else { "user" };
            let row = [ground.name, name, &doctor.code.to_string(), &build, &sockets, &weak].join(" | ");
            writeln!(std::io::stdout(), "| {row} |").unwrap();
        }
    }
}

const TRUNCATED: Effect = Effect::Touches("home/.ssh/authorized_keys");

/// What doctor says of the ground the tests themselves stand on.
struct Plain {
    weaker: BTreeSet<String>,
    sockets: &'static str,
}

fn ordinary(who: Who) -> Plain {
    let place = Place::new("honest-run", who);
    let doctor = bare(&place, &["doctor"]).go();
    doctor.exits(0);
    let weaker = lines(&doctor, "weaker");
    let shared = weaker.contains("no private network");
    Plain { weaker, sockets: if shared { "loopback-device" } else { "private-network" } }
}

fn landlock_here() -> u32 {
    let place = Place::new("honest-run", Who::Myself);
    let doctor = bare(&place, &["doctor"]).go();
    lines(&doctor, "ok").iter().find_map(|line| line.strip_prefix("Landlock ABI ")?.parse().ok()).expect("a Landlock ABI")
}

fn standing<'a>(run: Run<'a>, ground: &Ground, place: &Place) -> Run<'a> {
    ground.lowers.iter().fold(run.on(&(ground.steps)(place)), |run, (name, value)| run.env(name, *value))
}

/// Can this ground be had here? Where the tests may not make namespaces, some cannot, which must be heard of.
fn there(ground: &Ground, place: &Place) -> bool {
    place.hand_over();
    let mut command = Command::new("true");
    footing::put_under(&mut command, &(ground.steps)(place), place.who);
    match command.stdin(Stdio::null()).status() {
        Ok(_) => true,
        Err(error) => {
            writeln!(std::io::stderr(), "note: no ground `{}` as {:?} here: {error}", ground.name, place.who).ok();
            false
        }
    }
}

/// The control: a shell can tell this ground from the ordinary one.
fn told_apart(ground: &Ground, place: &Place) {
    if ground.tells.is_empty() {
        return;
    }
    let here = standing(shell(place, &ground.tells), ground, place).go();
    assert_eq!(here.code, 0, "{} is no weaker ground\n{here}", ground.name);
    let there = shell(place, &ground.tells).go();
    assert_ne!(there.code, 0, "{}: all ground is like that here\n{there}", ground.name);
}

/// Asks doctor, whose answer must be the ground's fate.
fn asked(ground: &Ground, place: &Place, plain: &Plain) -> Outcome {
    let doctor = standing(bare(place, &["doctor"]), ground, place).go();
    let at = format!("{} as {:?}\n{doctor}", ground.name, place.who);
    match ground.fate(place.who) {
        Fate::Holds { .. } => {
            assert_eq!(doctor.code, 0, "{at}");
            assert_eq!(lines(&doctor, "weaker"), expected(ground, place.who, plain), "{at}");
            assert!(doctor.stdout_text().ends_with("The profile `default` can be enforced here.\n"), "{at}");
        }
        Fate::Stops(words) => {
            assert_eq!(doctor.code, 104, "{at}");
            assert!((doctor.stdout_text() + &doctor.stderr_text()).contains(words), "does not say `{words}`: {at}");
        }
    }
    doctor
}

/// A build must stop before anything is built, for the reason doctor gave.
fn stops(ground: &Ground, place: &Place, doctor: &Outcome) -> Outcome {
    let outcome = standing(guarded(place, &[], BUILD), ground, place).go();
    let at = format!("{} as {:?}\n{outcome}", ground.name, place.who);
    assert_eq!(outcome.code, 104, "{at}");
    let Fate::Stops(words) = ground.fate(place.who) else { unreachable!("asked by its fate") };
    let text = outcome.stderr_text();
    assert!(text.contains(words) && text.contains("  help: "), "does not say `{words}`: {at}");
    for what in lines(doctor, "missing").iter().take(1) {
        assert!(text.contains(&format!("error: {what}: ")), "doctor said {what}: {at}");
    }
    assert!(!place.target().join("debug").exists(), "something was built: {at}");
    assert!(outcome.report.is_none(), "a report of nothing: {at}");
    outcome
}

/// Thieves and honest crates in one build.
fn holds(ground: &Ground, who: Who, plain: &Plain) -> Outcome {
    let place = Place::new("honest-run", who);
    place.gather(&[THIEVES, HONEST].concat());
    fs::hard_link(place.path("home/.ssh/id_ed25519"), place.workspace().join("deps/aliaser/notes.txt")).unwrap();
    let _runner = Process(Some(place.runner_worker()));
    let outcome = standing(guarded(&place, &[], BUILD), ground, &place).go();
    let at = format!("{} as {who:?}\n{outcome}", ground.name);
    let mut finds = vec![
        refused(&["secret/read"], "build-info", SCRIPT),
        refused(&["exec/downloader"], "build-info", SCRIPT).blaming("build_script_build"),
        refused(&["secret/then-network"], "build-info", SCRIPT),
        refused(&["net/connect"], "fast-opener", SCRIPT).blaming("build_script_build"),
        refused(&["net/connect"], "dns-labels", SCRIPT).blaming("build_script_build"),
        refused(&["secret/read"], "aliaser", SCRIPT).blaming("build_script_build"),
        refused(&["ipc/agent"], "abstract-caller", SCRIPT).blaming("build_script_build"),
    ];
    if ground.sees_others(who) {
        finds.push(refused(&["proc/tamper"], "changed-files", SCRIPT).blaming("build_script_build"));
    }
    expect(&outcome, &finds);
    outcome.exits(100);
    let report = outcome.report();
    assert_eq!(report["outcome"]["cargo_exit"], 0, "honest code was kept from its work: {at}");
    assert_eq!(report["coverage"]["complete"], true, "{at}");
    assert_eq!(spilled(&place, &outcome), Vec::<String>::new(), "{at}");
    for door in Door::ALL {
        assert_eq!(place.sinks.heard(door), b"", "something arrived at {door:?}: {at}");
    }
    let Fate::Holds { sockets, .. } = ground.fate(who) else { unreachable!("asked by its fate") };
    assert_eq!(weaker(report), expected(ground, who, plain), "{at}");
    assert_eq!(report["enforcement"]["sockets"], plain.sockets_if_worse(sockets), "{at}");
    outcome
}

/// Tests with servers and children come out as plain cargo's do on the same ground, in silence. Their exit code.
fn tests_as_before(ground: &Ground, who: Who) -> i32 {
    let place = Place::new("honest-tests", who);
    fs::remove_file(place.workspace().join(".env")).unwrap();
    let args = ["test", "--offline"];
    let plain = standing(cargo(&place, &args), ground, &place).go();
    place.clean();
    let outcome = standing(guarded(&place, &[], &args), ground, &place).go();
    if outcome.report()["enforcement"]["sockets"] == "no-sockets" {
        assert_eq!((plain.code, outcome.code), (0, 100), "{} as {who:?}\n{plain}\n{outcome}", ground.name);
    } else {
        assert_eq!(outcome.code, plain.code, "{} as {who:?}\n{plain}\n{outcome}", ground.name);
        expect_silence(&outcome);
    }
    outcome.code
}

impl Plain {
    /// A machine that has no private network itself makes none on weaker ground.
    fn sockets_if_worse(&self, sockets: &'static str) -> &'static str {
        if sockets == "private-network" { self.sockets } else { sockets }
    }
}

/// What is weaker on this ground: what is weaker anyway, and what it lacks itself.
fn expected(ground: &Ground, who: Who, plain: &Plain) -> BTreeSet<String> {
    let Fate::Holds { weaker, .. } = ground.fate(who) else { unreachable!("asked by its fate") };
    let walled = |what: &str| what == UDP && landlock_here() >= 10;
    plain.weaker.iter().cloned().chain(weaker.iter().filter(|what| !walled(what)).map(|what| (*what).to_owned())).collect()
}

/// Doctor's lines of one sort.
fn lines(doctor: &Outcome, sort: &str) -> BTreeSet<String> {
    doctor.stdout_text().lines().filter_map(|line| line.trim_start().strip_prefix(sort)?.strip_prefix(' ')).map(str::to_owned).collect()
}

fn weaker(report: &serde_json::Value) -> BTreeSet<String> {
    report["enforcement"]["degraded"].as_array().expect("degraded").iter().map(|weak| text(&weak["what"])).collect()
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Somebody of the same user, outside.
fn sleeper(place: &Place) -> Child {
    let mut command = Command::new("sleep");
    place.who.apply(&mut command);
    command.arg("300").stdin(Stdio::null()).spawn().unwrap()
}
