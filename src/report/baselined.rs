//! What a report says beside the lock of behaviours. In: a report, the lock, where packages lie. Out: the same report: each finding new or known, a finding for
//! each package that did what was not accepted, and how the run ends by it.

use crate::baseline::compare::{News, news};
use crate::baseline::fold::{fold, of_finding};
use crate::baseline::{Dirs, Lock};
use crate::model::barred::code_of;
use crate::model::report::{Report, VerdictWord};
use crate::model::{Evidence, Exit, Finding, Rule, Severity, digest};

use super::who::Who;

/// Acts listed of one actor; the rest is counted.
const LISTED: usize = 100;

/// `held`: what was not accepted must not be.
pub fn apply(report: &mut Report, (lock, dirs): (&Lock, &Dirs), held: bool, who: &dyn Who) {
    let known = |finding: &Finding| {
        let (key, lines) = of_finding(report, dirs, finding)?;
        let all = lines.iter().all(|line| lock.holds(&key, line));
        Some(if all { "known" } else { "new" }.to_owned())
    };
    let baselines: Vec<Option<String>> = report.findings.iter().map(known).collect();
    let folded = fold(report, dirs);
    let new: Vec<Finding> = news(lock, &folded).iter().map(|one| finding(one, held, who)).collect();
    drop(folded);
    for (finding, baseline) in report.findings.iter_mut().zip(baselines) {
        finding.baseline = baseline;
    }
    if new.is_empty() {
        return;
    }
    for finding in &new {
        *report.outcome.counts.findings.entry(finding.severity.name().to_owned()).or_default() += 1;
    }
    report.findings.extend(new);
    for (number, finding) in report.findings.iter_mut().enumerate() {
        finding.id = format!("F{}", number + 1);
    }
    let outcome = &mut report.outcome;
    if held && matches!(outcome.verdict, VerdictWord::Clean | VerdictWord::NotRun) {
        outcome.verdict = VerdictWord::Unaccepted;
        if outcome.exit_code == Exit::Success.code() {
            outcome.exit_code = Exit::NewBehaviour.code();
        }
    }
}

fn finding(new: &News, held: bool, who: &dyn Who) -> Finding {
    let (name, kind) = new.key;
    let version = new.did.first().map_or("", |(_, did)| did.version);
    let evidence: Vec<Evidence> =
        new.did.iter().take(LISTED).map(|(_, did)| Evidence { act: did.act.clone(), count: did.count, chain: Vec::new() }).collect();
    let lines: Vec<&str> = new.did.iter().map(|(line, _)| line.text()).collect();
    let mut advice = Vec::new();
    if let Some(before) = &new.before {
        advice.push(format!("{before}, which was accepted, did not do this (brig.lock)"));
    }
    advice.push(format!("expected? `cargo brig baseline accept {name}`; not expected? read its source before you build it again"));
    Finding {
        id: String::new(),
        rule: Rule::BaselineNew,
        severity: if held { Severity::Medium } else { Severity::Info },
        status: new.did.iter().map(|(_, did)| did.status).max().unwrap_or(crate::model::Status::Allowed),
        actor: new.actor,
        offender: Some(crate::model::Package {
            name: name.clone(),
            version: version.to_owned(),
            source: None,
            checksum: None,
            manifest_dir: None,
        }),
        truncated: (new.did.len() - evidence.len()) as u64,
        through: Vec::new(),
        own: false,
        compiled: false,
        candidates: Vec::new(),
        evidence,
        blame: None,
        reason: format!("brig.lock: not accepted of its {}", code_of(*kind)),
        path_in_graph: who.why(name, version),
        baseline: Some("new".to_owned()),
        location: who.lock_location(name, version),
        fingerprint: digest::hex([Rule::BaselineNew.id(), name, kind.name(), &lines.join("\n")].join("\0").as_bytes()),
        allow: None,
        except: None,
        advice,
    }
}
