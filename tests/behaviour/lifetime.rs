//! Signals: what a person or a CI system sends to Brig ends the build as it would end cargo, and nothing of it goes on.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::place::{Place, visit};
use crate::run::{Aim, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

/// Programs of the build that still run: those in its target directory, and the sleeper its script started.
fn alive(place: &Place) -> Vec<PathBuf> {
    let of_the_build = |pid: &PathBuf| {
        let link = |name: &str| std::fs::read_link(pid.join(name)).unwrap_or_default();
        link("exe").starts_with(place.workspace()) || link("cwd").starts_with(place.workspace())
    };
    let pids = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    pids.filter(|pid| pid.join("exe").symlink_metadata().is_ok()).filter(of_the_build).collect()
}

fn nothing_goes_on(place: &Place) {
    let until = Instant::now() + Duration::from_secs(5);
    while !alive(place).is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(alive(place), Vec::<PathBuf>::new(), "goes on after the end");
}

fn started(place: &Place) -> bool {
    let mut found = false;
    visit(&place.target(), &mut |path| found |= path.file_name().is_some_and(|name| name == "started"));
    found
}

fn ended_by(who: Who, signal: Signal, aim: Aim) -> (Place, crate::run::Outcome) {
    let place = Place::new("waiting", who);
    let outcome = guarded(&place, &[], BUILD).signal(signal, aim, started).go();
    assert!(started(&place), "the script never ran\n{outcome}");
    nothing_goes_on(&place);
    (place, outcome)
}

#[test]
fn a_termination_ends_cargo_and_is_reported() {
    for who in Who::all() {
        let (_place, outcome) = ended_by(who, Signal::SIGTERM, Aim::Process);
        outcome.exits(143);
        assert_eq!(outcome.report()["outcome"]["cargo_exit"], 143, "{outcome}");
        assert_eq!(outcome.report()["findings"].as_array().map(Vec::len), Some(0), "being ended is nobody's fault\n{outcome}");
    }
}

#[test]
fn ctrl_c_ends_the_whole_group() {
    for who in Who::all() {
        let (_place, outcome) = ended_by(who, Signal::SIGINT, Aim::Group);
        outcome.exits(130);
        assert_eq!(outcome.report()["end"], true, "{outcome}");
    }
}

#[test]
fn nothing_outlives_a_killed_supervisor() {
    for (who, aim) in Who::all().into_iter().flat_map(|who| [(who, Aim::Process), (who, Aim::Child)]) {
        let (place, outcome) = ended_by(who, Signal::SIGKILL, aim);
        outcome.exits(137);
        // What was left behind does not keep the next build from working.
        std::fs::write(place.workspace().join("build.rs"), "fn main() {}\n").unwrap();
        guarded(&place, &[], BUILD).go().exits(0);
    }
}
