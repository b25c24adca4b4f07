//! Runs one after another as one: a workspace that is built, then tested, then built again. In: their reports, in order of time, each of which stands for
//! itself. Out: one report, with times counted from the first of them, and the worst of their verdicts.

use crate::model::report::{Coverage, Outcome, Report, VerdictWord};
use crate::model::{ActorId, Hostile};

/// Nothing of no runs. What stood in one of them from before is left out.
pub fn joined(reports: impl IntoIterator<Item = Report>, command: &[&str]) -> Option<Report> {
    let mut reports = reports.into_iter();
    let mut all = reports.next()?;
    all.standing.clear();
    for report in reports {
        add(&mut all, report);
    }
    for (number, finding) in all.findings.iter_mut().enumerate() {
        finding.id = format!("F{}", number + 1);
    }
    all.run.id.clear();
    all.run.command = command.iter().map(|word| Hostile::from(*word)).collect();
    Some(all)
}

fn add(all: &mut Report, mut report: Report) {
    let later = later(all, &report);
    shift(&mut report, all.actors.iter().map(|actor| actor.id.0).max().unwrap_or(0), later);
    all.run.duration_ms = later.saturating_add(report.run.duration_ms);
    let (phases, more) = (&mut all.run.phases, &report.run.phases);
    phases.fetched |= more.fetched;
    phases.offline &= more.offline;
    phases.wanted = phases.wanted.saturating_add(more.wanted);
    for weakness in report.enforcement.degraded {
        if !all.enforcement.degraded.contains(&weakness) {
            all.enforcement.degraded.push(weakness);
        }
    }
    let (costs, more) = (&mut all.run.costs, &report.run.costs);
    costs.processor_ms = costs.processor_ms.saturating_add(more.processor_ms);
    costs.peak_memory_kib = costs.peak_memory_kib.max(more.peak_memory_kib);
    cover(&mut all.coverage, report.coverage);
    end(&mut all.outcome, report.outcome);
    all.actors.append(&mut report.actors);
    all.processes.append(&mut report.processes);
    all.processes_truncated = all.processes_truncated.saturating_add(report.processes_truncated);
    all.behaviour.append(&mut report.behaviour);
    all.behaviour_truncated = all.behaviour_truncated.saturating_add(report.behaviour_truncated);
    all.findings.append(&mut report.findings);
    all.kept.append(&mut report.kept);
    all.reviewed.append(&mut report.reviewed);
    all.exceptions.append(&mut report.exceptions);
    all.rotate.append(&mut report.rotate);
    for package in report.packages {
        let is_same = |one: &&mut _| same(one, &package);
        match all.packages.iter_mut().find(is_same) {
            Some(known) if known.manifest.is_some() => {}
            Some(known) => *known = package,
            None => all.packages.push(package),
        }
    }
}

fn same(one: &crate::model::report::ReportedPackage, other: &crate::model::report::ReportedPackage) -> bool {
    (&one.name, &one.version, &one.source) == (&other.name, &other.version, &other.source)
}

/// How much later it began, in milliseconds. Begins are known to the second; none began before the one before had ended.
fn later(all: &Report, report: &Report) -> u64 {
    report.run.started.saturating_sub(all.run.started).saturating_mul(1000).max(all.run.duration_ms)
}

/// Numbers and times as they are among the others.
fn shift(report: &mut Report, actors: u32, ms: u64) {
    let number = |id: &mut ActorId| id.0 = id.0.saturating_add(actors);
    // What has no time gets none.
    let time = |at: &mut u64| *at = if *at > 0 { at.saturating_add(ms) } else { 0 };
    for actor in &mut report.actors {
        number(&mut actor.id);
        actor.host.iter_mut().for_each(number);
        if let Some(ran) = &mut actor.ran {
            ran.started_ms = ran.started_ms.saturating_add(ms);
            ran.ended_ms.iter_mut().for_each(time);
        }
    }
    for process in &mut report.processes {
        number(&mut process.actor);
        process.started_ms = process.started_ms.saturating_add(ms);
    }
    for did in &mut report.behaviour {
        number(&mut did.actor);
        time(&mut did.first_ms);
    }
    for finding in &mut report.findings {
        number(&mut finding.actor);
        finding.evidence.iter_mut().for_each(|evidence| time(&mut evidence.at_ms));
    }
    report.kept.iter_mut().for_each(|kept| number(&mut kept.actor));
    report.rotate.iter_mut().for_each(|one| number(&mut one.actor));
}

