//! Reviewed allows (`profiles/reviewed.toml`): a macro named like one that was looked at, from a directory that stands for the registry,
//! leaves what it generates in the OUT_DIR of its own compiler's package. Who else tries, what else it tries, and when it does not count.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::finding::{expect, expect_silence, refused};
use crate::place::{Place, visit};
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const MACRO: &[&str] = &["proc-macro"];
const FOREIGN: &[&str] = &["fs/foreign-artifact"];

fn place(who: Who) -> Place {
    Place::new("32-reviewed", who)
}

/// The code of the workspace's only crate.
fn code(place: &Place, text: &str) {
    place.write(&place.workspace().join("src/lib.rs"), text);
}

fn edit(place: &Place, file: &str, from: &str, to: &str) {
    let path = place.workspace().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} holds no `{from}`");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn afresh(place: &Place) {
    place.clean();
}

/// Names of what lies in directories of templates, in order.
fn templates(place: &Place) -> Vec<String> {
    let mut found = Vec::new();
    visit(&place.target().join("debug/build"), &mut |path| {
        if path.parent().is_some_and(|dir| dir.ends_with("out/templates")) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    });
    found.sort();
    found
}

fn is_planted(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "planted" || name == "0f-1e.planted")
}

fn planted(place: &Place) -> bool {
    let mut found = false;
    visit(&place.target(), &mut |path| found |= is_planted(path));
    found
}

/// Room for the next one.
fn weed(place: &Place) {
    visit(&place.target(), &mut |path| {
        if is_planted(path) {
            fs::remove_file(path).unwrap();
        }
    });
}

/// Under plain cargo it goes through; then everything is as before.
fn works_plainly(place: &Place) -> Outcome {
    let plain = cargo(place, BUILD).go();
    plain.exits(0);
    plain
}

fn used(outcome: &Outcome) -> Vec<&Value> {
    outcome.report()["reviewed"].as_array().into_iter().flatten().collect()
}

/// The macro's own write was refused, and nothing that was reviewed is said to have been used.
fn counts_not(outcome: &Outcome) {
    expect(outcome, &[refused(FOREIGN, "sailfish-macros", MACRO).blaming("sailfish_compiler")]);
    outcome.exits(100);
    assert_eq!(used(outcome), [] as [&Value; 0], "{outcome}");
    assert!(!outcome.stderr_text().contains("reviewed allow"), "{outcome}");
}

#[test]
fn what_was_looked_at_works_and_is_told() {
    for who in Who::all() {
        let place = place(who);
        works_plainly(&place);
        let plain = templates(&place);
        afresh(&place);
        let outcome = guarded(&place, &[], BUILD).go();
        expect_silence(outcome.exits(0));
        assert_eq!(
            (templates(&place), plain),
            (vec!["0f-1e".to_owned(), "0f-1e.deps".to_owned()], vec!["0f-1e".into(), "0f-1e.deps".into()])
        );
        let [use_of_it] = used(&outcome)[..] else { panic!("one line was used\n{outcome}") };
        for (key, value) in [
            ("crate", "sailfish-macros"),
            ("version", "0.9.1"),
            ("actor", "proc-macro"),
            ("list", "write"),
            ("grant", "{out-of:sailfish-compiler}/templates"),
        ] {
            assert_eq!(use_of_it[key], value, "{outcome}");
        }
        // The directory, the lock, the code, its time, the list, the lock again.
        assert_eq!(use_of_it["count"], 6, "{outcome}");
        assert!(outcome.stderr_text().contains("with a reviewed allow for `sailfish-macros` 0.9.1"), "{outcome}");
        // The macro is fresh now: that it is the registry's is read from what cargo keeps of its compilation.
        code(&place, "//! Changed.\n\nsailfish_macros::template!(honest);\n");
        let again = guarded(&place, &[], BUILD).go();
        expect_silence(again.exits(0));
        assert_eq!(used(&again).len(), 1, "{again}");
        // Documentation is expanded by rustdoc, which is another compiler.
        let documented = guarded(&place, &[], &["doc", "--offline", "--no-deps"]).go();
        expect_silence(documented.exits(0));
        assert_eq!(used(&documented).len(), 1, "{documented}");
        // Nothing used, nothing told.
        let idle = guarded(&place, &[], BUILD).go();
        assert_eq!(used(idle.exits(0)), [] as [&Value; 0], "{idle}");
    }
}

