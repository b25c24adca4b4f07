//! What stands after which run, as a table.

use super::*;
use crate::model::report::VerdictWord;
use crate::model::{ActorKind, Rule};
use crate::report::samples::*;
use crate::report::{Material, assemble};

const TESTS_ACTOR: usize = 3;

/// A thief in each of three places: a build script, a macro in a compiler, a library in tests.
fn thieves() -> Material {
    let mut material = stolen_env();
    material.actors[2].argv = ["rustc", "--crate-type", "lib"].map(Into::into).to_vec();
    let mut by_macro = breach(RUSTC, 900, read("/home/u/app/.env"), Rule::SecretRead, Severity::High);
    by_macro.0.blame = stack(&[("evil_macro", Some("/t/libevil_macro-1.so"))]);
    let mut by_library = breach(TESTS, 1200, read("/home/u/app/.env"), Rule::SecretRead, Severity::High);
    by_library.0.blame = stack(&[("chrono_anchor", None)]);
    material.breaches.extend([by_macro, by_library]);
    material
}

fn first() -> Report {
    let mut report = assemble(&thieves(), &facts(), &Graph);
    report.run.id = "first".into();
    report
}

fn run_of(actors: &[usize], change: impl FnOnce(&mut Material, &mut crate::report::Facts)) -> Report {
    let (mut material, mut facts) = (Material::default(), facts());
    material.actors = actors.iter().map(|at| thieves().actors[*at].clone()).collect();
    change(&mut material, &mut facts);
    assemble(&material, &facts, &Graph)
}

/// The crates whose findings stand.
fn left(mut report: Report, gone: &str) -> Vec<String> {
    carry(&mut report, &first(), &|package| package.name == gone);
    let all = report.standing.iter().flat_map(|standing| &standing.findings);
    all.map(|finding| finding.offender.as_ref().unwrap().name.clone()).collect()
}

#[test]
fn a_finding_stands_until_its_code_runs_again() {
    const ALL: [&str; 3] = ["chrono_anchor", "evil_macro", "quickfetch-sys"];
    let nothing = |_: &mut Material, _: &mut crate::report::Facts| {};
    assert_eq!(left(run_of(&[], nothing), ""), ALL);
    assert_eq!(left(run_of(&[], |_, facts| facts.cargo_exit = Some(101)), ""), ALL);
    // Each place by itself, and all of them.
    assert_eq!(left(run_of(&[1], nothing), ""), ALL[..2]);
    assert_eq!(left(run_of(&[2], nothing), ""), [ALL[0], ALL[2]]);
    assert_eq!(left(run_of(&[3], nothing), ""), ALL[1..]);
    assert_eq!(left(run_of(&[1, 2, 3], nothing), ""), [""; 0]);
    // Another package, another target of the same, another kind of the same.
    let other = |change: fn(&mut Material)| left(run_of(&[1, 2, 3], |material, _| change(material)), "");
    assert_eq!(other(|m| m.actors[0].package = Some(package("other-sys", "0.3.2"))), ALL[2..]);
    assert_eq!(other(|m| m.actors[0].package = Some(package("quickfetch-sys", "0.4.0"))), ALL[2..]);
    assert_eq!(other(|m| m.actors[1].argv.push("--test".into())), ALL[1..2]);
    assert_eq!(other(|m| m.actors[1].crate_name = Some("other".into())), ALL[1..2]);
    assert_eq!(other(|m| m.actors[2].exe = "/home/u/app/target/debug/examples/app".into()), ALL[..1]);
    // Its package has left the lock file.
    assert_eq!(left(run_of(&[], nothing), "chrono_anchor"), ALL[1..]);
    assert_eq!(left(run_of(&[], nothing), "app"), ALL[2..]);
}

#[test]
fn what_did_not_come_to_its_end_did_not_run() {
    let all = left(run_of(&[], |_, _| ()), "");
    for change in [
        (|_, facts| facts.timed_out = true) as fn(&mut Material, &mut crate::report::Facts),
        |material, _| material.lost = vec!["an event".into()],
        // Somebody failed, and the kernel does not tell who.
        |_, facts| facts.cargo_exit = Some(101),
        |_, facts| facts.cargo_exit = None,
    ] {
        assert_eq!(left(run_of(&[1, 2, 3], change), ""), all);
    }
    let tests_failed = |material: &mut Material, facts: &mut crate::report::Facts| {
        facts.cargo_exit = Some(101);
        material.failed = [ActorId(TESTS)].into();
    };
    assert_eq!(left(run_of(&[1, 2, 3], tests_failed), ""), all[..1]);
}

