//! One finding in the shape of a compiler diagnostic: what, where, who, how, through whom, which rule, what to do.

use std::io::{self, Write};

use crate::model::{Act, Blame, Evidence, Finding, Hostile, Reach, Rule, Severity, Status};

use super::super::escape;
use super::super::wording::{command, count, is_correlated, times};
use super::advice::help;
use super::style::{BLUE, CYAN, MEDIUM, RED, Style, YELLOW};

/// Acts written out below the first one.
const ALSO: usize = 6;

/// Writes a finding that so many actors have under this title.
pub fn finding(w: &mut dyn Write, (title, actors): (&str, u64), finding: &Finding, reach: &Reach, style: Style) -> io::Result<()> {
    let (word, code) = match (finding.severity, finding.status) {
        (Severity::Info, _) => ("note", CYAN),
        (Severity::Low, _) | (_, Status::Observed | Status::Allowed) => ("warning", YELLOW),
        _ => ("error", RED),
    };
    let head = style.paint(code, &format!("{word}[{}]", finding.rule.id()));
    writeln!(w, "{head}: {title}")?;
    if let Some(location) = &finding.location {
        writeln!(w, "  {} {}", style.paint(BLUE, "-->"), escape::ours(location))?;
    }
    let mut line = |key: &str, text: &str| writeln!(w, "   {} {key:<5} {text}", style.paint(BLUE, "="));
    if !finding.path_in_graph.is_empty() {
        line("who", &path(finding))?;
    }
    if let Some(callers) = MEDIUM.candidates(finding) {
        line("who", &callers)?;
    }
    let first = finding.evidence.first();
    let is_new = finding.rule == Rule::BaselineNew;
    if let Some(evidence) = first.filter(|evidence| !is_new || !how(evidence).starts_with("unknown process")) {
        line("how", &how(evidence))?;
    }
    for evidence in finding.evidence.iter().skip(usize::from(!is_correlated(finding))).take(ALSO) {
        let same_way = first.is_some_and(|first| first.chain == evidence.chain);
        let way = if same_way || evidence.chain.is_empty() { String::new() } else { format!(" ({})", chain(&evidence.chain)) };
        line("also", &format!("{}{}{way}", MEDIUM.deed(&evidence.act, finding.status_of(evidence)), times(evidence.count)))?;
    }
    let shown = ALSO + usize::from(!is_correlated(finding));
    let left = (finding.evidence.len().saturating_sub(shown) as u64).saturating_add(finding.truncated);
    if left > 0 {
        line("also", &format!("{left} more in the report"))?;
    }
    if let Some(blame) = finding.blame.as_ref().filter(|blame| !blame.crates.is_empty()) {
        line("via", &via(blame))?;
    }
    line("rule", &escape::ours(&finding.reason))?;
    if let Some(caveat) = finding.blame.as_ref().and_then(|blame| blame.caveat.as_ref()) {
        let named = finding.blame.as_ref().is_some_and(|blame| !blame.crates.is_empty());
        let means = if named { "those named are candidates" } else { "nobody is named inside it" };
        line("note", &format!("the stack is not conclusive ({}): {means}", escape::ours(caveat)))?;
    }
    if actors > 1 {
        line("note", &format!("the same in {} of this description", count(actors - 1, "other actor")))?;
    }
    match finding.baseline.as_deref() {
        Some("new") if !is_new => line("note", "not in the accepted behaviour (brig.lock)")?,
        Some("known") => line("note", "already in the accepted behaviour (brig.lock)")?,
        _ => {}
    }
    for help in help(finding, reach) {
        line("help", &help)?;
    }
    writeln!(w)
}

/// `app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2 (not a direct dependency)`
pub fn path(finding: &Finding) -> String {
    let path = &finding.path_in_graph;
    let shown = path.iter().map(|package| escape::name(package)).collect::<Vec<_>>().join(" → ");
    let is_offender = |place: &String| finding.offender.as_ref().is_some_and(|one| *place == format!("{} {}", one.name, one.version));
    let at = path.iter().position(is_offender).unwrap_or(path.len().saturating_sub(1));
    let place = match at {
        0 => "a workspace member",
        1 => "a direct dependency",
        _ => "not a direct dependency",
    };
    let place = if finding.own { "a workspace member" } else { place };
    match (&finding.offender, at + 1 < path.len()) {
        // What follows it is what it used.
        (Some(offender), true) => format!("{shown} ({} is {place})", escape::name(&offender.name)),
        _ => format!("{shown} ({place})"),
    }
}

pub fn how(evidence: &Evidence) -> String {
    let mut how = chain(&evidence.chain);
    if let Act::Exec { argv, .. } = &evidence.act
        && argv.len() > 1
    {
        how.push_str(&format!(" → {}", escape::plain(&command(argv))));
    }
    if how.is_empty() { format!("unknown process{}", times(evidence.count)) } else { format!("{how}{}", times(evidence.count)) }
}

fn chain(chain: &[Hostile]) -> String {
    chain.iter().map(escape::plain).collect::<Vec<_>>().join(" → ")
}

/// The crates on the stack, innermost first.
pub fn via(blame: &Blame) -> String {
    const DEEPEST: usize = 6;
    let name = |candidate: &crate::model::Candidate| match &candidate.function {
        Some(function) => escape::plain(function),
        None => escape::name(&candidate.name),
    };
    let mut via = blame.crates.iter().take(DEEPEST).map(name).collect::<Vec<_>>().join(" ← ");
    if blame.crates.len() > DEEPEST {
        via.push_str(" ← …");
    }
    match blame.by.as_str() {
        "" | "stack" => via,
        by => format!("{via} ({})", escape::ours(by)),
    }
}
