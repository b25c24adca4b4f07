//! Target: what turns a record into a report. The same build gives the same report, whatever its pids, the order its events came in and the
//! names its compilers drew; and a record made by an enemy gives one that is safe to show.

use std::collections::BTreeMap;

use super::rendered;
use super::report::{KINDS, act, blame};
use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::model::report::Behaviour;
use crate::model::{ActorId, Breach, Event, Hostile, Process, Rule, Severity, Status};
use crate::report::samples::{Graph, actor, facts, package};
use crate::report::{Material, assemble};

/// A record. Pids are few and meet; parents may be missing or go in circles.
fn record(source: &mut Source) -> Material {
    let actors: Vec<u32> = (1..=1 + source.below(4) as u32).collect();
    let introduced = actors.iter().map(|id| {
        let named = source.maybe(|source| package(source.pick(&["quickfetch-sys", "app"]), "0.1.0"));
        let mut one =
            actor(*id, source.pick(&KINDS), named, source.maybe(Source::text).as_deref(), source.pick(&["/opt/toolchain/bin/rustc", "/x"]));
        one.withheld = source.many(2, Source::text);
        one.outputs = source.many(1, |_| "/home/u/app/target/debug/build/x-1f/out".into());
        one
    });
    let mut introduced: Vec<_> = introduced.collect();
    if source.one_in(6) {
        introduced.pop();
    }
    let pid = |source: &mut Source, id: u32| if source.one_in(3) { id * 100 } else { 900 + source.below(6) as u32 };
    let id = |source: &mut Source| source.pick(&actors);
    let mut processes = Vec::new();
    for at in 0..source.below(8) {
        let owner = id(source);
        processes.push(Process {
            actor: ActorId(owner),
            pid: pid(source, owner),
            parent: pid(source, owner),
            exe: source.hostile(),
            argv: source.many(4, Source::hostile),
            started_ms: 10 * at as u64,
            blame: source.maybe(blame),
            steered: source.one_in(4),
        });
    }
    let statuses = [Status::Allowed, Status::Redacted, Status::Decoy, Status::Observed, Status::Refused];
    let severities = [Severity::Info, Severity::Low, Severity::High];
    let breaches = source.many(6, |source| {
        let owner = id(source);
        let breach = Breach { rule: source.pick(Rule::ALL), severity: source.pick(&severities), reason: source.text() };
        let event = Event {
            actor: ActorId(owner),
            pid: pid(source, owner),
            act: act(source),
            status: source.pick(&statuses),
            breach: Some(breach),
            blame: source.maybe(blame),
            at_ms: source.number(),
        };
        (event, 1 + source.below(9) as u64)
    });
    let behaviours = source.many(8, |source| Behaviour {
        actor: ActorId(id(source)),
        act: act(source),
        status: source.pick(&statuses),
        count: 1 + source.below(9) as u64,
        first_ms: source.number(),
    });
    Material { actors: introduced, processes, behaviours, breaches, lost: source.many(2, Source::text), ..Material::default() }
}

#[test]
fn any_record_gives_a_report_that_is_safe_to_show() {
    fuzz("records", 60, record, |record| rendered::check(&assemble(record, &facts(), &Graph)));
}

/// Another run of the same build: other pids, acts in another order.
#[test]
fn the_order_of_events_and_the_numbers_of_processes_leave_no_trace() {
    let twice = |source: &mut Source| {
        let mut first = record(source);
        // A stack is looked at once per process: whose look it was is not the same in both runs, so none of them has one here.
        first.processes.iter_mut().for_each(|process| process.blame = None);
        first.breaches.iter_mut().for_each(|(event, _)| event.blame = None);
        let mut second = first.clone();
        let mut numbers: Vec<u32> = (5000..5100).collect();
        source.shuffle(&mut numbers);
        let mut given: BTreeMap<u32, u32> = BTreeMap::new();
        let mut other = |pid: u32| *given.entry(pid).or_insert_with(|| numbers.pop().unwrap_or_default());
        second.actors.iter_mut().for_each(|actor| actor.pid = other(actor.pid));
        for process in &mut second.processes {
            (process.pid, process.parent) = (other(process.pid), other(process.parent));
        }
        second.breaches.iter_mut().for_each(|(event, _)| event.pid = other(event.pid));
        source.shuffle(&mut second.breaches);
        source.shuffle(&mut second.behaviours);
        source.shuffle(&mut second.lost);
        (first, second)
    };
    fuzz("same-build", 150, twice, |(first, second)| {
        let [first, second] = [first, second].map(|record| {
            let mut report = assemble(record, &facts(), &Graph);
            report.processes.clear();
            report.actors.iter_mut().for_each(|actor| actor.pid = 0);
            report.findings.iter_mut().flat_map(|finding| &mut finding.evidence).for_each(|one| one.pid = 0);
            report
        });
        must(first == second, || format!("two reports:\n{}\n{}", json(&first), json(&second)))
    });
}

fn json(report: &crate::model::report::Report) -> String {
    serde_json::to_string(report).unwrap_or_default()
}

#[test]
fn placeholders_stand_for_places_and_for_nothing_else() {
    let words = |source: &mut Source| {
        let places =
            ["/home/u/app", "/home/u/app/target", "/home/u", "/home/u/.cargo", "/tmp/brig-77", "/home/u2", "{workspace}", "/proc/123", ""];
        let random = ["/rustcAb12Cd/x", "/incremental/a/s-h1-0x-working/d", "/x.tmpQq12Ww", "", "/.env"];
        Bytes([source.pick(&places).as_bytes(), source.pick(&random).as_bytes(), source.hostile().as_bytes()].concat())
    };
    fuzz("placeholders", 3000, words, |bytes| {
        let places = facts().places;
        let given = Hostile::new(bytes.0.clone());
        let path = places.path(&given);
        // What begins like a placeholder is one: the place it stands for is where the path was.
        let known = [
            ("{workspace}", "/home/u/app"),
            ("{target}", "/home/u/app/target"),
            ("{home}", "/home/u"),
            ("{cargo-home}", "/home/u/.cargo"),
            ("{tmp}", "/tmp/brig-77"),
            ("{toolchain}", "/opt/toolchain"),
        ];
        let claims = known.iter().find(|(name, _)| path.as_bytes().starts_with(name.as_bytes()));
        must(claims.is_none_or(|(_, place)| bytes.0.starts_with(place.as_bytes())), || format!("{given:?} is shown as {path:?}"))?;
        must(claims.is_some() || !path.as_bytes().starts_with(b"{"), || format!("{given:?} is shown as {path:?}"))?;
        let text = places.text(&given);
        must(path.as_bytes().len() <= bytes.0.len() + 16 && text.as_bytes().len() <= 3 * bytes.0.len() + 16, || "grew without bound".into())
    });
}
