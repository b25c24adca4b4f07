//! `cargo brig replay`: what a build of one's own did is done again among decoys, of the recorded commit and lock file, and told act by act.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::habits::done;
use crate::place::{Place, toolchain};
use crate::run::{Outcome, bare, cargo};
use crate::sink::Door;
use crate::suspected::{HONEST, THIEF, offer, version};
use crate::trying::{nothing_is_touched, says};
use crate::who::Who;

const TO: &str = "levels.example-tides.io";

fn own(who: Who, to: &str) -> Place {
    let place = Place::new("suspects/own-thief", who);
    place.write(&place.workspace().join("to.txt"), to);
    place.write(&place.workspace().join(".gitignore"), "/target\n.env\n");
    let cargo = toolchain().join("bin/cargo");
    done(&place, place.workspace(), &[cargo.to_str().unwrap(), "generate-lockfile", "--offline"]);
    place
}

fn git(place: &Place, words: &[&str]) -> String {
    done(place, place.workspace(), &[&["git", "-c", "init.defaultBranch=main"], words].concat())
}

fn commit(place: &Place) -> String {
    git(place, &["add", "."]);
    git(place, &["commit", "-qm", "levels"]);
    git(place, &["rev-parse", "HEAD"]).trim().to_owned()
}

fn committed(who: Who) -> (Place, String) {
    let place = own(who, TO);
    git(&place, &["init", "-q"]);
    let id = commit(&place);
    (place, id)
}

