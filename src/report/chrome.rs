//! A trace in the Trace Event Format of Chrome, which Perfetto and other viewers of traces open: actors and their processes as slices, acts as instants. In:
//! a `&Report`. Out: JSON, made event by event as it is written.
//!
//! Each actor is a process of the trace, by its number in the report, and each process of the actor's a thread, by its pid. When a process ended nobody
//! writes down: its slice ends where its pid runs another program, else with its actor, and says so.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::crates::{Blamed, key};
use super::plain::PLAIN;
use super::wording::{command, fate, times};
use super::{escape, incidents};
use crate::model::report::{Report, ReportedActor};
use crate::model::{Act, ActorId, Process, moment};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace<'r> {
    display_time_unit: &'static str,
    other_data: BTreeMap<&'static str, String>,
    trace_events: Events<'r>,
}

/// Times are in microseconds since the run began.
#[derive(Serialize)]
struct Event<'r> {
    name: &'r str,
    cat: &'static str,
    ph: &'static str,
    ts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    /// Of an instant: `t`, one of its thread alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<&'static str, String>,
}

struct Events<'r> {
    report: &'r Report,
    blamed: Blamed<'r>,
}

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    let command = escape::plain(&command(&report.run.command));
    let other_data = [
        ("command", command),
        ("began", moment::rfc3339(report.run.started)),
        ("tool", format!("{} {}", escape::name(&report.tool.name), escape::name(&report.tool.version))),
    ];
    let events = Events { report, blamed: Blamed::of(report) };
    super::inert::lines(&Trace { display_time_unit: "ms", other_data: other_data.into(), trace_events: events }, w)
}

fn us(ms: u64) -> u64 {
    ms.saturating_mul(1000)
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(None)?;
        let report = self.report;
        // Nobody, for what is found out of every process.
        all.serialize_element(&named("process_name", 0, 0, "the build"))?;
        let run = Event { dur: Some(us(report.run.duration_ms)), ..slice("run", "cargo", 0, (0, 0)) };
        all.serialize_element(&run)?;
        for actor in &report.actors {
            self.actor(actor, &mut all)?;
        }
        self.processes(&mut all)?;
        self.acts(&mut all)?;
        self.findings(&mut all)?;
        all.end()
    }
}

