use super::*;
use crate::model::{Breach, Severity};

fn event(path: &str, status: Status, rule: Option<Rule>) -> Event {
    let breach = rule.map(|rule| Breach { rule, severity: Severity::High, reason: "r".into() });
    Event { actor: ActorId(1), pid: 7, act: Act::Read { path: path.into() }, status, breach, blame: None }
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
    assert_eq!(record.behaviours.iter().map(|behaviour| behaviour.count).collect::<Vec<_>>(), [3, 3]);
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
    let process = Process { actor: ActorId(1), pid: 1, parent: 0, exe: "/x".into(), argv: vec![], started_ms: 0, blame: None };
    (0..PROCESSES + 2).for_each(|_| journal.process(process.clone()));
    let record = journal.snapshot();
    assert_eq!(record.lost.iter().map(|(_, count)| count).sum::<u64>(), 2 * LOSSES as u64);
    assert_eq!((record.processes.len(), record.processes_truncated), (PROCESSES, 2));
}
