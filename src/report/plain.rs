//! An incident in lines of plain text, for forms that show no more than text. In: a `&Report`, an incident. Out: lines without a control character, safe in
//! a terminal and in the log of a CI job; what a form has for quotation marks is still to be escaped.

use std::collections::BTreeSet;

use super::incidents::Incident;
use super::{advice, escape};
use crate::model::moment;
use crate::model::report::Report;

pub use super::wording::QUOTED as PLAIN;

/// Acts written out of one incident.
const ACTS: usize = 20;

/// Lines of policy.
const REASONS: usize = 5;

/// What was done in order of time, who is behind it, what to do.
pub fn lines(report: &Report, incident: &Incident) -> Vec<String> {
    let worst = incident.worst();
    let mut lines = vec![PLAIN.title(report, worst)];
    let deeds = incident.deeds();
    for deed in deeds.iter().take(ACTS) {
        let at = if deed.at_ms > 0 { format!("at {}.{} s ", deed.at_ms / 1000, deed.at_ms % 1000 / 100) } else { String::new() };
        let chain: Vec<_> = deed.evidence.chain.iter().map(escape::plain).collect();
        let by = if chain.is_empty() { String::new() } else { format!(": {}", chain.join(" → ")) };
        lines.push(format!("{at}{} (×{}, {}){by}", deed.told(PLAIN), deed.count, escape::name(&deed.finding.id)));
    }
    let left = (deeds.len().saturating_sub(ACTS) as u64).saturating_add(incident.truncated());
    if left > 0 {
        lines.push(format!("and {left} more in the JSON report"));
    }
    if !worst.path_in_graph.is_empty() {
        let path: Vec<_> = worst.path_in_graph.iter().map(|package| escape::name(package)).collect();
        lines.push(format!("in the build through {}", path.join(" → ")));
    }
    lines.extend(PLAIN.candidates(worst));
    let reasons: BTreeSet<&str> = incident.findings.iter().map(|finding| finding.reason.as_str()).collect();
    lines.extend(reasons.iter().take(REASONS).map(|reason| format!("rule: {}", escape::ours(reason))));
    if worst.advice.is_empty() {
        lines.extend(advice::now(incident, PLAIN).iter().map(|step| format!("now: {step}")));
        lines.extend(advice::expected(incident, &report.reach, PLAIN).iter().map(|command| format!("expected: {command}")));
    }
    lines.extend(worst.advice.iter().map(|advice| format!("help: {}", escape::ours(advice))));
    if let Some(standing) = incident.standing {
        let (when, run) = (moment::text(standing.started), escape::ours(&standing.run));
        lines.push(format!("found in the run of {when} ({run}); the code did not run again since"));
    }
    lines
}
