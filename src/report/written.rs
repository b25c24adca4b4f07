//! A report as its JSON has it: with everything that a reader would otherwise have to join from several lists. In: a `&Report`. Out: the same, and beside
//! each act, process and finding whose it was and which others belong to it. What is added here is made from the rest each time and never read back.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::classes::{Class, Classes};
use super::crates::{Blamed, Summary, crates, key};
use super::incidents::{Incident, by_finding, incidents};
use super::numbers::Numbers;
use super::proposal::remedy;
use super::sent;
use crate::model::report::{
    Behaviour, Coverage, Enforcement, Host, Kept, Outcome, PolicyLine, Report, ReportedActor, ReportedPackage, ReviewedUse, Rotate, Run,
    SCHEMA, Tool,
};
use crate::model::{ActorId, ExceptionUse, Finding, Process, Reach, Rule, Sent, Severity, Standing, Status};

/// What is by design in no report: said in each, so that nobody takes silence for an answer.
const NOT_RECORDED: [&str; 3] = [
    "what cargo itself reads while it only builds: its wall holds it, and nobody writes it down",
    "what is done with a file after it was opened",
    "looks at what lies where without opening it (stat, access, readlink)",
];

/// In the order of the file.
#[derive(Serialize)]
pub struct Written<'r> {
    schema: &'static str,
    tool: &'r Tool,
    run: &'r Run,
    host: &'r Host,
    enforcement: &'r Enforcement,
    coverage: Covered<'r>,
    outcome: &'r Outcome,
    crates: BTreeMap<String, Summary>,
    incidents: Vec<OneIncident<'r>>,
    packages: &'r [ReportedPackage],
    actors: Vec<OneActor<'r>>,
    processes: Vec<OneProcess<'r>>,
    processes_truncated: u64,
    behaviour: Acts<'r>,
    behaviour_truncated: u64,
    findings: Vec<OneFinding<'r>>,
    #[serde(skip_serializing_if = "<[Sent]>::is_empty")]
    sent: &'r [Sent],
    #[serde(skip_serializing_if = "<[Kept]>::is_empty")]
    kept: &'r [Kept],
    #[serde(skip_serializing_if = "<[PolicyLine]>::is_empty")]
    policy: &'r [PolicyLine],
    #[serde(skip_serializing_if = "<[ReviewedUse]>::is_empty")]
    reviewed: &'r [ReviewedUse],
    #[serde(skip_serializing_if = "<[ExceptionUse]>::is_empty")]
    exceptions: &'r [ExceptionUse],
    #[serde(skip_serializing_if = "<[Standing]>::is_empty")]
    standing: &'r [Standing],
    #[serde(skip_serializing_if = "<[Rotate]>::is_empty")]
    rotate: &'r [Rotate],
    end: bool,
}

#[derive(Serialize)]
struct Covered<'r> {
    #[serde(flatten)]
    coverage: &'r Coverage,
    not_recorded: [&'static str; NOT_RECORDED.len()],
}

#[derive(Serialize)]
struct OneIncident<'r> {
    id: String,
    severity: Severity,
    status: Status,
    #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
    whom: Option<String>,
    actors: Vec<ActorId>,
    rules: Vec<Rule>,
    findings: Vec<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sent: Vec<&'r Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'r str>,
}

#[derive(Serialize)]
struct OneActor<'r> {
    #[serde(flatten)]
    actor: &'r ReportedActor,
    #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
    whom: Option<String>,
    /// Of the process cargo started.
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<u64>,
}

#[derive(Serialize)]
struct OneProcess<'r> {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_process: Option<u64>,
    #[serde(flatten)]
    process: &'r Process,
}

/// With what does not go without saying: a crate that is not the actor's, a class that is not what compilers keep in between.
#[derive(Serialize)]
struct OneAct<'r> {
    #[serde(flatten)]
    did: &'r Behaviour,
    #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
    whom: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
}

/// There may be a hundred thousand: each is made as it is written.
struct Acts<'r> {
    report: &'r Report,
    classes: Classes<'r>,
    blamed: Blamed<'r>,
}