#[test]
fn another_macro_in_the_same_compiler_is_refused_and_named() {
    for who in Who::all() {
        // Only the crate that uses the macros is compiled again for each way.
        let (free, place) = (place(who), place(who));
        for way in ["file", "thread", "overwrite"] {
            let text = format!("sailfish_macros::template!(honest);\nprankster::prank!({way});\n");
            [&free, &place].into_iter().for_each(|place| code(place, &text));
            weed(&free);
            let plain = works_plainly(&free);
            assert!(plain.stderr_text().contains("zoo: prank: done"), "{plain}");
            let outcome = guarded(&place, &[], BUILD).go();
            expect(outcome.exits(100), &[refused(FOREIGN, "prankster", MACRO).blaming("prankster")]);
            assert_eq!(outcome.report()["outcome"]["cargo_exit"], 0, "the honest macro was kept from its work\n{outcome}");
            assert!(outcome.stderr_text().contains("zoo: prank: Permission denied") && !planted(&place), "{way}: {outcome}");
            assert_eq!(used(&outcome).len(), 1, "{outcome}");
        }
    }
}

#[test]
fn the_macro_itself_gets_no_more_than_that_directory() {
    for who in Who::all() {
        let (free, place) = (place(who), place(who));
        for wish in ["beside", "above", "neighbour", "deeper", "link", "second_name", "moved", "mode", "gone"] {
            [&free, &place].into_iter().for_each(|place| code(place, &format!("sailfish_macros::template!({wish});\n")));
            weed(&free);
            let plain = cargo(&free, BUILD).go();
            assert!(plain.stderr_text().contains(&format!("zoo: {wish}: done")), "{plain}");
            let outcome = guarded(&place, &[], BUILD).go();
            assert!(outcome.stderr_text().contains(&format!("zoo: {wish}: ")), "it did not get so far\n{outcome}");
            assert!(!outcome.stderr_text().contains(&format!("zoo: {wish}: done")), "{outcome}");
            assert!(!planted(&place), "{wish}: {outcome}");
            expect(outcome.exits(100), &[refused(FOREIGN, "sailfish-macros", MACRO).blaming("sailfish_compiler")]);
        }
    }
}

#[test]
fn a_version_nobody_looked_at_does_not_count() {
    for who in Who::all() {
        for package in ["sailfish-macros", "sailfish-compiler"] {
            let place = place(who);
            edit(&place, &format!("vendor/{package}/Cargo.toml"), "0.9.1", "0.9.2");
            works_plainly(&place);
            afresh(&place);
            counts_not(&guarded(&place, &[], BUILD).go());
        }
    }
}

/// The name alone is anybody's.
#[test]
fn packages_from_elsewhere_that_bear_the_name_do_not_count() {
    for who in Who::all() {
        let own = |place: &Place| {
            edit(place, "Cargo.toml", "sailfish-macros = \"0.9\"", "sailfish-macros = { path = \"vendor/sailfish-macros\" }");
            edit(
                place,
                "vendor/sailfish-macros/Cargo.toml",
                "sailfish-compiler = \"0.9\"",
                "sailfish-compiler = { path = \"../sailfish-compiler\" }",
            );
        };
        let patched = |place: &Place| {
            let patch = "\n[patch.crates-io]\nsailfish-compiler = { path = \"vendor/sailfish-compiler\" }\n";
            edit(place, "Cargo.toml", "quiet-sys = \"0.1\"\n", &format!("quiet-sys = \"0.1\"\n{patch}"));
        };
        // A package of another name whose library is called so, beside the real one.
        let disguised = |place: &Place| {
            edit(place, "vendor/prankster/Cargo.toml", "proc-macro = true", "proc-macro = true\nname = \"sailfish_macros\"");
            edit(place, "Cargo.toml", "sailfish-macros = \"0.9\"", "real = { package = \"sailfish-macros\", version = \"0.9\" }");
            code(place, "real::template!(honest);\nsailfish_macros::prank!(file);\n");
        };
        for elsewhere in [&own as &dyn Fn(&Place), &patched] {
            let place = place(who);
            elsewhere(&place);
            works_plainly(&place);
            afresh(&place);
            counts_not(&guarded(&place, &[], BUILD).go());
        }
        let place = place(who);
        disguised(&place);
        works_plainly(&place);
        afresh(&place);
        let outcome = guarded(&place, &[], BUILD).go();
        expect(outcome.exits(100), &[refused(FOREIGN, "prankster", MACRO)]);
        assert!(!planted(&place), "{outcome}");
        assert_eq!(used(&outcome).len(), 1, "the real one is as good as ever\n{outcome}");
    }
}

#[test]
fn strict_has_none_and_a_profile_can_do_without() {
    for who in Who::all() {
        let place = place(who);
        works_plainly(&place);
        afresh(&place);
        counts_not(&guarded(&place, &["--policy", "strict"], BUILD).go());
        let file = place.workspace().join("brig.toml");
        place.write(&file, "version = 1\npolicy = \"mine\"\n[profile.mine]\ninherits = \"default\"\nreviewed = false\n");
        counts_not(&guarded(&place, &[], BUILD).go());
        place.write(&file, "version = 1\npolicy = \"mine\"\n[profile.mine]\ninherits = \"strict\"\nreviewed = true\n");
        let wanted = guarded(&place, &[], BUILD).go();
        expect_silence(wanted.exits(0));
        assert_eq!(used(&wanted).len(), 1, "{wanted}");
    }
}
