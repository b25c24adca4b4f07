//! Whose code an exception is for: a name and a version are whatever a repository calls them, and where a package comes from is what tells. The same package lies in
//! a vendored tree, and then, by `[patch]`, as a copy of the repository's own.

use std::fs;

use crate::finding::{expect_silence, violations};
use crate::place::Place;
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const WRITE: &str = "actor = \"build-script\"\nwrite = [\"{workspace}/elsewhere\"]\nreason = \"looked at\"\nexpires = \"never\"\n";

fn allow(whom: &str, more: &str) -> String {
    format!("version = 1\n[[allow]]\ncrate = \"{whom}\"\n{more}{WRITE}")
}

#[test]
fn a_name_is_nobody_elses_copy_of_it() {
    for who in Who::all() {
        let place = Place::new("vendored", who);
        let made = place.workspace().join("elsewhere/made.txt");
        place.write(&place.workspace().join("elsewhere/.keep"), "");
        let script = place.workspace().join("vendor/given/build.rs");
        let text = fs::read_to_string(&script).unwrap().replace("data/made.txt", "elsewhere/made.txt");
        fs::write(&script, text).unwrap();
        let run = |options: &[&str]| {
            fs::remove_file(&made).ok();
            place.again();
            guarded(&place, options, BUILD).env("ZOO_ACTS", "write").compared().go()
        };
        let policy = |text: &str| place.write(&place.workspace().join("brig.toml"), text);
        let state = |outcome: &Outcome| outcome.report()["exceptions"][0]["state"].as_str().unwrap().to_owned();
        cargo(&place, BUILD).env("ZOO_ACTS", "write").go().exits(0);
        assert!(made.exists());
        let refused = |outcome: Outcome, instead: &str| {
            assert!(violations(outcome.exits(100).report()).count() > 0 && !made.exists(), "{outcome}");
            assert_eq!(state(&outcome), "absent", "{outcome}");
            assert!(outcome.stderr_text().contains(&format!("this build has `{instead}`, which is another one")), "{outcome}");
        };
        let holds = |outcome: Outcome| {
            expect_silence(outcome.exits(0));
            assert!(made.exists() && state(&outcome) == "used", "{outcome}");
        };
        // The name alone is the registry's own, in cargo's own cache: a tree of the repository's is neither.
        policy(&allow("given@0.1.0", ""));
        refused(run(&[]), "vendored#given@0.1.0");
        // So is it under a floor that grants the name: the project may have it, and nobody is given it.
        let base = place.path("home/base.toml");
        place.write(&base, &allow("given@0.1.0", ""));
        let floor = ["--floor", base.to_str().unwrap()];
        refused(run(&floor), "vendored#given@0.1.0");
        let named = allow("vendored#given@0.1.0", "");
        policy(&named);
        assert!(run(&floor).exits(96).stderr_text().contains("the exception for vendored#given@0.1.0"));
        holds(run(&[]));
        policy(&allow("vendored#given@0.1.0", &format!("checksum = \"{:064}\"\n", 1)));
        holds(run(&[]));
        policy(&allow("vendored#given@0.1.0", &format!("checksum = \"{:064}\"\n", 2)));
        refused(run(&[]), &format!("vendored#given@0.1.0, checksum {:016}…", 0));
        // A copy in its place, of the same name and version.
        policy(&named);
        let manifest = place.workspace().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::rename(place.workspace().join("vendor/given"), place.workspace().join("patched")).unwrap();
        fs::write(&manifest, text + "\n[patch.crates-io]\ngiven = { path = \"patched\" }\n").unwrap();
        let moved = place.workspace().join("patched/build.rs");
        let text = fs::read_to_string(&moved).unwrap().replace("join(\"../..\")", "join(\"..\")");
        fs::write(&moved, text).unwrap();
        cargo(&place, &["generate-lockfile", "--offline"]).go().exits(0);
        refused(run(&[]), "path#given@0.1.0");
        policy(&allow("path#given@0.1.0", ""));
        holds(run(&[]));
    }
}
