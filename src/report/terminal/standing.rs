//! What earlier runs found and nobody has looked at since: a few lines, said even when quiet, so that no run is mistaken for an all-clear.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::model::report::Report;
use crate::model::{Finding, moment};

use super::super::escape;
use super::super::wording::count;
use super::style::{MEDIUM, Style, YELLOW};

/// Findings named; the rest is counted.
const LISTED: usize = 6;

pub fn standing(w: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    let all: Vec<&Finding> = report.standing.iter().flat_map(|standing| &standing.findings).collect();
    let Some(first) = all.first() else { return Ok(()) };
    let crates: BTreeSet<_> = all.iter().map(|one| one.offender.as_ref().map(|package| (&package.name, &package.version))).collect();
    let findings = format!("{} of {}", count(all.len() as u64, "finding"), count(crates.len() as u64, "crate"));
    style.status(w, YELLOW, "Standing", &format!("{findings} from earlier runs: the code did not run again"))?;
    let runs = report.standing.iter().flat_map(|standing| standing.findings.iter().map(move |finding| (standing, finding)));
    for (standing, finding) in runs.take(LISTED) {
        let (id, when, run) = ((MEDIUM.name)(&finding.id), moment::text(standing.started), escape::ours(&standing.run));
        style.below(w, &format!("{id} {}: {} ({when}, run {run})", finding.rule.id(), MEDIUM.title(report, finding)))?;
    }
    match all.len().saturating_sub(LISTED) {
        0 => {}
        left => style.below(w, &format!("and {left} more in the report"))?,
    }
    let explain = report.reach.command(&format!("explain {}", first.id));
    // The same command, and nothing from before: what was a test then is none of a build's.
    let again = report.standing.iter().find_map(|standing| report.reach.fresh(&standing.command));
    let again = again.map(|again| format!("; `{}` has it run again", escape::ours(&again))).unwrap_or_default();
    style.below(w, &format!("`{}` tells more{again}", escape::ours(&explain)))
}
