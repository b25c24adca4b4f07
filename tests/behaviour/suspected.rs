//! Which crate `cargo brig try` is to look at: one that a finding names, two versions beside each other. Registries lie on this machine.

use std::fs;

use serde_json::Value;

use crate::habits::done;
use crate::place::Place;
use crate::run::bare;
use crate::trying::says;
use crate::who::Who;

pub const HONEST: &str = "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }\n";
pub const THIEF: &str = "fn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    let home = std::env::var(\"HOME\").unwrap();\n    let _ = std::fs::read(format!(\"{home}/.ssh/id_ed25519\"));\n}\n";

pub struct Version<'a> {
    number: &'a str,
    script: &'a str,
    yanked: bool,
}

pub fn version<'a>(number: &'a str, script: &'a str) -> Version<'a> {
    Version { number, script, yanked: false }
}

/// A local registry in place of the public one, with versions of `courier`.
pub fn offer(place: &Place, versions: &[Version]) {
    let registry = place.path("home/registry");
    fs::create_dir_all(registry.join("index/co/ur")).unwrap();
    let mut index = String::new();
    for Version { number, script, yanked } in versions {
        let top = format!("courier-{number}");
        let source = place.path("home/source").join(&top);
        fs::create_dir_all(source.join("src")).unwrap();
        place.write(&source.join("Cargo.toml"), &format!("[package]\nname = \"courier\"\nversion = \"{number}\"\nedition = \"2021\"\n"));
        place.write(&source.join("build.rs"), script);
        place.write(&source.join("src/lib.rs"), "pub fn carry() -> u32 {\n    7\n}\n\npub fn of(_: std::process::Child) {}\n");
        let file = registry.join(format!("{top}.crate"));
        done(place, &place.path("home/source"), &["tar", "-czf", file.to_str().unwrap(), &top]);
        let sum = done(place, &registry, &["sha256sum", file.to_str().unwrap()]);
        let sum = sum.split_whitespace().next().unwrap();
        index += &format!(
            "{{\"name\":\"courier\",\"vers\":\"{number}\",\"deps\":[],\"cksum\":\"{sum}\",\"features\":{{}},\"yanked\":{yanked}}}\n"
        );
    }
    place.write(&registry.join("index/co/ur/courier"), &index);
    let settings = format!("[source.crates-io]\nreplace-with = \"near\"\n[source.near]\nlocal-registry = {registry:?}\n");
    place.write(&place.path("home/.cargo/config.toml"), &settings);
}

