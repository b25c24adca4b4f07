//! What grows with what a build does: words on a command line, programs that are started, what is left in temporary directories. None of it
//! ends a build that plain cargo finishes, and none fills our memory.

use std::fs;

use crate::place::Place;
use crate::run::{cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

/// With four thousand arguments and more, the pointers to them fill what execve maps below them; 20,000 cfgs (80,000 arguments) come near the
/// kernel's own limit of 2 MiB, beyond which cargo takes a file.
#[test]
fn as_many_words_as_the_kernel_takes() {
    for who in Who::all() {
        for words in ["2100", "6000", "20000"] {
            let place = Place::new("endurance", who);
            cargo(&place, BUILD).env("ZOO_WORDS", words).go().exits(0);
            place.clean();
            let outcome = guarded(&place, &[], BUILD).env("ZOO_WORDS", words).go();
            outcome.exits(0);
            assert_eq!(outcome.report()["findings"].as_array().map(Vec::len), Some(0), "{outcome}");
        }
    }
}

#[test]
fn nothing_stays_in_temporary_directories() {
    for who in Who::all() {
        let place = Place::new("endurance", who);
        cargo(&place, BUILD).env("ZOO_SHUT", "1").go().exits(0);
        assert!(place.path("tmp/shut").exists(), "the control leaves it");
        place.clean();
        // Root enters anything.
        std::process::Command::new("chmod").args(["-R", "u+rwx"]).arg(place.path("tmp/shut")).status().unwrap();
        fs::remove_dir_all(place.path("tmp/shut")).unwrap();
        guarded(&place, &[], BUILD).env("ZOO_SHUT", "1").go().exits(0);
        let left: Vec<_> = fs::read_dir(place.path("tmp")).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// 400 programs with 30 KiB of arguments each, which never make a call: each is on record. That what is kept of them meanwhile is bounded,
/// `gate::process` shows by counting it.
#[test]
#[cfg(target_arch = "x86_64")]
fn programs_that_never_call_are_recorded_as_they_go() {
    let place = Place::new("endurance", Who::Myself);
    let outcome = guarded(&place, &[], BUILD).env("ZOO_RUNS", "400").go();
    outcome.exits(0);
    let report = outcome.report();
    let processes = report["processes"].as_array().map_or(0, Vec::len);
    assert!(processes >= 400, "{processes} processes\n{outcome}");
}
