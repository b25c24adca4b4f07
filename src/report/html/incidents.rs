//! Incidents on the page: each with an anchor, what was done in order of time, what is known, what to do; findings and the pages of their rules folded.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::super::incidents::Incident;
use super::super::{advice, escape, sent};
use super::words::{MEDIUM, ROWS, code, content};
use crate::model::report::Report;
use crate::model::{Finding, Package, Rule, moment, page};

/// Acts of one incident.
const ACTS: usize = 50;

pub fn own(w: &mut dyn Write, report: &Report, all: &[Incident]) -> io::Result<()> {
    let own: Vec<&Incident> = all.iter().filter(|incident| incident.standing.is_none()).collect();
    if own.is_empty() {
        return Ok(());
    }
    writeln!(w, "<h2>Incidents</h2>")?;
    own.iter().take(ROWS).try_for_each(|incident| one(w, report, incident))?;
    super::sections::left(w, own.len(), "incident")
}

/// What earlier runs found, in code that did not run again since.
pub fn standing(w: &mut dyn Write, report: &Report, all: &[Incident]) -> io::Result<()> {
    for standing in report.standing.iter().take(ROWS) {
        let command: Vec<_> = standing.command.iter().map(escape::plain).collect();
        let (when, run) = (moment::text(standing.started), code(&escape::ours(&standing.run)));
        writeln!(w, "<h2>Standing</h2>\n<p>Found in the run of {when} ({run}, {}).", code(&command.join(" ")))?;
        writeln!(w, "The code did not run again since.</p>")?;
        let of_run: Vec<&Incident> = all.iter().filter(|one| one.standing.is_some_and(|its| std::ptr::eq(its, standing))).collect();
        of_run.iter().take(ROWS).try_for_each(|incident| one(w, report, incident))?;
        super::sections::left(w, of_run.len(), "incident")?;
    }
    super::sections::left(w, report.standing.len(), "run")
}

fn one(w: &mut dyn Write, report: &Report, incident: &Incident) -> io::Result<()> {
    let worst = incident.worst();
    let anchor = incident.id.to_ascii_lowercase();
    let severity = incident.severity.name();
    writeln!(w, "<article class=\"{severity}\" id=\"{anchor}\"><h3><a href=\"#{anchor}\">{}</a> {}", incident.id, worst.rule.id())?;
    writeln!(w, "<small>{severity}</small></h3>\n<p>{}</p>\n<dl>", MEDIUM.title(report, worst))?;
    let mut row = |key: &str, value: String| writeln!(w, "<dt>{key}</dt><dd>{value}</dd>");
    if !worst.path_in_graph.is_empty() {
        row("who", worst.path_in_graph.iter().map(|package| code(&escape::name(package))).collect::<Vec<_>>().join(" → "))?;
    }
    if let Some(callers) = MEDIUM.candidates(worst) {
        row("who", callers)?;
    }
    if let Some(from) = incident.whom.and_then(from) {
        row("from", from)?;
    }
    if let Some(location) = &worst.location {
        row("at", code(&escape::ours(location)))?;
    }
    let deeds = incident.deeds();
    for deed in deeds.iter().take(ACTS) {
        let chain: Vec<_> = deed.evidence.chain.iter().map(|program| code(&escape::plain(program))).collect();
        let at = if deed.at_ms > 0 { format!("{}.{} s", deed.at_ms / 1000, deed.at_ms % 1000 / 100) } else { "how".to_owned() };
        let number = content(&escape::name(&deed.finding.id));
        row(&at, format!("{} (×{}, {number}): {}", deed.told(MEDIUM), deed.count, chain.join(" → ")))?;
    }
    let left = (deeds.len().saturating_sub(ACTS) as u64).saturating_add(incident.truncated());
    if left > 0 {
        row("how", format!("and {left} more in the JSON report"))?;
    }
    sent::of(report, incident)
        .iter()
        .take(sent::LISTED)
        .try_for_each(|one| row("sent", MEDIUM.sent(one, sent::DECOY).trim_start_matches("sent ").to_owned()))?;
    if let Some(via) = via(worst) {
        row("via", via)?;
    }
    match (incident.is_new(), incident.before()) {
        (Some(true), Some(before)) => row("new", format!("not in brig.lock; {} did not do this", code(&escape::name(before))))?,
        (Some(true), None) => row("new", "not in brig.lock".to_owned())?,
        (Some(false), _) => row("known", "brig.lock holds it".to_owned())?,
        (None, _) => {}
    }
    let reasons: BTreeSet<&str> = incident.findings.iter().map(|finding| finding.reason.as_str()).collect();
    reasons.iter().take(10).try_for_each(|reason| row("rule", content(&escape::ours(reason))))?;
    if worst.advice.is_empty() {
        advice::now(incident, MEDIUM).into_iter().try_for_each(|step| row("now", step))?;
        advice::expected(incident, &report.reach, MEDIUM).into_iter().try_for_each(|command| row("expected", command))?;
    }
    worst.advice.iter().try_for_each(|advice| row("help", content(&escape::ours(advice))))?;
    writeln!(w, "</dl>")?;
    let findings: Vec<String> = incident.findings.iter().take(ROWS).map(|finding| line(finding)).collect();
    writeln!(w, "<details><summary>Findings</summary><ul>{}</ul></details>", findings.concat())?;
    incident.rules().into_iter().try_for_each(|rule| about(w, rule))?;
    writeln!(w, "</article>")
}

/// "registry+…, checksum 1f…"
fn from(package: &Package) -> Option<String> {
    let source = code(&escape::name(package.source.as_ref()?));
    let checksum = package.checksum.as_ref().map(|checksum| format!(", checksum {}", code(&escape::name(checksum))));
    Some(source + &checksum.unwrap_or_default())
}

fn via(finding: &Finding) -> Option<String> {
    let blame = finding.blame.as_ref().filter(|blame| !blame.crates.is_empty())?;
    let name = |candidate: &crate::model::Candidate| match &candidate.function {
        Some(function) => (MEDIUM.text)(function),
        None => (MEDIUM.name)(&candidate.name),
    };
    let crates: Vec<_> = blame.crates.iter().take(12).map(name).collect();
    let doubt = blame.caveat.as_ref().map(|caveat| format!(" (candidates: {})", content(&escape::ours(caveat)))).unwrap_or_default();
    Some(format!("{}{doubt}", crates.join(" ← ")))
}

/// "F1 secret/read, high, refused, known as 1f…"
fn line(finding: &Finding) -> String {
    let fate = super::super::wording::fate(finding);
    let (number, print) = (content(&escape::name(&finding.id)), code(&escape::name(&finding.fingerprint)));
    format!("<li>{number} {}, {}, {fate}, fingerprint {print}</li>", finding.rule.id(), finding.severity.name())
}

/// The page of a rule is ours; its paragraphs are shown as they are.
fn about(w: &mut dyn Write, rule: Rule) -> io::Result<()> {
    writeln!(w, "<details><summary>About {}</summary>", rule.id())?;
    for paragraph in page::page(rule).split("\n\n").skip(1) {
        let (head, text) = match paragraph.strip_prefix("## ") {
            Some(section) => section.split_once('\n').unwrap_or((section, "")),
            None => ("", paragraph),
        };
        let head = if head.is_empty() { String::new() } else { format!("<strong>{}.</strong> ", content(head)) };
        writeln!(w, "<p>{head}{}</p>", content(text))?;
    }
    writeln!(w, "</details>")
}