#[test]
fn a_part_of_the_tests_is_not_all_of_them() {
    for (earlier, now, stands) in [
        (&[][..], &["it"][..], true),
        (&["it"], &["other"], true),
        (&["it"], &["it"], false),
        (&["it"], &[], false),
        (&["--nocapture"], &[], false),
        (&[], &["--nocapture"], false),
        (&["--exact", "it", "--nocapture"], &[], false),
        (&[], &["--exact", "it", "--nocapture"], true),
        (&[], &["--skip=it"], true),
        (&["--include-ignored"], &[], true),
        (&["--ignored"], &["--include-ignored"], false),
        (&["--ignored"], &[], true),
        (&["--ignored"], &["--ignored"], false),
    ] {
        let with = |words: &[&str]| {
            let mut material = thieves();
            let words = words.iter().map(|word| (*word).into());
            material.actors[TESTS_ACTOR].argv = std::iter::once("app-3c".into()).chain(words).collect();
            material
        };
        let mut second = with(now);
        second.breaches.clear();
        let mut report = assemble(&second, &facts(), &Graph);
        carry(&mut report, &assemble(&with(earlier), &facts(), &Graph), &|_| false);
        assert_eq!(!report.standing.is_empty(), stands, "{earlier:?} then {now:?}");
    }
}

#[test]
fn numbers_go_on_and_lead_to_the_right_actors() {
    // Own findings first; and what stands goes on standing from run to run.
    let mut second = run_of(&[3], |material, _| {
        material.breaches = vec![breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High)];
    });
    carry(&mut second, &first(), &|_| false);
    second.run.id = "second".into();
    let mut third = run_of(&[], |_, _| ());
    carry(&mut third, &second, &|_| false);
    for (report, runs) in [(&second, &["first"][..]), (&third, &["second", "first"])] {
        let ids: Vec<_> = report.all_findings().map(|finding| finding.id.as_str()).collect();
        assert_eq!(ids, ["F1", "F2", "F3"]);
        assert_eq!(report.standing.iter().map(|standing| standing.run.as_str()).collect::<Vec<_>>(), runs);
    }
    let subjects = |report: &Report| -> Vec<_> {
        report.all_findings().map(|finding| report.actor(finding.actor).map(|actor| (actor.kind, actor.host.is_some()))).collect()
    };
    let expected = [(ActorKind::Program, false), (ActorKind::ProcMacro, true), (ActorKind::BuildScript, false)].map(Some).to_vec();
    assert_eq!(subjects(&second), expected);
    assert_eq!(subjects(&third), expected);
    // What this run tells itself is not told twice.
    let mut again = assemble(&thieves(), &facts(), &Graph);
    again.outcome.cargo_exit = Some(101);
    carry(&mut again, &first(), &|_| false);
    assert_eq!(again.standing, []);
}

#[test]
fn other_workspaces_and_notes_leave_nothing() {
    let mut elsewhere = run_of(&[], |_, facts| facts.run.workspace = Some("/other".into()));
    carry(&mut elsewhere, &first(), &|_| false);
    assert_eq!(elsewhere.standing, []);
    // Without a workspace only a run in which nothing ran leaves the last one's findings.
    for (actors, stand) in [(&[][..], true), (&[2], false)] {
        let mut earlier = first();
        earlier.run.workspace = None;
        let mut now = run_of(actors, |_, facts| facts.run.workspace = None);
        assert_eq!(now.outcome.verdict == VerdictWord::NotRun, stand);
        carry(&mut now, &earlier, &|_| false);
        assert_eq!(!now.standing.is_empty(), stand);
    }
    let mut notes = first();
    notes.findings.iter_mut().for_each(|finding| finding.severity = Severity::Info);
    let mut now = run_of(&[], |_, _| ());
    carry(&mut now, &notes, &|_| false);
    assert_eq!(now.standing, []);
}
