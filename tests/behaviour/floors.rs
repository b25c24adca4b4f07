//! A policy that a project may tighten and not loosen: the user's own (`~/.config/brig/floor.toml`), and one that is named (`--floor`), as a base branch's in CI.

use std::fs;
use std::path::PathBuf;

use crate::finding::{expect_silence, violations};
use crate::place::Place;
use crate::run::{Run, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const FIXTURE: &str = "exceptions";
const ALLOW: &str = "\n[[allow]]\ncrate = \"path#alpha@1.2.3\"\nactor = \"build-script\"\nwrite = [\"{workspace}/generated\"]\nreason = \"looked at\"\nexpires = \"never\"\n";

fn writes<'a>(run: Run<'a>) -> Run<'a> {
    run.env("ZOO_ACTS", "write").compared()
}

fn project(place: &Place, text: &str) {
    place.write(&place.workspace().join("brig.toml"), &format!("version = 1\n{text}"));
    place.again();
}

fn made(place: &Place, name: &str) -> bool {
    fs::remove_file(place.workspace().join("generated").join(name)).is_ok()
}

#[test]
fn a_pull_request_cannot_loosen_what_the_base_branch_says() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        place.write(&place.workspace().join("generated/.keep"), "");
        writes(cargo(&place, BUILD)).go().exits(0);
        assert!(made(&place, "alpha") && made(&place, "beta"));
        let base: PathBuf = place.path("home/base.toml");
        let run = |options: &[&str]| writes(guarded(&place, &[&["--floor", base.to_str().unwrap()], options].concat(), BUILD)).go();
        place.write(&base, "version = 1\n");
        // The same, and less: built, and refused what the profile refuses.
        for (text, options) in [("", &[][..]), ("policy = \"ci\"\n", &[]), ("", &["--policy", "strict"]), ("", &["--no-config"])] {
            project(&place, text);
            let outcome = run(options);
            assert!(violations(outcome.exits(100).report()).count() > 0 && !made(&place, "alpha"), "{text}\n{outcome}");
            assert!(outcome.stderr_text().contains("floor `"), "{outcome}");
        }
        // More, in every way a repository has: nothing is built.
        for (text, at, said) in [
            ("mode = \"observe\"\n", "2:8", "`mode observe: nothing is refused`"),
            ("policy = \"observe\"\n", "2:10", "`mode observe: nothing is refused`"),
            (
                "policy = \"mine\"\n[profile.mine]\ninherits = \"default\"\n[profile.mine.build-script]\nextend-write = [\"{workspace}\"]\n",
                "2:10",
                "`build-script write {workspace}`",
            ),
            (ALLOW, "3:1", "`the exception for path#alpha@1.2.3 (build-script, brig.toml:3)`"),
        ] {
            project(&place, text);
            let outcome = run(&[]);
            let stderr = outcome.exits(96).stderr_text();
            assert!(
                stderr.contains(said) && stderr.contains(&format!("brig.toml:{at}: ")) && stderr.contains("a project may tighten it only"),
                "{outcome}"
            );
            assert!(!stderr.contains("Compiling") && !made(&place, "alpha"), "{outcome}");
        }
        // What is typed is held by it, too.
        project(&place, "");
        assert!(run(&["--mode", "observe"]).exits(96).stderr_text().contains("with what was typed"));
        // What the base branch allows, and no more, may stand in the project, and counts only there.
        place.write(&base, &format!("version = 1\n{ALLOW}"));
        project(&place, "");
        run(&[]).exits(100);
        assert!(!made(&place, "alpha"));
        project(&place, ALLOW);
        let outcome = run(&[]);
        assert!(made(&place, "alpha") && !made(&place, "beta"), "{}", outcome.exits(100));
        place.write(&base, "version = 2\n");
        assert!(run(&[]).exits(96).stderr_text().contains("base.toml:1:11: unknown version 2"));
    }
}

#[test]
fn a_floor_of_ones_own_holds_in_every_project() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        place.write(&place.workspace().join("generated/.keep"), "");
        let own = place.path("home/.config/brig/floor.toml");
        let strict = "version = 1\npolicy = \"strict\"\nextra = 1\n";
        writes(cargo(&place, BUILD)).go().exits(0);
        assert!(made(&place, "alpha"));
        place.write(&own, strict);
        place.again();
        assert!(writes(guarded(&place, &[], BUILD)).go().exits(96).stderr_text().contains("floor.toml:3:1: unknown key `extra`"));
        // Nobody has chosen a profile: the floor's is in force.
        place.write(&own, &strict.replace("extra = 1\n", ""));
        let outcome = writes(guarded(&place, &[], BUILD)).go();
        assert!(outcome.exits(100).stderr_text().contains("profile `strict`, floor `"), "{outcome}");
        assert_eq!(outcome.report()["enforcement"]["floors"].as_array().map(Vec::len), Some(1), "{outcome}");
        project(&place, "policy = \"default\"\n");
        let outcome = writes(guarded(&place, &[], BUILD)).go();
        assert!(outcome.exits(96).stderr_text().contains("profile `default` has more than the floor"), "{outcome}");
        // A denial of it holds beside the project's own.
        place.write(&own, "version = 1\n[[deny]]\ncrate = \"beta\"\nreason = \"not here\"\n");
        project(&place, "");
        let outcome = writes(guarded(&place, &["--no-config"], BUILD)).go();
        assert!(outcome.exits(100).stderr_text().contains("package `beta` 1.2.3 is denied"), "{outcome}");
        assert!(!made(&place, "alpha"));
        fs::remove_file(&own).unwrap();
        place.again();
        expect_silence(guarded(&place, &[], BUILD).go().exits(0));
    }
}
