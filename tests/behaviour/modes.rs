//! Modes and promises beyond the single case: observing, builds in which nothing runs, the environment, and a report that nobody
//! inside the build can forge.

use std::fs;

use cargo_brig::model::sha256;
use cargo_brig::report::Format;

use crate::effect::spilled;
use crate::finding::{expect, expect_silence, refused};
use crate::place::{Place, visit};
use crate::run::guarded;
use crate::sink::Door;
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

#[test]
fn observing_refuses_nothing_and_tells_everything() {
    for who in Who::all() {
        let place = Place::new("04-sh-unawaited", who);
        let outcome = guarded(&place, &["--mode", "observe"], BUILD).go();
        outcome.exits(0);
        assert_eq!(outcome.report()["outcome"]["verdict"], "observed", "{outcome}");
        let observed = refused(&["secret/read"], "build-info", &["build-script"]).as_status(&["observed"]);
        expect(&outcome, &[observed]);
        let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
        let stolen = || String::from_utf8_lossy(&place.sinks.heard(Door::Tcp)).contains(&place.canary);
        while !stolen() && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert!(stolen(), "observe mode got in the way\n{outcome}");
        assert!(outcome.stderr_text().contains("id_ed25519"), "credentials to rotate are not named\n{outcome}");
        let report = fs::read_to_string(place.path("report/report.json")).unwrap();
        assert!(!report.contains(&place.canary), "a secret's value is in the report\n{outcome}");
    }
}

#[test]
fn a_second_build_runs_nothing_and_says_so() {
    for who in Who::all() {
        let place = Place::new("honest-macros", who);
        fs::remove_file(place.workspace().join(".env")).unwrap();
        assert_eq!(guarded(&place, &[], BUILD).go().exits(0).report()["outcome"]["verdict"], "clean");
        let again = guarded(&place, &[], BUILD).go();
        assert_eq!(again.exits(0).report()["outcome"]["verdict"], "not-run", "{again}");
        let fresh = guarded(&place, &["--fresh"], BUILD).go();
        assert_eq!(fresh.exits(0).report()["outcome"]["verdict"], "clean", "{fresh}");
        assert_eq!(fresh.report()["coverage"]["ran"]["build-script"], 1, "{fresh}");
    }
}

#[test]
fn a_thief_whose_build_is_fresh_is_not_called_clean() {
    let place = Place::new("12-authorized-keys", Who::Myself);
    crate::run::cargo(&place, BUILD).go().exits(0);
    let outcome = guarded(&place, &[], BUILD).go();
    assert_eq!(outcome.exits(0).report()["outcome"]["verdict"], "not-run", "{outcome}");
    guarded(&place, &["--fresh"], BUILD).go().exits(100);
}

#[test]
fn tokens_in_the_environment_do_not_reach_build_scripts() {
    for who in Who::all() {
        let place = Place::new("environment", who);
        crate::run::cargo(&place, BUILD).go().exits(0);
        assert!(!spilled(&place, &crate::run::cargo(&place, BUILD).go()).is_empty(), "plain cargo must hand the token on");
        place.again();
        let outcome = guarded(&place, &[], BUILD).go();
        expect_silence(outcome.exits(0));
        assert!(spilled(&place, &outcome).is_empty(), "{:?}\n{outcome}", spilled(&place, &outcome));
        let actors = outcome.report()["actors"].as_array().unwrap();
        let withheld =
            |actor: &&serde_json::Value| actor["withheld"].as_array().is_some_and(|names| names.contains(&"CARGO_REGISTRY_TOKEN".into()));
        assert!(actors.iter().any(|actor| withheld(&actor)), "not told that the token was withheld\n{outcome}");
        // What cargo itself tells a build script is never withheld.
        let mut kept = String::new();
        visit(&place.target(), &mut |path| {
            if path.file_name().is_some_and(|name| name == "environment") {
                kept = fs::read_to_string(path).unwrap();
            }
        });
        for name in ["OUT_DIR=", "CARGO_PKG_NAME=env-dumper", "TARGET=", "PATH=", "HOME=", "ZOO_TCP="] {
            assert!(kept.lines().any(|line| line.starts_with(name)), "{name} is gone\n{outcome}");
        }
    }
}

#[test]
fn what_cargo_remembers_of_the_environment_is_not_for_reading() {
    for who in Who::all() {
        let place = Place::new("fingerprints", who);
        let found = || {
            let mut text = String::new();
            visit(&place.target(), &mut |path| {
                if path.file_name().is_some_and(|name| name == "found") {
                    text = fs::read_to_string(path).unwrap();
                }
            });
            text
        };
        crate::run::cargo(&place, BUILD).go().exits(0);
        assert!(found().contains(&place.canary), "plain cargo must leave the token there");
        place.again();
        let outcome = guarded(&place, &[], BUILD).go();
        expect(&outcome, &[refused(&["secret/read"], "reader", &["build-script"])]);
        assert!(!found().contains(&place.canary), "{outcome}");
        assert!(!found().is_empty(), "the hashes, which nested cargos need, are withheld as well\n{outcome}");
    }
}

