//! Code in a program that a test or rustdoc started is blamed by its own stack; who started it comes after.

use std::collections::BTreeSet;

use crate::finding::{actor, expect, refused, violations};
use crate::place::Place;
use crate::run::{cargo, guarded};
use crate::who::Who;

const TEST: &[&str] = &["test", "--offline", "--no-fail-fast"];

#[test]
fn the_thief_is_named_in_whatever_was_started() {
    for who in Who::all() {
        let place = Place::new("started-programs", who);
        place.hand_over();
        // Under plain cargo all of them read it.
        cargo(&place, TEST).env("ZOO_MUST", "1").go().exits(0);
        place.clean();
        let brig = guarded(&place, &[], TEST).go();
        brig.exits(100);
        let report = brig.report();
        let mut caught = BTreeSet::new();
        for finding in violations(report) {
            let actor = actor(report, finding);
            assert_eq!(finding["rule"], "secret/read", "{finding}\n{brig}");
            assert_eq!(finding["offender"]["name"], "thief", "as {who:?}: {finding}\n{brig}");
            let role = actor["role"].as_str().unwrap_or_default();
            caught.insert(if role == "tests" { actor["crate_name"].as_str().unwrap_or_default() } else { role }.to_owned());
        }
        assert_eq!(caught, ["binary", "deputy", "doctests", "itself", "started_programs"].map(str::to_owned).into(), "{brig}");
    }
}

/// What a macro starts is the macro's, also where it is the program that rustc itself links with.
#[test]
fn a_macro_is_named_for_its_linker() {
    for who in Who::all() {
        let place = Place::new("macro-tools", who);
        place.hand_over();
        let plain = cargo(&place, &["run", "--offline"]).go();
        assert!(!plain.exits(0).stdout_text().contains("lines: 0"), "plain cargo: it reads nothing\n{plain}");
        place.clean();
        let brig = guarded(&place, &[], &["run", "--offline"]).go();
        expect(brig.exits(100), &[refused(&["secret/read"], "tooled", &["proc-macro"])]);
        assert!(brig.stdout_text().contains("lines: 0"), "{brig}");
    }
}

/// Who has its own thread traced, so that nobody sees its stack, is named all the same.
#[test]
fn a_thief_behind_a_tracer_is_named() {
    const STEALS: &[&str] = &["test", "--offline", "--", "--nocapture"];
    for who in Who::all() {
        let place = Place::new("traced-thief", who);
        place.hand_over();
        let plain = cargo(&place, STEALS).go();
        assert!(!plain.exits(0).stdout_text().contains("bytes: 0"), "plain cargo: it reads nothing\n{plain}");
        place.clean();
        let brig = guarded(&place, &[], STEALS).go();
        assert!(brig.exits(100).stdout_text().contains("bytes: 0"), "{brig}");
        expect(&brig, &[refused(&["secret/read"], "traced-thief", &["program"]).blaming("thief")]);
        assert!(violations(brig.report()).all(|finding| finding["offender"]["name"] == "thief"), "{brig}");
    }
}