impl Events<'_> {
    fn actor<Q: SerializeSeq>(&self, actor: &ReportedActor, all: &mut Q) -> Result<(), Q::Error> {
        let subject = PLAIN.subject(self.report, actor);
        all.serialize_element(&named("process_name", actor.id.0, actor.pid, &subject))?;
        let Some(ran) = actor.ran else { return Ok(()) };
        all.serialize_element(&named("thread_name", actor.id.0, actor.pid, &subject))?;
        let ended = ran.ended_ms.unwrap_or(self.report.run.duration_ms);
        let mut args = BTreeMap::from([("kind", actor.kind.name().to_owned())]);
        args.extend(actor.package.as_ref().map(|package| ("crate", escape::name(&key(package)))));
        args.extend(ran.exit.map(|exit| ("exit", exit.to_string())));
        if ran.ended_ms.is_none() {
            args.insert("end", "not known: it was there when cargo had ended".to_owned());
        }
        let dur = Some(us(ended.saturating_sub(ran.started_ms)));
        all.serialize_element(&Event { dur, args, ..slice("actor", &subject, us(ran.started_ms), (actor.id.0, actor.pid)) })
    }

    fn processes<Q: SerializeSeq>(&self, all: &mut Q) -> Result<(), Q::Error> {
        let mut by_pid: BTreeMap<(ActorId, u32), Vec<&Process>> = BTreeMap::new();
        for process in &self.report.processes {
            by_pid.entry((process.actor, process.pid)).or_default().push(process);
        }
        for ((id, pid), mut programs) in by_pid {
            programs.sort_by_key(|process| process.started_ms);
            let actor = self.report.actor(id);
            let ends = actor.and_then(|actor| self.report.actor(actor.host?).or(Some(actor)));
            let ended = ends.or(actor).and_then(|actor| actor.ran?.ended_ms).unwrap_or(self.report.run.duration_ms);
            let first = programs.first().map(|process| program(process)).unwrap_or_default();
            // Of the process cargo started, the actor has told that already.
            if actor.is_none_or(|actor| actor.pid != pid) {
                all.serialize_element(&named("thread_name", id.0, pid, &first))?;
            }
            for (at, process) in programs.iter().enumerate() {
                let next = programs.get(at + 1).map(|next| next.started_ms);
                let until = next.unwrap_or(ended);
                let mut args = BTreeMap::from([("command", escape::plain(&command(&process.argv)))]);
                args.insert("parent", process.parent.to_string());
                args.extend(next.is_none().then(|| ("end", "not recorded: at the latest with its actor".to_owned())));
                let dur = Some(us(until.saturating_sub(process.started_ms)));
                let name = program(process);
                all.serialize_element(&Event { dur, args, ..slice("process", &name, us(process.started_ms), (id.0, pid)) })?;
            }
        }
        Ok(())
    }

    /// Acts that no finding is about; those have their own.
    fn acts<Q: SerializeSeq>(&self, all: &mut Q) -> Result<(), Q::Error> {
        let report = self.report;
        let of_findings = report.findings.iter().flat_map(|finding| finding.evidence.iter().map(move |one| (finding.actor, &one.act)));
        let told: HashSet<(ActorId, &Act)> = of_findings.collect();
        let pids: HashMap<ActorId, u32> = report.actors.iter().map(|actor| (actor.id, actor.pid)).collect();
        for did in report.behaviour.iter().filter(|did| did.first_ms > 0 && !told.contains(&(did.actor, &did.act))) {
            let name = format!("{}{}", PLAIN.act(&did.act, did.status), times(did.count));
            let mut args = BTreeMap::new();
            args.extend(self.blamed.whose(report.actor(did.actor), did).map(|whom| ("crate", escape::name(&key(whom)))));
            args.insert("status", did.status.name().to_owned());
            let pid = pids.get(&did.actor).copied().unwrap_or_default();
            all.serialize_element(&Event { s: Some("t"), args, ph: "i", ..slice("act", &name, us(did.first_ms), (did.actor.0, pid)) })?;
        }
        Ok(())
    }

    fn findings<Q: SerializeSeq>(&self, all: &mut Q) -> Result<(), Q::Error> {
        let report = self.report;
        for incident in incidents::incidents(report).iter().filter(|incident| incident.standing.is_none()) {
            for deed in incident.deeds().iter().filter(|deed| deed.at_ms > 0) {
                let mut args = BTreeMap::from([("rule", deed.finding.rule.id().to_owned())]);
                args.insert("finding", escape::name(&deed.finding.id));
                args.insert("incident", incident.id.clone());
                args.insert("severity", deed.finding.severity.name().to_owned());
                args.insert("fate", fate(deed.finding).to_owned());
                args.extend(incident.whom.map(|whom| ("crate", escape::name(&key(whom)))));
                let name = format!("{}: {}", deed.finding.rule.id(), deed.told(PLAIN));
                let place = (deed.finding.actor.0, deed.evidence.pid);
                all.serialize_element(&Event { s: Some("t"), args, ph: "i", ..slice("finding", &name, us(deed.at_ms), place) })?;
            }
        }
        Ok(())
    }
}

fn slice<'n>(cat: &'static str, name: &'n str, ts: u64, (pid, tid): (u32, u32)) -> Event<'n> {
    Event { name, cat, ph: "X", ts, dur: None, s: None, pid, tid, args: BTreeMap::new() }
}

fn named(what: &'static str, pid: u32, tid: u32, name: &str) -> Event<'static> {
    let args = BTreeMap::from([("name", name.to_owned())]);
    Event { args, ph: "M", ..slice("__metadata", what, 0, (pid, tid)) }
}

/// Its name, by what it really is and not by what it calls itself.
fn program(process: &Process) -> String {
    let name = process.exe.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    escape::quoted(&crate::model::Hostile::new(name))
}

#[cfg(test)]
#[path = "chrome_tests.rs"]
mod tests;
