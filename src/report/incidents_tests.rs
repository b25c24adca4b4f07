//! Which findings are one incident, in which order it is told, and what is to be done about it.

use super::*;
use crate::report::advice;
use crate::report::samples::*;
use crate::report::wording::Medium;
use crate::report::{Material, assemble};

const PLAIN: Medium = Medium { text: |text| String::from_utf8_lossy(text.as_bytes()).into_owned(), name: str::to_owned };

fn at(actor: u32, ms: u64, act: Act, rule: Rule, blame: &[(&str, Option<&str>)]) -> (crate::model::Event, u64) {
    let (mut event, n) = breach(actor, actor * 100, act, rule, Severity::High);
    event.at_ms = ms;
    event.blame = if blame.is_empty() { None } else { stack(blame) };
    (event, n)
}

fn curl() -> Act {
    Act::Exec { path: "/usr/bin/curl".into(), argv: vec!["curl".into(), "-F".into(), "file=@.env".into()] }
}

/// Two crates in one test program, each after a secret and the network; and a build script that is after a secret.
fn thieves() -> Material {
    let mut material = material();
    for (name, begin) in [("chrono_anchor", 2800), ("honest", 900)] {
        let on: &[(&str, Option<&str>)] = &[(name, None), ("app", None)];
        material.breaches.push(at(TESTS, begin + 30, connect("203.0.113.7:443"), Rule::NetConnect, on));
        material.breaches.push(at(TESTS, begin + 20, curl(), Rule::ExecDownloader, on));
        material.breaches.push(at(TESTS, begin, read("/home/u/app/.env"), Rule::SecretRead, on));
    }
    material.breaches.push(at(BUILD, 400, read("/home/u/.ssh/id"), Rule::SecretRead, &[]));
    material
}

#[test]
fn one_for_each_crate_in_each_program() {
    let report = assemble(&thieves(), &facts(), &Graph);
    let all = incidents(&report);
    let told: Vec<_> = all
        .iter()
        .map(|one| (one.id.as_str(), one.whom.unwrap().name.as_str(), one.severity, one.findings.len(), one.began_ms()))
        .collect();
    assert_eq!(
        told,
        [
            ("I1", "chrono_anchor", Severity::Critical, 4, Some(2800)),
            ("I2", "honest", Severity::Critical, 4, Some(900)),
            ("I3", "quickfetch-sys", Severity::High, 1, Some(400)),
        ]
    );
    assert_eq!(all[0].worst().rule, Rule::SecretThenNetwork);
    // In order of time, and what a correlation is about no second time.
    let acts: Vec<_> = all[0].deeds().iter().map(|deed| (deed.at_ms, deed.finding.rule)).collect();
    assert_eq!(acts, [(2800, Rule::SecretRead), (2820, Rule::ExecDownloader), (2830, Rule::NetConnect)]);
    // A correlation alone has its acts all the same.
    let mut alone = report.clone();
    alone.findings.retain(|finding| finding.rule == Rule::SecretThenNetwork);
    assert_eq!(incidents(&alone)[0].deeds().len(), 3);
}

#[test]
fn compilations_of_one_package_are_one_program_and_two_programs_are_two() {
    let mut material = material();
    let object = "/home/u/app/target/debug/deps/libevil_macro-1.so";
    let mut second = material.actors[2].clone();
    (second.id, second.pid) = (crate::model::ActorId(33), 3300);
    let mut other_tests = material.actors[3].clone();
    (other_tests.id, other_tests.pid, other_tests.crate_name) = (crate::model::ActorId(34), 3400, Some("it".into()));
    material.actors.extend([second, other_tests]);
    for actor in [RUSTC, 33] {
        material.breaches.push(at(
            actor,
            10 * u64::from(actor),
            read("/home/u/app/.env"),
            Rule::SecretRead,
            &[("evil_macro", Some(object))],
        ));
    }
    for actor in [TESTS, 34] {
        material.breaches.push(at(actor, 5, read("/home/u/app/.env"), Rule::SecretRead, &[]));
    }
    let report = assemble(&material, &facts(), &Graph);
    let all = incidents(&report);
    let told: Vec<_> = all.iter().map(|one| (one.whom.unwrap().name.as_str(), one.actors.len(), one.findings.len())).collect();
    assert_eq!(told, [("app", 1, 1), ("app", 1, 1), ("evil_macro", 2, 2)]);
    let deeds = all[2].deeds();
    assert_eq!((deeds.len(), deeds[0].count, deeds[0].at_ms), (1, 2, 90));
}

#[test]
fn what_stands_is_an_incident_of_its_own_run() {
    let earlier = assemble(&thieves(), &facts(), &Graph);
    let mut report = assemble(&stolen_env(), &facts(), &Graph);
    // The tests did not run this time.
    report.actors.retain(|actor| actor.kind == ActorKind::BuildScript);
    crate::report::runs::standing::carry(&mut report, &earlier, &|_| false);
    let all = incidents(&report);
    let standing: Vec<_> = all.iter().map(|one| (one.whom.unwrap().name.as_str(), one.standing.is_some())).collect();
    assert_eq!(standing, [("chrono_anchor", true), ("honest", true), ("quickfetch-sys", false)]);
}

#[test]
fn what_to_do_is_said_once() {
    let mut report = assemble(&thieves(), &facts(), &Graph);
    let said = |report: &Report| {
        let all = incidents(report);
        let of = |at: usize| (advice::now(&all[at], PLAIN), advice::expected(&all[at], &report.reach, PLAIN));
        (of(0), of(2))
    };
    let (critical, secret) = said(&report);
    assert_eq!(critical, (vec!["read the source of chrono_anchor 0.1.0 before you build it again, and report it".to_owned()], None));
    let command = "cargo brig allow quickfetch-sys@0.3.2 --build-script --read '{home}/.ssh/id' --reason …";
    assert_eq!(secret.1.as_deref(), Some(command));
    // Of several findings one command, never a secret.
    let mut material = thieves();
    material.breaches.push(at(BUILD, 500, Act::Create { path: "/srv/x".into() }, Rule::FsWriteOutside, &[]));
    material.breaches.push(at(BUILD, 501, Act::Create { path: "/home/u/app/x.rs".into() }, Rule::FsWriteSource, &[]));
    let several = assemble(&material, &facts(), &Graph);
    let numbers: Vec<_> =
        several.findings.iter().filter(|one| one.except.as_ref().is_some_and(|it| !it.secret)).map(|one| &*one.id).collect();
    assert_eq!(numbers.len(), 2);
    assert_eq!(said(&several).1.1, Some(format!("cargo brig allow --from {} --reason …", numbers.join(" "))));
    // What was read is known to others; and a version that did not do this is the way back.
    let last = report.findings.len() - 1;
    (report.findings[last].status, report.findings[last].before) = (Status::Observed, Some("0.3.1".into()));
    let (_, (steps, _)) = said(&report);
    assert_eq!(steps[0], "rotate {home}/.ssh/id: take it for known to others");
    assert_eq!(steps[1], "cargo update -p quickfetch-sys --precise 0.3.1 takes it back to the version that did not do this");
}
