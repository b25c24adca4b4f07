//! What a run leaves standing of the one before it. A finding is about code that ran; until the same code runs again, nothing new is known of
//! it. In: the report of a run, and the newest one before it of the same workspace. Out: the report with `standing`.

use std::collections::HashSet;

use super::super::rotate;
use crate::model::report::{Report, ReportedActor, VerdictWord};
use crate::model::{ActorId, Finding, Package, Severity, Standing};

/// `gone` tells of a package that it is no longer in the lock file: then its code will not run again, and nobody needs to look at it.
pub fn carry(report: &mut Report, earlier: &Report, gone: &dyn Fn(&Package) -> bool) {
    // Where there is no workspace (`cargo install`), each run has a subject of its own; only one in which nothing ran says nothing new.
    let related = report.run.workspace.is_some() || report.outcome.verdict == VerdictWord::NotRun;
    if report.run.workspace != earlier.run.workspace || !related {
        return;
    }
    let own = Standing {
        run: earlier.run.id.clone(),
        started: earlier.run.started,
        command: earlier.run.command.clone(),
        actors: earlier.actors.clone(),
        findings: earlier.findings.clone(),
    };
    let mut told: HashSet<String> = report.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
    let mut numbers = Numbers::after(report);
    let mut all = Vec::new();
    for standing in std::iter::once(&own).chain(&earlier.standing) {
        let stands = |finding: &&Finding| {
            let Some(actor) = standing.actors.iter().find(|actor| actor.id == finding.actor) else { return false };
            let host = standing.actors.iter().find(|host| Some(host.id) == actor.host);
            let packages = [finding.offender.as_ref(), actor.package.as_ref(), host.and_then(|host| host.package.as_ref())];
            let left = packages.into_iter().flatten().any(gone);
            finding.severity > Severity::Info && !left && !ran_again(report, actor)
        };
        let findings: Vec<&Finding> = standing.findings.iter().filter(stands).collect();
        // The same behaviour once: as this run tells it, or the last one that did.
        let findings: Vec<&Finding> = findings.into_iter().filter(|finding| told.insert(finding.fingerprint.clone())).collect();
        if !findings.is_empty() {
            all.push(numbers.renumbered(standing, &findings));
        }
    }
    report.standing = all;
    report.rotate = rotate::list(report);
}

/// Did the code that this actor was run again, to its end?
fn ran_again(report: &Report, earlier: &ReportedActor) -> bool {
    if !report.coverage.complete || report.outcome.timed_out {
        return false;
    }
    // Where cargo failed somebody did not get to his end. Who, not every kernel tells.
    let told = report.outcome.cargo_exit == Some(0) || report.actors.iter().any(|actor| actor.failed);
    // One that is found inside a compiler has the unit of that, and is there only if it has done something again.
    let same = |actor: &&ReportedActor| {
        !earlier.unit.is_empty() && actor.host.is_none() && actor.unit == earlier.unit && is_as_much(actor, earlier)
    };
    let mut same = report.actors.iter().filter(same).peekable();
    told && same.peek().is_some() && same.all(|actor| !actor.failed)
}

/// With the same arguments the same runs. Tests that are not chosen are all tests, but for those that are to be asked for: by whatever words some of them
/// were chosen before.
fn is_as_much(now: &ReportedActor, earlier: &ReportedActor) -> bool {
    let words = |actor: &'_ ReportedActor, is: &dyn Fn(&[u8]) -> bool| actor.arguments.iter().any(|word| is(word.as_bytes()));
    // What a test program of Rust's own harness takes its choice from (`--help`); a word of no option is the name of a test, or belongs to an option.
    const CHOOSING: [&[u8]; 7] = [b"--skip", b"--exact", b"--ignored", b"--list", b"--exclude-should-panic", b"--test", b"--bench"];
    let chooses = |word: &[u8]| !word.starts_with(b"-") || CHOOSING.iter().any(|option| word == *option || word.starts_with(b"--skip="));
    let asks = |word: &[u8]| word == b"--ignored" || word == b"--include-ignored";
    let all_tests = now.role.as_deref() == Some("tests") && !words(now, &chooses);
    now.arguments == earlier.arguments || all_tests && (!words(earlier, &asks) || words(now, &asks))
}

/// The next free numbers of findings and actors.
struct Numbers {
    finding: usize,
    actor: u32,
}

impl Numbers {
    fn after(report: &Report) -> Numbers {
        Numbers { finding: report.findings.len(), actor: report.actors.iter().map(|actor| actor.id.0).max().unwrap_or_default() }
    }

    fn renumbered(&mut self, standing: &Standing, findings: &[&Finding]) -> Standing {
        let named: HashSet<ActorId> = findings.iter().map(|finding| finding.actor).collect();
        let hosts: HashSet<ActorId> =
            standing.actors.iter().filter(|actor| named.contains(&actor.id)).filter_map(|actor| actor.host).collect();
        let kept: Vec<&ReportedActor> =
            standing.actors.iter().filter(|actor| named.contains(&actor.id) || hosts.contains(&actor.id)).collect();
        let first = self.actor;
        let number = |id: ActorId| {
            let at = kept.iter().position(|actor| actor.id == id);
            at.map(|at| ActorId(first.saturating_add(at as u32).saturating_add(1)))
        };
        let actors = kept.iter().map(|actor| ReportedActor {
            id: number(actor.id).unwrap_or(actor.id),
            host: actor.host.and_then(number),
            ..(*actor).clone()
        });
        let actors = actors.collect();
        let findings = findings.iter().map(|finding| {
            self.finding += 1;
            let actor = number(finding.actor).unwrap_or(finding.actor);
            Finding { id: format!("F{}", self.finding), actor, ..(*finding).clone() }
        });
        let findings = findings.collect();
        self.actor = self.actor.saturating_add(kept.len() as u32);
        Standing { run: standing.run.clone(), started: standing.started, command: standing.command.clone(), actors, findings }
    }
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