#[test]
fn the_report_cannot_be_forged_from_inside() {
    for who in Who::all() {
        let place = Place::new("24-forgery", who);
        let outcome = guarded(&place, &[], &["run", "--offline"]).env("GITHUB_ACTIONS", "true").go();
        outcome.exits(100);
        for (stream, text) in [("stdout", outcome.stdout_text()), ("stderr", outcome.stderr_text())] {
            assert!(!text.contains("\x1b]0;title"), "a raw escape of a file name is on {stream}\n{outcome}");
            assert!(!text.lines().any(|line| line.starts_with("::error::zoo")), "a file name is a workflow command on {stream}\n{outcome}");
        }
        let all = outcome.stdout_text() + &outcome.stderr_text();
        let fence = all.lines().filter_map(|line| line.strip_prefix("::stop-commands::")).find(|token| *token != "zoo");
        let fence = fence.unwrap_or_else(|| panic!("cargo's output is not fenced\n{outcome}"));
        assert!(all.lines().any(|line| line == format!("::{fence}::")), "the fence is not opened again\n{outcome}");
        let report = fs::read_to_string(place.path("report/report.json")).unwrap();
        assert!(report.contains(r"bad\\xff\n::error::zoo\u001b]0;title"), "the name is not kept byte for byte\n{report}");
    }
}

#[test]
fn every_format_escapes_hostile_names() {
    let place = Place::new("24-forgery", Who::Myself);
    let files = Format::ALL.map(|format| (format.option(), place.path(&format!("run/out{}", format.option()))));
    let [is_json, is_list] =
        [&["--json", "--events", "--in-toto", "--trace"][..], &["--egress"]].map(|all| move |option: &str| all.contains(&option));
    let options: Vec<&str> = files.iter().flat_map(|(option, path)| [*option, path.to_str().unwrap()]).collect();
    let outcome = guarded(&place, &options, &["run", "--offline"]).go();
    outcome.exits(100);
    for (option, path) in &files {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{option}: {error}\n{outcome}"));
        assert!(is_list(option) || text.contains("bad"), "{option}: the name is missing\n{text}");
        assert!(!text.contains(['\x1b', '\r', '\u{7}']), "{option}: a raw control character\n{text}");
        // JSON keeps every letter; what is shown to people must not turn their reading around.
        assert!(is_json(option) || !text.contains('\u{202e}'), "{option}: a raw bidi control\n{text}");
        assert!(!text.lines().any(|line| line.starts_with("::error::zoo")), "{option}: a workflow command\n{text}");
        let markup = text.contains("<b>|`<details>") || text.contains("<details>`");
        let is_data = is_json(option) || ["--sarif", "--code-quality"].contains(option);
        assert!(is_data || !markup, "{option}: raw markup\n{text}");
        assert!(!text.contains(&place.canary), "{option}: the canary\n{text}");
    }
    // What is to be signed is about the very file that was written beside it.
    let written = |format: Format| fs::read(place.path(&format!("run/out{}", format.option()))).unwrap();
    let statement: serde_json::Value = serde_json::from_slice(&written(Format::InToto)).unwrap();
    assert_eq!(statement["subject"][0]["digest"]["sha256"], sha256::hex(&written(Format::Json)).as_str());
    let kept = fs::read(place.path("report/report.json")).unwrap();
    assert_eq!(kept, written(Format::Json));
}

#[test]
fn findings_are_the_same_in_every_run() {
    let prints = || {
        let place = Place::new("12-authorized-keys", Who::Myself);
        let outcome = guarded(&place, &[], BUILD).go();
        let findings = outcome.exits(100).report()["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["fingerprint"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(prints(), prints());
}

/// As people build, with incremental state: nothing that is drawn at random may be left in the record.
#[test]
fn the_same_build_gives_the_same_report() {
    let place = Place::new("honest-macros", Who::Myself).incremental();
    fs::remove_file(place.workspace().join(".env")).unwrap();
    let record = || {
        place.clean();
        let outcome = guarded(&place, &[], &["test", "--offline"]).go();
        let mut report = outcome.exits(0).report().clone();
        // What a run is, and when and as whom something ran, is its own.
        report["run"] = serde_json::Value::Null;
        for process in report["processes"].as_array_mut().unwrap() {
            ["pid", "parent", "started_ms"].iter().for_each(|key| process[key] = 0.into());
        }
        for actor in report["actors"].as_array_mut().unwrap() {
            ["pid", "ran"].iter().for_each(|key| actor[key] = 0.into());
        }
        report["behaviour"].as_array_mut().unwrap().iter_mut().for_each(|did| did["first_ms"] = 0.into());
        serde_json::to_string_pretty(&report).unwrap()
    };
    let (one, two) = (record(), record());
    let differing: Vec<_> = one.lines().zip(two.lines()).filter(|(one, two)| one != two).take(20).collect();
    assert!(one.contains(".rcgu.o") && one.lines().count() > 1000, "nothing was recorded");
    assert!(one == two, "{differing:#?}");
}

#[test]
fn a_build_script_cannot_reach_policy_or_report() {
    for who in Who::all() {
        let place = Place::new("tool-attack", who);
        place.write(&place.workspace().join("brig.toml"), "version = 1\n");
        let outcome = guarded(&place, &[], BUILD).go();
        outcome.exits(100);
        assert_eq!(fs::read_to_string(place.workspace().join("brig.toml")).unwrap(), "version = 1\n", "{outcome}");
        expect(&outcome, &[refused(&["fs/persist", "fs/write-source", "fs/write-outside"], "tool-attacker", &["build-script"])]);
        assert!(!place.path("report/zoo").exists(), "{outcome}");
    }
}