/// The suspicious run, and its report.
fn ran(place: &Place, test: &str) -> Value {
    let file = place.path("run/then.json");
    let outcome = bare(place, &["--json", file.to_str().unwrap(), "test", "--offline", "--test", test]).env("ZOO_WAITS", "1").go();
    outcome.exits(100);
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn replayed(place: &Place, dir: &str, args: &[&str]) -> (Outcome, PathBuf) {
    let evidence = place.path(dir);
    let outcome = bare(place, &[&["replay", "--evidence", evidence.to_str().unwrap()], args].concat()).go();
    (outcome, evidence)
}

fn text(evidence: &Path, name: &str) -> String {
    fs::read_to_string(evidence.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn it_comes_again_of_the_commit_that_was_recorded() {
    for who in Who::all() {
        let place = own(who, "");
        place.write(&place.workspace().join("to.txt"), &format!("127.0.0.1:{}", place.sinks.tcp_port));
        let plain = cargo(&place, &["test", "--offline", "--test", "level"]).go();
        assert!(String::from_utf8_lossy(&place.sinks.heard(Door::Tcp)).contains(&place.canary), "plain cargo: no theft\n{plain}");

        let (place, id) = committed(who);
        let then = ran(&place, "level");
        let source = &then["run"]["source"];
        assert_eq!((source["commit"].as_str(), &source["dirty"]), (Some(&*id), &false.into()), "as {who:?}: {source}");
        assert_eq!(source["lock"].as_str().map(str::len), Some(64), "as {who:?}: {source}");
        // The thief is gone since, a run without an incident is the last, and nothing of it is committed.
        fs::remove_file(place.workspace().join("tests/level.rs")).unwrap();
        commit(&place);
        bare(&place, &["test", "--offline", "--test", "waits"]).go().exits(0);
        place.write(&place.workspace().join("tests/level.rs"), "no rust");

        let (outcome, evidence) = replayed(&place, "run/again", &[]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &[
                &format!("of the commit {id} of this repository"),
                "came again: I1 tests of `tide_gauge` 0.1.0",
                "came again: read `{workspace}/.env` (then refused, now done on a decoy)",
                "went further: sent ",
                "with your `<workspace>/.env`",
                &format!("to `{TO}:80` (http, `POST /level`), proven by canary"),
                "no variable of yours comes along",
                ": the incident came again",
            ],
        );
        let again = text(&evidence, "replay.txt");
        assert!(again.contains("came again: read `{workspace}/.env`") && again.contains("not the same:"), "{again}");
        let letter = text(&evidence, "letter.md");
        for word in ["## Then and now", "`cargo test --offline --test level`", "proven by canary"] {
            assert!(letter.contains(word), "the letter lacks {word:?}:\n{letter}");
        }
        // What was sent stands in the report, in each of its forms.
        let report: Value = serde_json::from_str(&text(&evidence, "report.json")).unwrap();
        let sent = report["incidents"].as_array().unwrap().iter().flat_map(|one| one["sent"].as_array().into_iter().flatten());
        let proven: Vec<&Value> = sent.filter(|one| one["proven"] == true && one["to"] == format!("{TO}:80")).collect();
        assert!(proven.iter().any(|one| one["carried"][0]["place"] == "<workspace>/.env"), "as {who:?}: {}", report["incidents"]);
        assert!(text(&evidence, "report.html").contains("proven by canary") && text(&evidence, "report.md").contains("proven by canary"));
        let stored = evidence.join("report.json");
        let shown = bare(&place, &["report", stored.to_str().unwrap()]).go();
        assert!(shown.stdout_text().contains("proven by canary"), "as {who:?}\n{shown}");
        // A replay is no run of the workspace's.
        let (again, _) = replayed(&place, "run/trial", &[stored.to_str().unwrap()]);
        again.exits(2);
        assert!(again.stderr_text().contains("is of a trial"), "{again}");
    }
}

#[test]
fn what_is_not_the_same_is_told() {
    for who in Who::all() {
        let (place, _) = committed(who);
        // Committed secrets are the user's as well, and what is changed since is in no commit.
        place.write(&place.workspace().join("deploy/token.pem"), &format!("{}-pem", place.canary));
        std::os::unix::fs::symlink("/etc", place.workspace().join("outside")).unwrap();
        std::os::unix::fs::symlink("src/lib.rs", place.workspace().join("inside")).unwrap();
        commit(&place);
        place.write(&place.workspace().join("src/more.rs"), "//! Not committed.\n");
        let then = ran(&place, "level");
        assert_eq!(then["run"]["source"]["dirty"], true, "as {who:?}: {}", then["run"]["source"]);
        let id = then["run"]["id"].as_str().unwrap().to_owned();
        let (outcome, evidence) = replayed(&place, "run/again", &[&id]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &[
                "not all was committed when it ran, and this is the commit without it: `src/more.rs`",
                "decoys lie in place of `deploy/token.pem`",
                "1 link left out",
            ],
        );
        // The commit is gone.
        fs::remove_dir_all(place.workspace().join(".git")).unwrap();
        git(&place, &["init", "-q"]);
        fs::remove_dir_all(place.workspace().join("deploy")).unwrap();
        commit(&place);
        let (gone, _) = replayed(&place, "run/gone", &["--run", &id]);
        gone.exits(2);
        assert!(gone.stderr_text().contains("is not in this repository") && gone.stderr_text().contains("`--here`"), "{gone}");
        let (here, _) = replayed(&place, "run/here", &["--run", &id, "--here"]);
        here.exits(100);
        says(&here, &["it is the directory as it is now, with the same lock file", "came again: read `{workspace}/.env`"]);
    }
}

#[test]
fn without_a_repository_the_lock_file_decides() {
    for who in Who::all() {
        let place = own(who, TO);
        let then = ran(&place, "level");
        assert_eq!(then["run"]["source"]["commit"], Value::Null);
        let (outcome, _) = replayed(&place, "run/same", &[]);
        outcome.exits(100);
        says(&outcome, &["the run was of no git repository", "with the same lock file", "came again: read `{workspace}/.env`"]);

        let lock = place.workspace().join("Cargo.lock");
        fs::write(&lock, fs::read_to_string(&lock).unwrap() + "# another\n").unwrap();
        let (other, _) = replayed(&place, "run/other", &[]);
        other.exits(2);
        assert!(other.stderr_text().contains("the lock file here is not the one that it was built with"), "{other}");
        // Of an older Brig, which wrote down neither; of nobody; of no incident.
        let file = place.path("run/then.json");
        let mut older = then.clone();
        older["run"].as_object_mut().unwrap().remove("source");
        place.write(&file, &older.to_string());
        let (older, _) = replayed(&place, "run/older", &[file.to_str().unwrap()]);
        older.exits(2);
        assert!(older.stderr_text().contains("an older Brig wrote it"), "{older}");
        for (text, why) in [("{\"schema\": ", "the file is cut off"), ("{}", "it has no `schema`")] {
            place.write(&file, text);
            let (odd, _) = replayed(&place, "run/odd", &[file.to_str().unwrap()]);
            odd.exits(2);
            assert!(odd.stderr_text().contains(why), "{odd}");
        }
        let mut elsewhere = then.clone();
        elsewhere["run"]["source"]["member"] = "../..".into();
        place.write(&file, &elsewhere.to_string());
        let (elsewhere, _) = replayed(&place, "run/elsewhere", &[file.to_str().unwrap(), "--here"]);
        elsewhere.exits(2);
        let mut outside = then.clone();
        outside["run"]["command"] = serde_json::json!(["cargo", "build", "--manifest-path", "../../../../../home/code/Cargo.toml"]);
        place.write(&file, &outside.to_string());
        let (outside, _) = replayed(&place, "run/outside", &[file.to_str().unwrap(), "--here"]);
        outside.exits(2);
        assert!(outside.stderr_text().contains("a manifest outside of its repository"), "{outside}");
        // A home that is kept under git is copied by nobody.
        place.write(&place.path("home/diary.txt"), "dear diary");
        done(&place, &place.path("home"), &["git", "-c", "init.defaultBranch=main", "init", "-q"]);
        let (home, _) = replayed(&place, "run/home", &["--here"]);
        home.exits(100);
        says(&home, &[&format!("of the directory {} as it is", place.workspace().canonicalize().unwrap().display())]);
        let mut installs = then;
        installs["run"]["command"] = serde_json::json!(["cargo", "install", "x"]);
        place.write(&file, &installs.to_string());
        let (installs, _) = replayed(&place, "run/installs", &[file.to_str().unwrap(), "--here"]);
        installs.exits(2);
        assert!(installs.stderr_text().contains("`cargo brig try CRATE`"), "{installs}");
    }
}

#[test]
fn what_waits_for_a_variable_stays_away_and_that_is_told() {
    for who in Who::all() {
        let (place, _) = committed(who);
        ran(&place, "waits");
        let (outcome, evidence) = replayed(&place, "run/again", &[]);
        outcome.exits(0);
        nothing_is_touched(&place, &outcome, &evidence);
        says(
            &outcome,
            &[
                "did not come again: I1 tests of `tide_gauge` 0.1.0",
                "did not come again: read `{workspace}/.env`",
                "no variable of yours comes along: what waits for one stays away",
                ": the incident did not come again",
            ],
        );
        assert!(!outcome.stdout_text().contains("proven by canary"), "as {who:?}\n{outcome}");
        // What does not build has not done nothing.
        place.write(&place.workspace().join("src/lib.rs"), "no rust");
        let (unbuilt, _) = replayed(&place, "run/unbuilt", &["--here"]);
        unbuilt.exits(103);
        says(&unbuilt, &["not known, since it did not run to its end", "what would have come since is not known"]);
    }
}

#[test]
fn many_names_are_one_sentence() {
    for who in Who::all() {
        let (place, _) = committed(who);
        ran(&place, "names");
        let (outcome, evidence) = replayed(&place, "run/again", &[]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        let said = outcome.stdout_text();
        let stole: Vec<&str> = said.lines().filter(|line| line.trim_start().starts_with("Stole ")).collect();
        let [line] = stole[..] else { panic!("as {who:?}\n{outcome}") };
        for word in ["looked up ", &format!(" names below `{TO}` with your `<workspace>/.env` ("), "in them, proven by canary"] {
            assert!(line.contains(word), "as {who:?}: {line}\n{outcome}");
        }
        let letter = text(&evidence, "letter.md");
        let lookups = letter.lines().filter(|line| line.contains("tried to look up")).count();
        assert!(lookups <= 2 && letter.contains(&format!("names below `{TO}` — ")), "{lookups}\n{letter}");
        // All of them stand beside it.
        let sent: Value = serde_json::from_str(&text(&evidence, "sent.json")).unwrap();
        let entries = sent["stages"][0]["sent"]["entries"].as_array().unwrap();
        assert!(entries.iter().filter(|entry| entry["protocol"] == "dns").count() > 10, "{sent:#}");
    }
}

/// A member of a workspace that lies in its repository, with a package that is fetched: the versions of the lock file that was recorded.
#[test]
fn what_was_locked_then_is_fetched_again() {
    for who in Who::all() {
        let place = own(who, TO);
        offer(&place, &[version("1.0.0", HONEST), version("1.1.0", THIEF), version("1.2.0", HONEST)]);
        let (top, gauge) = (place.workspace().join("rust"), place.workspace().join("rust/gauge"));
        fs::create_dir_all(&gauge).unwrap();
        for name in ["src", "tests", "to.txt", "Cargo.toml"] {
            fs::rename(place.workspace().join(name), gauge.join(name)).unwrap();
        }
        fs::remove_file(place.workspace().join("Cargo.lock")).unwrap();
        place.write(&place.workspace().join(".gitignore"), "target\n");
        place.write(&top.join("Cargo.toml"), "[workspace]\nmembers = [\"gauge\"]\nresolver = \"3\"\n");
        let manifest = fs::read_to_string(gauge.join("Cargo.toml")).unwrap().replace("[workspace]", "");
        let wants = |version: &str| {
            place.write(&gauge.join("Cargo.toml"), &format!("{manifest}\n[dependencies]\ncourier = {version:?}\n"));
            done(&place, &gauge, &[toolchain().join("bin/cargo").to_str().unwrap(), "fetch"]);
        };
        let run = |args: &[&str]| bare(&place, args).at(&gauge).go();
        git(&place, &["init", "-q"]);
        wants("=1.1.0");
        let id = commit(&place);
        run(&["build"]).exits(100);
        let then = run(&["report", "--json", "-"]);
        let then: Value = serde_json::from_str(&then.stdout_text()).unwrap();
        let source = &then["run"]["source"];
        assert_eq!((&source["within"], &source["member"]), (&"rust".into(), &"gauge".into()), "as {who:?}: {source}");
        wants("=1.2.0");
        commit(&place);
        let again = |dir: &str| {
            let evidence = place.path(dir);
            let outcome = run(&["replay", "--evidence", evidence.to_str().unwrap()]);
            outcome.exits(100);
            nothing_is_touched(&place, &outcome, &evidence);
            outcome
        };
        let outcome = again("run/locked");
        let words = [
            "came again: I1 build script of `courier` 1.1.0",
            "came again: read `{home}/.ssh/id_ed25519` (then refused, now done on a decoy)",
        ];
        says(&outcome, &[&words[..], &[&format!("of the commit {id}")]].concat());

        // It was added, and never committed: the directory is what there is.
        wants("=1.1.0");
        run(&["--fresh", "build"]).exits(100);
        let outcome = again("run/uncommitted");
        says(&outcome, &[&words[..], &["its lock file was not committed, but is the one here: it is the directory as it is now"]].concat());
    }
}

/// A repository's settings name programs. Git starts them; neither a run nor a replay does.
#[test]
fn no_setting_of_the_repositorys_starts_anything() {
    for who in Who::all() {
        let (place, _) = committed(who);
        let marker = place.path("home/marker");
        let touch = format!("touch {}; cat", marker.display());
        place.write(&place.workspace().join(".gitattributes"), "*.rs filter=zoo\n");
        commit(&place);
        for (name, value) in [
            ("filter.zoo.clean", &*touch),
            ("filter.zoo.smudge", &touch),
            ("filter.zoo.required", "true"),
            ("core.fsmonitor", &format!("touch {}; false", marker.display())),
            ("core.hooksPath", "hooks"),
        ] {
            git(&place, &["config", name, value]);
        }
        let hook = place.workspace().join("hooks/post-checkout");
        place.write(&hook, &format!("#!/bin/sh\ntouch {}\n", marker.display()));
        fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        git(&place, &["checkout", "-qf", "HEAD", "--", "."]);
        git(&place, &["status", "--porcelain"]);
        assert!(marker.exists(), "plain git: nothing was started");
        fs::remove_file(&marker).unwrap();
        let then = ran(&place, "level");
        assert_eq!(then["run"]["source"]["dirty"], false, "as {who:?}: {}", then["run"]["source"]);
        assert!(!marker.exists(), "as {who:?}: the run started it");
        let (outcome, evidence) = replayed(&place, "run/again", &[]);
        outcome.exits(100);
        nothing_is_touched(&place, &outcome, &evidence);
        assert!(!marker.exists(), "as {who:?}: the replay started it\n{outcome}");
    }
}

/// A report that came with the repository is no run of the user's: it is replayed by whoever names it, and by nobody else.
#[test]
fn a_report_that_the_repository_brought_is_not_taken_for_ones_own() {
    for who in Who::all() {
        let (place, _) = committed(who);
        ran(&place, "waits");
        git(&place, &["add", "-f", "target/brig"]);
        git(&place, &["commit", "-qm", "reports"]);
        let (outcome, evidence) = replayed(&place, "run/theirs", &[]);
        outcome.exits(2);
        for word in ["is not taken for one of yours: it came with the repository", "name the file"] {
            assert!(outcome.stderr_text().contains(word), "as {who:?}\n{outcome}");
        }
        assert!(!evidence.exists(), "as {who:?}\n{outcome}");
        let shown = bare(&place, &["report"]).go();
        assert!(shown.code == 2 && shown.stderr_text().contains("it came with the repository"), "as {who:?}\n{shown}");
        let file = place.workspace().join("target/brig/report.json");
        bare(&place, &["report", file.to_str().unwrap()]).go().exits(0);
        let (named, _) = replayed(&place, "run/named", &[file.to_str().unwrap()]);
        named.exits(0);
        says(&named, &[": the incident did not come again"]);
    }
}