impl Serialize for Acts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.report.behaviour.iter().map(|did| {
            let actor = self.report.actor(did.actor);
            let class = self.classes.class(actor, &did.act).filter(|class| *class != Class::CompilerIntermediate);
            OneAct { did, whom: self.blamed.another(actor, did).map(key), class }
        }))
    }
}

#[derive(Serialize)]
struct OneFinding<'r> {
    #[serde(flatten)]
    finding: &'r Finding,
    incident: String,
    #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
    whom: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'r crate::model::Hostile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

pub fn written(report: &Report) -> Written<'_> {
    let (incidents, numbers) = (incidents(report), Numbers::of(report));
    let of = by_finding(&incidents);
    let processes = report.processes.iter().enumerate().map(|(at, process)| OneProcess {
        id: numbers.of_process(at),
        parent_process: numbers.find(process.parent, Some(process.started_ms)),
        process,
    });
    let actors = report.actors.iter().map(|actor| OneActor {
        actor,
        whom: actor.package.as_ref().map(key),
        process: (actor.pid > 0).then_some(u64::from(actor.id.0)),
    });
    let findings =
        report.findings.iter().map(|finding| one_finding(finding, of.get(&std::ptr::from_ref(finding)).copied(), &numbers, &report.reach));
    Written {
        schema: SCHEMA,
        tool: &report.tool,
        run: &report.run,
        host: &report.host,
        enforcement: &report.enforcement,
        coverage: Covered { coverage: &report.coverage, not_recorded: NOT_RECORDED },
        outcome: &report.outcome,
        crates: crates(report, &incidents),
        packages: &report.packages,
        actors: actors.collect(),
        processes: processes.collect(),
        processes_truncated: report.processes_truncated,
        behaviour: Acts { report, classes: Classes::of(report), blamed: Blamed::of(report) },
        behaviour_truncated: report.behaviour_truncated,
        findings: findings.collect(),
        sent: &report.sent,
        kept: &report.kept,
        policy: &report.policy,
        reviewed: &report.reviewed,
        exceptions: &report.exceptions,
        standing: &report.standing,
        rotate: &report.rotate,
        incidents: incidents.iter().map(|incident| one_incident(report, incident)).collect(),
        end: report.end,
    }
}

fn one_incident<'r>(report: &'r Report, incident: &Incident<'r>) -> OneIncident<'r> {
    OneIncident {
        id: incident.id.clone(),
        severity: incident.severity,
        status: incident.status,
        whom: incident.whom.map(key),
        actors: incident.actors.clone(),
        rules: incident.rules(),
        findings: incident.numbers().collect(),
        began_ms: incident.began_ms(),
        sent: sent::of(report, incident),
        run: incident.standing.map(|standing| standing.run.as_str()),
    }
}

fn one_finding<'r>(finding: &'r Finding, incident: Option<&Incident>, numbers: &Numbers, reach: &Reach) -> OneFinding<'r> {
    let first = finding.evidence.iter().filter(|evidence| evidence.at_ms > 0).min_by_key(|evidence| evidence.at_ms);
    let pid = first.or(finding.evidence.first()).map_or(0, |evidence| evidence.pid);
    let candidates = finding.blame.iter().flat_map(|blame| &blame.crates);
    let is_offenders = |name: &str| finding.offender.as_ref().is_some_and(|one| one.name.replace('-', "_") == name);
    let own = candidates.clone().find(|candidate| candidate.function.is_some() && is_offenders(&candidate.name));
    let (file, line) = match finding.location.as_deref().map(|location| (location, location.rsplit_once(':'))) {
        Some((_, Some((file, line)))) if line.parse::<u64>().is_ok() => (Some(file), line.parse().ok()),
        Some((file, _)) => (Some(file), None),
        None => (None, None),
    };
    OneFinding {
        finding,
        incident: incident.map(|incident| incident.id.clone()).unwrap_or_default(),
        whom: incident.and_then(|incident| incident.whom).map(key),
        process: numbers.find(pid, first.map(|evidence| evidence.at_ms)),
        at_ms: first.map(|evidence| evidence.at_ms),
        function: own
            .or_else(|| candidates.clone().find(|candidate| candidate.function.is_some()))
            .and_then(|found| found.function.as_ref()),
        file,
        line,
        remedy: remedy(finding, reach),
    }
}

#[cfg(test)]
#[path = "written_tests.rs"]
mod tests;