#[test]
fn the_crate_that_a_finding_names_is_tried_as_it_was_built() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        offer(&place, &[version("1.0.0", HONEST), version("1.1.0", THIEF), version("1.2.0", HONEST)]);
        let app = place.workspace();
        let beside = app.join("beside");
        fs::create_dir_all(beside.join("src")).unwrap();
        place.write(&beside.join("Cargo.toml"), "[package]\nname = \"beside\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        place.write(&beside.join("build.rs"), THIEF);
        place.write(&beside.join("src/lib.rs"), "pub fn nothing() {}\n");
        let manifest = fs::read_to_string(app.join("Cargo.toml")).unwrap();
        let wants = |version: &str| format!("{manifest}\n[dependencies]\ncourier = {version:?}\nbeside = {{ path = \"beside\" }}\n");
        place.write(&app.join("Cargo.toml"), &wants("=1.1.0"));
        bare(&place, &["try", "--from", "F1"]).go().exits(2);
        let built = bare(&place, &["--json", place.path("run/built.json").to_str().unwrap(), "build"]).go();
        built.exits(100);
        let report: Value = serde_json::from_slice(&fs::read(place.path("run/built.json")).unwrap()).unwrap();
        let id = |name: &str| {
            let named = |finding: &&Value| {
                let actor = report["actors"].as_array().unwrap().iter().find(|actor| actor["id"] == finding["actor"]);
                finding["offender"]["name"] == name || actor.is_some_and(|actor| actor["package"]["name"] == name)
            };
            report["findings"].as_array().unwrap().iter().find(named).and_then(|finding| finding["id"].as_str()).unwrap().to_owned()
        };
        for (name, version, from) in [("courier", "1.1.0", "from the registry"), ("beside", "0.1.0", "from the directory ")] {
            let evidence = place.path(&format!("run/{name}"));
            let outcome = bare(&place, &["try", "--evidence", evidence.to_str().unwrap(), "--from", &id(name)]).go();
            outcome.exits(100);
            says(&outcome, &[&format!("Trying {name} {version} among decoys"), from, &format!("Caught {name} {version}")]);
            let tried: Value = serde_json::from_slice(&fs::read(evidence.join("report.json")).unwrap()).unwrap();
            assert!(tried["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "secret/read"), "{outcome}");
            // Where in its source, whichever way it was had.
            let letter = fs::read_to_string(evidence.join("letter.md")).unwrap();
            assert!(letter.contains("In its source: `build.rs:1`"), "{letter}");
        }
        // What was not called is told, with the reason.
        let outcome = bare(&place, &["try", "--evidence", place.path("run/calls").to_str().unwrap(), "courier@1.0.0"]).go();
        outcome.exits(0);
        says(&outcome, &["calls 1 of 2 functions and macros that it is seen to offer"]);
        let calls = fs::read_to_string(place.path("run/calls/calls.txt")).unwrap();
        assert!(calls.contains("not called: courier::of: ") && calls.contains("called: courier::carry\n"), "{calls}");

        let unknown = bare(&place, &["try", "--from", "F99"]).go();
        unknown.exits(2);
        assert!(unknown.stderr_text().contains("no finding or incident \"F99\""), "{unknown}");
        // The workspace has gone on.
        place.write(&app.join("Cargo.toml"), &wants("=1.2.0"));
        done(&place, app, &[crate::place::toolchain().join("bin/cargo").to_str().unwrap(), "fetch"]);
        let gone = bare(&place, &["try", "--from", &id("courier")]).go();
        gone.exits(2);
        assert!(gone.stderr_text().contains("no longer built with courier 1.1.0"), "{gone}");
        assert!(gone.stderr_text().contains("`cargo brig try courier@1.1.0`"), "{gone}");
    }
}

/// Keys of a workspace, packages beside it, a file above it; what another member needs is not even fetched.
#[test]
fn a_member_of_a_workspace_is_tried_with_what_it_needs() {
    for who in Who::all() {
        let place = Place::new("suspects/member", who);
        let evidence = place.path("run/member");
        let outcome = bare(&place, &["try", "--evidence", evidence.to_str().unwrap(), "./crates/one"]).go();
        outcome.exits(0);
        says(
            &outcome,
            &[
                "Trying one 2.3.4 among decoys (from the directory ./crates/one, with 2 packages beside it)",
                "own tests: `cargo test --offline --no-fail-fast --tests` ended well",
                "No incident one 2.3.4: nothing that ran broke a rule",
            ],
        );
        // One that leans on what lies elsewhere would bring that among decoys.
        place.write(&place.path("home/mine/Cargo.toml"), "[package]\nname = \"mine\"\nversion = \"1.0.0\"\n");
        place.write(&place.path("home/mine/src/lib.rs"), "");
        let manifest = place.workspace().join("crates/aid/Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        place.write(&manifest, &format!("{text}\n[dependencies]\nmine = {{ path = \"../../../mine\" }}\n"));
        let outcome = bare(&place, &["try", "./crates/one"]).go();
        outcome.exits(2);
        assert!(outcome.stderr_text().contains("/home/mine, which lies outside of its workspace and repository"), "{outcome}");
    }
}

#[test]
fn two_versions_are_tried_and_only_what_differs_is_shown() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        offer(&place, &[version("1.0.0", HONEST), version("1.1.0", THIEF), version("1.2.0", HONEST)]);
        let diff = |dir: &str, args: &[&str]| {
            let evidence = place.path(dir);
            let outcome = bare(&place, &[&["try", "--evidence", evidence.to_str().unwrap()], args].concat()).go();
            let text = fs::read_to_string(evidence.join("diff.txt")).unwrap_or_else(|error| panic!("{error}\n{outcome}"));
            for name in ["a/letter.md", "b/report.json"] {
                assert!(evidence.join(name).is_file(), "{name}\n{outcome}");
            }
            (outcome, text)
        };
        let (outcome, text) = diff("run/worse", &["courier", "--diff", "1.0.0", "1.1.0"]);
        outcome.exits(100);
        says(&outcome, &["Difference courier 1.0.0 and courier 1.1.0 differ", "+ courier build-script breaks secret/read"]);
        assert!(text.contains("+ courier build-script breaks secret/read\n") && !text.contains("\n- "), "{text}\n{outcome}");

        let (outcome, text) = diff("run/better", &["courier", "--diff", "1.1.0", "1.2.0"]);
        outcome.exits(0);
        assert!(text.contains("- courier build-script breaks secret/read\n") && !text.contains("+ "), "{text}\n{outcome}");

        let source = |number: &str| place.path(&format!("home/source/courier-{number}")).to_str().unwrap().to_owned();
        let (outcome, text) = diff("run/same", &["--diff", &source("1.0.0"), &source("1.2.0")]);
        outcome.exits(0);
        says(&outcome, &["were not seen to do anything different"]);
        assert_eq!(text, "", "{outcome}");

        bare(&place, &["try", "./", "--diff", "1.0.0", "1.1.0"]).go().exits(2);
        let there = place.path("run/same");
        bare(&place, &["try", "courier", "--evidence", there.to_str().unwrap(), "--diff", "1.0.0", "1.1.0"]).go().exits(2);
    }
}

