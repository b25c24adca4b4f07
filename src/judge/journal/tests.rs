//! What the journal keeps, counts and folds when there is too much.

use super::*;
use crate::model::{Breach, Candidate, Severity};

fn event(path: &str, status: Status, rule: Option<Rule>) -> Event {
    let breach = rule.map(|rule| Breach { rule, severity: Severity::High, reason: "r".into() });
    Event { actor: ActorId(1), pid: 7, act: Act::Read { path: path.into() }, status, breach, blame: None, at_ms: 0 }
}

#[test]
fn equal_acts_are_counted() {
    let journal = Journal::default();
    for _ in 0..3 {
        journal.event(event("/a", Status::Allowed, None));
        journal.event(event("/.env", Status::Refused, Some(Rule::SecretRead)));
    }
    let record = journal.snapshot();
    assert_eq!(record.events, 6);
    assert_eq!(record.behaviours.iter().map(|behaviour| behaviour.count).collect::<Vec<_>>(), [3], "a breach is counted once");
    assert_eq!(record.breaches.len(), 1);
    assert_eq!(record.breaches[0].count, 3);
}

#[test]
fn a_flood_hides_no_refusal_and_stays_bounded() {
    let journal = Journal::default();
    for n in 0..ACTS + 50 {
        journal.event(event(&format!("/a/{n}"), Status::Allowed, None));
    }
    for n in 0..3 * REFUSALS {
        journal.event(event(&format!("/s{}/{n}", n % 1000), Status::Refused, Some(Rule::SecretRead)));
    }
    let record = journal.snapshot();
    assert_eq!(record.truncated[&ActorId(1)], 50);
    assert_eq!(record.breaches.iter().map(|breach| breach.count).sum::<u64>(), 3 * REFUSALS as u64);
    assert!(record.behaviours.len() <= ACTS + 2 * REFUSALS + 20, "{}", record.behaviours.len());
}

#[test]
fn losses_and_processes_are_bounded_and_counted() {
    let journal = Journal::default();
    (0..2 * LOSSES).for_each(|n| journal.lost(&format!("loss {n}")));
    let process =
        Process { actor: ActorId(1), pid: 1, parent: 0, exe: "/x".into(), argv: vec![], started_ms: 0, blame: None, steered: false };
    (0..PROCESSES + 2).for_each(|_| journal.process(process.clone()));
    let record = journal.snapshot();
    assert_eq!(record.lost.iter().map(|(_, count)| count).sum::<u64>(), 2 * LOSSES as u64);
    assert_eq!((record.processes.len(), record.processes_truncated), (PROCESSES, 2));
}

#[test]
fn one_act_of_several_crates_is_told_apart_and_bounded() {
    let journal = Journal::default();
    let by = |name: &str| {
        let crates = vec![Candidate { name: name.into(), function: None, object: None, package: None }];
        Some(Blame { crates, by: "inherited".into(), caveat: None })
    };
    let enter = |blame| journal.event(Event { blame, ..event("/.env", Status::Refused, Some(Rule::SecretRead)) });
    for blame in [by("chrono_anchor"), by("dnp3times"), by("chrono_anchor"), None] {
        enter(blame);
    }
    let counted = |record: &Record| record.breaches.iter().map(|breach| breach.count).collect::<Vec<_>>();
    let record = journal.snapshot();
    assert_eq!(counted(&record), [3, 1], "whom nobody was seen for is counted with the first");
    assert_eq!(record.breaches[1].event.blame, by("dnp3times"));
    (0..2 * STACKS).for_each(|n| enter(by(&format!("crate_{n}"))));
    let record = journal.snapshot();
    assert_eq!((record.breaches.len(), counted(&record).iter().sum::<u64>()), (STACKS, 4 + 2 * STACKS as u64));
}

#[test]
fn long_texts_are_bounded_too() {
    let journal = Journal::default();
    let long = |n: usize| format!("/{n}/{}", "x".repeat(64 << 10));
    for n in 0..1000 {
        journal.event(event(&long(n), Status::Allowed, None));
        journal.event(event(&long(n), Status::Refused, Some(Rule::SecretRead)));
    }
    let record = journal.snapshot();
    let length: usize = record.behaviours.iter().map(|did| super::text(&did.act)).sum();
    // Each act is told once for being allowed and once for being refused.
    assert!(length < 3 * super::TEXT, "{length}");
    assert_eq!(record.breaches.iter().map(|breach| breach.count).sum::<u64>(), 1000);
}

/// Of a trial: whoever is refused a call by one function is not counted with another, and what is too much, or was not looked at, with nobody.
#[test]
fn ways_to_a_refused_call_are_told_apart_in_a_trial() {
    let by = |function: &str| {
        let crates = vec![Candidate { name: "x".into(), function: Some(function.into()), object: None, package: None }];
        Some(Blame { crates, by: "stack".into(), caveat: None })
    };
    let counted =
        |journal: &Journal| journal.snapshot().breaches.iter().map(|one| (one.event.blame.is_some(), one.count)).collect::<Vec<_>>();
    let tamper = |blame| {
        let act = Act::Tamper { call: "ptrace".into(), detail: Hostile::default() };
        Event { act, blame, ..event("/", Status::Refused, Some(Rule::ProcTamper)) }
    };
    for (journal, expected) in [(Journal::default(), vec![(true, 4)]), (Journal::of_a_trial(), vec![(false, 1), (true, 2), (true, 1)])] {
        for blame in [by("x::chroot"), by("x::steal"), by("x::chroot"), None] {
            journal.event(tamper(blame));
        }
        assert_eq!(counted(&journal), expected);
    }
    let journal = Journal::of_a_trial();
    (0..2 * STACKS).for_each(|n| journal.event(tamper(by(&format!("x::f{n}")))));
    let all = counted(&journal);
    assert_eq!((all.len(), all[0]), (STACKS + 1, (false, STACKS as u64)));
}

#[test]
fn a_steered_process_is_marked_whenever_that_was_seen() {
    let journal = Journal::default();
    journal.steered(ActorId(1), 7);
    for pid in [7, 8] {
        let process =
            Process { actor: ActorId(1), pid, parent: 0, exe: "/x".into(), argv: vec![], started_ms: 0, blame: None, steered: false };
        journal.process(process);
    }
    journal.steered(ActorId(2), 8);
    assert_eq!(journal.snapshot().processes.iter().map(|process| process.steered).collect::<Vec<_>>(), [true, false]);
}
