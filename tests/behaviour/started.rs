//! Code in a program that a test or rustdoc started is blamed by its own stack; who started it comes after.

use std::collections::BTreeSet;

use crate::finding::{actor, violations};
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