#[test]
fn the_first_version_that_does_it_is_found() {
    for who in Who::all() {
        let place = Place::new("suspects/quiet", who);
        let yanked = |number, script| Version { number, script, yanked: true };
        // In the order of an index, which is that of publishing.
        let all =
            [version("1.0.0", HONEST), version("1.10.0", THIEF), version("1.2.0", HONEST), yanked("1.3.0", THIEF), version("1.4.0", THIEF)];
        offer(&place, &all);
        fs::remove_file(place.path("home/registry/courier-1.2.0.crate")).unwrap();
        let evidence = place.path("run/bisected");
        let bisect =
            |range: &str, evidence: &str| bare(&place, &["bisect", "courier", range, "--does", "secret/read", "--evidence", evidence]).go();
        let outcome = bisect("1.0.0..1.10.0", evidence.to_str().unwrap());
        outcome.exits(100);
        says(
            &outcome,
            &[
                "Bisecting courier 1.0.0..1.10.0: 5 versions, of which 1 yanked",
                "Tried courier 1.10.0 does secret/read",
                "Tried courier 1.0.0 was not seen to do secret/read",
                "Tried courier 1.2.0 cannot be had",
                "Tried courier 1.3.0 (yanked) does secret/read",
                "First courier 1.3.0 does secret/read; courier 1.0.0 was not seen to",
                "Unknown whether it came with one of these, which could not be tried: 1.2.0",
                "a binary search takes it that what has come stays",
            ],
        );
        assert!(!outcome.stdout_text().contains("1.4.0"), "{outcome}");
        assert!(evidence.join("1.3.0/letter.md").is_file() && !evidence.join("1.4.0").exists(), "{outcome}");
        assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 0, "leaves something in the temporary directory\n{outcome}");

        bisect("1.0.0..1.10.0", evidence.to_str().unwrap()).exits(2);
        bisect("3.0.0..4.0.0", "none").exits(2);
        bare(&place, &["bisect", "courier", "1.0.0..1.10.0", "--does", "no/rule"]).go().exits(2);
    }
    let place = Place::new("suspects/quiet", Who::Myself);
    offer(&place, &[version("1.0.0", HONEST), version("1.0.1", HONEST)]);
    let outcome = bare(&place, &["bisect", "courier", "1.0.0..1.0.1", "--does", "secret/read"]).go();
    outcome.exits(0);
    says(&outcome, &["None the last, courier 1.0.1, was not seen to do secret/read"]);
}