/// What one run did not come to, another may have: of that nothing is said.
fn cover(all: &mut Coverage, more: Coverage) {
    (all.units, all.fresh, all.not_reached) = (None, None, None);
    for (kind, count) in more.ran {
        *all.ran.entry(kind).or_default() += count;
    }
    all.events = all.events.saturating_add(more.events);
    all.lost = all.lost.saturating_add(more.lost);
    all.holes.extend(more.holes);
    all.unattributed = all.unattributed.saturating_add(more.unattributed);
    all.complete &= more.complete;
}

fn end(all: &mut Outcome, more: Outcome) {
    if rank(more.verdict) > rank(all.verdict) {
        (all.verdict, all.exit_code) = (more.verdict, more.exit_code);
    }
    if all.cargo_exit == Some(0) {
        all.cargo_exit = more.cargo_exit;
    }
    all.timed_out |= more.timed_out;
    all.barred |= more.barred;
    all.given.extend(more.given);
    all.closed.extend(more.closed);
    let (counts, more) = (&mut all.counts, more.counts);
    counts.actors = counts.actors.saturating_add(more.actors);
    counts.processes = counts.processes.saturating_add(more.processes);
    counts.refused = counts.refused.saturating_add(more.refused);
    counts.observed = counts.observed.saturating_add(more.observed);
    for (severity, count) in more.findings {
        *counts.findings.entry(severity).or_default() += count;
    }
}

/// The worst of several is that of all.
fn rank(verdict: VerdictWord) -> u8 {
    match verdict {
        VerdictWord::NotRun => 0,
        VerdictWord::Clean => 1,
        VerdictWord::Observed => 2,
        VerdictWord::TimedOut => 3,
        VerdictWord::Unaccepted => 4,
        VerdictWord::Incomplete => 5,
        VerdictWord::Violation => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Act, Rule, Severity, Span, Status};
    use crate::report::samples::*;
    use crate::report::{Format, assemble, incidents};

    #[test]
    fn two_runs_are_one_in_which_everything_belongs_to_whom_it_did() {
        let mut material = stolen_env();
        material.spans.insert(ActorId(BUILD), Span { started_ms: 10, ended_ms: Some(20), exit: None });
        material.breaches[0].0.at_ms = 15;
        let first = assemble(&material, &facts(), &Graph);
        let mut material = material_of_a_test();
        material.breaches[0].0.at_ms = 15;
        let mut facts = facts();
        facts.run.started += 60;
        let second = assemble(&material, &facts, &Graph);
        let (actors, acts) = (first.actors.len() + second.actors.len(), first.behaviour.len() + second.behaviour.len());
        let all = joined([first.clone(), second], &["cargo", "brig", "demo"]).unwrap();
        assert_eq!((all.actors.len(), all.behaviour.len(), all.outcome.counts.refused), (actors, acts, 2));
        let shown: Vec<_> = all.findings.iter().map(|one| (one.id.as_str(), one.rule, one.evidence[0].at_ms)).collect();
        assert_eq!(shown, [("F1", Rule::SecretRead, 15), ("F2", Rule::NetConnect, 60_015)]);
        for (at, kind) in [(0, "build-script"), (1, "program")] {
            assert_eq!(all.actor(all.findings[at].actor).unwrap().kind.name(), kind);
        }
        assert_eq!((all.run.duration_ms, all.outcome.verdict), (64_200, VerdictWord::Violation));
        assert_eq!(incidents::incidents(&all).len(), 2);
        let ids: Vec<u32> = all.actors.iter().map(|actor| actor.id.0).collect();
        assert_eq!(ids, (1..=actors as u32).collect::<Vec<_>>());
        for format in Format::ALL {
            format.write(&all, &mut Vec::new()).unwrap();
        }
        // A clean one takes nothing back.
        let clean = assemble(&crate::report::samples::material(), &facts_later(), &Graph);
        assert_eq!(joined([first, clean], &[]).unwrap().outcome.exit_code, 100);
        assert!(joined([], &[]).is_none());
    }

    fn material_of_a_test() -> crate::report::Material {
        let mut material = crate::report::samples::material();
        material.breaches = vec![breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High)];
        material.behaviours = vec![did(TESTS, Act::Create { path: "/x".into() }, Status::Allowed, 1)];
        material
    }

    fn facts_later() -> crate::report::Facts {
        let mut facts = facts();
        facts.run.started += 5;
        facts
    }
}
