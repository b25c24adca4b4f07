//! What a report holds in the order in which it happened, for whoever follows a build line by line. In: a `&Report`. Out: JSON Lines, an event each: the run,
//! actors and processes as they begin, acts as they are first done, actors as they end, findings, the end. An act that was done again is no event of its
//! own: its line says how often.

use std::io::{self, Write};

use serde::Serialize;

use super::classes::{Class, Classes};
use super::crates::{Blamed, key};
use super::numbers::Numbers;
use crate::model::report::{Behaviour, Report, ReportedActor};
use crate::model::{Act, ActorId, ActorKind, Finding, Hostile, Process, Rule, Severity, Status};

pub const SCHEMA: &str = "brig.events/1";

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'r> {
    Run {
        schema: &'static str,
        id: &'r str,
        command: &'r [Hostile],
        mode: crate::model::Mode,
        profile: &'r [String],
        started: u64,
    },
    Actor {
        at_ms: Option<u64>,
        actor: ActorId,
        kind: ActorKind,
        #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
        whom: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<ActorId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<&'r str>,
        pid: u32,
        argv: &'r [Hostile],
    },
    Process {
        at_ms: u64,
        process: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        parent_process: Option<u64>,
        actor: ActorId,
        pid: u32,
        exe: &'r Hostile,
        argv: &'r [Hostile],
    },
    Act {
        at_ms: Option<u64>,
        actor: ActorId,
        #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
        whom: Option<String>,
        #[serde(flatten)]
        act: &'r Act,
        status: Status,
        count: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<Class>,
    },
    Ended {
        at_ms: u64,
        actor: ActorId,
        #[serde(skip_serializing_if = "Option::is_none")]
        exit: Option<i32>,
    },
    Finding {
        at_ms: Option<u64>,
        finding: &'r str,
        rule: Rule,
        severity: Severity,
        status: Status,
        actor: ActorId,
        #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
        whom: Option<String>,
        fingerprint: &'r str,
    },
    End {
        at_ms: u64,
        verdict: crate::model::report::VerdictWord,
        exit_code: u8,
        cargo_exit: Option<i32>,
        /// Acts and processes that the report had no room for, and events nobody could write down.
        left_out: u64,
        lost: u64,
    },
}

/// One event before it is made: when, what kind comes first at one time, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Actor(usize),
    Process(usize),
    Act(usize),
    Finding(usize),
    Ended(usize),
}

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    let teller = Teller { report, numbers: Numbers::of(report), classes: Classes::of(report), blamed: Blamed::of(report) };
    let run = &report.run;
    let began =
        Event::Run { schema: SCHEMA, id: &run.id, command: &run.command, mode: run.mode, profile: &run.profile, started: run.started };
    super::inert::line(&began, w)?;
    for (_, what) in order(report) {
        super::inert::line(&teller.event(what), w)?;
    }
    super::inert::line(
        &Event::End {
            at_ms: run.duration_ms,
            verdict: report.outcome.verdict,
            exit_code: report.outcome.exit_code,
            cargo_exit: report.outcome.cargo_exit,
            left_out: report.behaviour_truncated.saturating_add(report.processes_truncated),
            lost: report.coverage.lost,
        },
        w,
    )
}

/// By time. What has none stands where its actor begins.
fn order(report: &Report) -> Vec<(u64, What)> {
    let began = |actor: Option<&ReportedActor>| {
        let host = actor.and_then(|actor| actor.host).and_then(|host| report.actor(host));
        actor.and_then(|actor| actor.ran).or_else(|| host?.ran).map_or(0, |ran| ran.started_ms)
    };
    let of = |id: ActorId| began(report.actor(id));
    let mut all: Vec<(u64, What)> = Vec::new();
    for (at, actor) in report.actors.iter().enumerate() {
        all.push((began(Some(actor)), What::Actor(at)));
        all.extend(actor.ran.and_then(|ran| ran.ended_ms).map(|ended| (ended, What::Ended(at))));
    }
    all.extend(report.processes.iter().enumerate().map(|(at, process)| (process.started_ms, What::Process(at))));
    let act = |did: &Behaviour| if did.first_ms > 0 { did.first_ms } else { of(did.actor) };
    all.extend(report.behaviour.iter().enumerate().map(|(at, did)| (act(did), What::Act(at))));
    let found = |finding: &Finding| first(finding).unwrap_or_else(|| of(finding.actor));
    all.extend(report.findings.iter().enumerate().map(|(at, finding)| (found(finding), What::Finding(at))));
    all.sort_unstable();
    all
}

/// When the first of its acts was done.
fn first(finding: &Finding) -> Option<u64> {
    finding.evidence.iter().map(|evidence| evidence.at_ms).filter(|at| *at > 0).min()
}

struct Teller<'r> {
    report: &'r Report,
    numbers: Numbers,
    classes: Classes<'r>,
    blamed: Blamed<'r>,
}

impl<'r> Teller<'r> {
    fn event(&self, what: What) -> Event<'r> {
        let report = self.report;
        match what {
            What::Actor(at) => actor(&report.actors[at]),
            What::Process(at) => self.process(at, &report.processes[at]),
            What::Act(at) => self.act(&report.behaviour[at]),
            What::Finding(at) => finding(&report.findings[at]),
            What::Ended(at) => {
                let (actor, ran) = (&report.actors[at], report.actors[at].ran.unwrap_or_default());
                Event::Ended { at_ms: ran.ended_ms.unwrap_or_default(), actor: actor.id, exit: ran.exit }
            }
        }
    }

    fn process(&self, at: usize, process: &'r Process) -> Event<'r> {
        Event::Process {
            at_ms: process.started_ms,
            process: self.numbers.of_process(at),
            parent_process: self.numbers.find(process.parent, Some(process.started_ms)),
            actor: process.actor,
            pid: process.pid,
            exe: &process.exe,
            argv: &process.argv,
        }
    }

    fn act(&self, did: &'r Behaviour) -> Event<'r> {
        let actor = self.report.actor(did.actor);
        Event::Act {
            at_ms: (did.first_ms > 0).then_some(did.first_ms),
            actor: did.actor,
            whom: self.blamed.whose(actor, did).map(key),
            act: &did.act,
            status: did.status,
            count: did.count,
            class: self.classes.class(actor, &did.act),
        }
    }
}

fn actor(actor: &ReportedActor) -> Event<'_> {
    Event::Actor {
        at_ms: actor.ran.map(|ran| ran.started_ms),
        actor: actor.id,
        kind: actor.kind,
        whom: actor.package.as_ref().map(key),
        host: actor.host,
        role: actor.role.as_deref(),
        pid: actor.pid,
        argv: &actor.argv,
    }
}

fn finding(finding: &Finding) -> Event<'_> {
    Event::Finding {
        at_ms: first(finding),
        finding: &finding.id,
        rule: finding.rule,
        severity: finding.severity,
        status: finding.status,
        actor: finding.actor,
        whom: finding.offender.as_ref().map(key),
        fingerprint: &finding.fingerprint,
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
