//! Signals, time limits and what stays behind: what a person or a CI system sends to Brig ends the build as it would end cargo, and nothing of it goes on.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::effect::{Before, Effect};
use crate::finding::{expect, refused};
use crate::place::{Place, visit};
use crate::run::{Aim, bare, cargo, guarded};
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

/// A place whose build script is compiled already: what a time limit cuts short is the script.
fn compiled(fixture: &str, who: Who) -> Place {
    let place = Place::new(fixture, who);
    cargo(&place, BUILD).env("ZOO_HOLD", "0").go().exits(0);
    place
}

/// The script's hold is what makes the build take so long, under plain cargo.
fn holds_up_cargo(fixture: &str) {
    let place = compiled(fixture, Who::Myself);
    let outcome = cargo(&place, BUILD).env("ZOO_HOLD", "3").go();
    assert!(outcome.exits(0).took >= Duration::from_secs(3), "cargo did not wait\n{outcome}");
}

/// Runs the hold of a minute under a limit of seconds; what the report says of those still running.
fn cut_short(fixture: &str, package: &str, program: &str, who: Who) {
    let place = compiled(fixture, who);
    let outcome = guarded(&place, &["--timeout", "5s"], BUILD).env("ZOO_HOLD", "60").go();
    outcome.exits(124);
    nothing_goes_on(&place);
    let report = outcome.report();
    assert_eq!(report["outcome"]["verdict"], "timed-out", "{outcome}");
    assert_eq!((&report["outcome"]["timed_out"], &report["run"]["timeout_ms"]), (&true.into(), &5000.into()), "{outcome}");
    let findings = report["findings"].as_array().unwrap();
    let of_the_script = findings.iter().find(|finding| finding["rule"] == "proc/timeout" && finding["offender"]["name"] == package);
    let of_the_script = of_the_script.unwrap_or_else(|| panic!("nobody names {package}\n{outcome}"));
    assert_eq!(of_the_script["severity"], "info", "{outcome}");
    assert!(of_the_script["evidence"].to_string().contains(program), "{program} is not named: {of_the_script}");
    let text = outcome.stderr_text();
    assert!(text.contains("Timed out the build took longer than 5s") && text.contains(package), "{outcome}");
}

#[test]
fn a_hoarder_of_tokens_is_cut_short_and_named() {
    holds_up_cargo("held-jobserver");
    Who::all().into_iter().for_each(|who| cut_short("held-jobserver", "token-hoarder", "build-script-build", who));
}

#[test]
fn a_holder_of_cargos_pipe_is_cut_short_and_named() {
    holds_up_cargo("held-pipe");
    Who::all().into_iter().for_each(|who| cut_short("held-pipe", "pipe-holder", "sleep", who));
}

#[test]
fn a_holder_of_cargos_pipe_is_told_of_while_cargo_waits() {
    let place = compiled("held-pipe", Who::Myself);
    let outcome = guarded(&place, &[], BUILD).env("ZOO_HOLD", "15").go();
    outcome.exits(0);
    let line = outcome.stderr_text().lines().find(|line| line.contains("Held up")).unwrap_or_default().to_owned();
    assert!(["build script", "`pipe-holder` 0.1.0", "sleep"].iter().all(|part| line.contains(part)), "{line:?}\n{outcome}");
}

#[test]
fn a_build_within_its_time_is_as_ever() {
    let place = Place::new("honest-run", Who::Myself);
    let outcome = guarded(&place, &[], BUILD).env("BRIG_TIMEOUT", "1h").go();
    assert_eq!(outcome.exits(0).report()["outcome"]["verdict"], "clean", "{outcome}");
    place.write(&place.workspace().join("brig.toml"), "version = 1\ntimeout = \"soon\"\n");
    let outcome = bare(&place, BUILD).go();
    assert!(outcome.exits(96).stderr_text().contains("brig.toml:2:11: `timeout`: `soon` is not a span"), "{outcome}");
    let outcome = bare(&place, &["--timeout", "90", "build"]).go();
    assert!(outcome.exits(2).stderr_text().contains("`90` needs a unit"), "{outcome}");
}

const DAEMONS: &[Effect] = &[
    Effect::Plants("zoo-survived-twice-forked"),
    Effect::Plants("zoo-survived-politeness"),
    Effect::Plants("zoo-survived-hopping"),
    Effect::Plants("zoo-survived-beside"),
    Effect::Plants("zoo-survived-expansion"),
];

fn hops(place: &Place) -> u64 {
    let mut length = None;
    visit(&place.target(), &mut |path| {
        if path.file_name().is_some_and(|name| name == "zoo-hops") {
            length = Some(path.metadata().unwrap().len());
        }
    });
    length.expect("it never hopped")
}

#[test]
fn whatever_stays_behind_is_ended_and_blamed() {
    for who in Who::all() {
        let plain = Place::new("daemons", who);
        let before = Before::look(&plain, DAEMONS);
        let outcome = cargo(&plain, BUILD).go();
        for effect in DAEMONS {
            assert!(effect.comes(&plain, &outcome, &before, Duration::from_secs(20)), "plain cargo: no {effect:?}\n{outcome}");
        }
        let place = Place::new("daemons", who);
        // They would act long after the build; until then they live.
        let outcome = guarded(&place, &[], BUILD).env("ZOO_LATER", "60").go();
        nothing_goes_on(&place);
        // The one that hops is never where it was seen: what it does shows.
        let hopped = hops(&place);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(hops(&place), hopped, "hops on after the end\n{outcome}");
        for effect in DAEMONS {
            assert!(!effect.seen(&place, &outcome, &before), "under Brig: {effect:?}\n{outcome}");
        }
        let survivor = |package, kinds| refused(&["proc/survivor"], package, kinds);
        outcome.exits(100);
        expect(
            &outcome,
            &[survivor("daemonizer", &["build-script"]), survivor("second-daemonizer", &["build-script"]), survivor("app", &["rustc"])],
        );
        assert_eq!(outcome.report()["coverage"]["lost"], 0, "{outcome}");
    }
}
