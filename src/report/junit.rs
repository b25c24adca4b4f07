//! JUnit XML, for whatever shows tests: each crate in each program that its code ran in is a case, which fails where it broke the profile. In: a `&Report`.
//! Out: XML whose texts are escaped, and hold no character that XML does not know.
//!
//! There are several forms of that name. This is what GitLab, Jenkins and GitHub's actions have in common: a case is told by `classname` and `name`, which
//! are the same in every run and never given twice, since the second of two is not shown.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::crates::key;
use super::escape;
use super::incidents::{Incident, incidents};
use super::plain::{PLAIN, lines};
use super::wording::units;
use crate::model::report::{Report, ReportedActor, VerdictWord};
use crate::model::{ActorKind, Mode, moment};

/// What became of a case, from the best on.
enum End {
    Passed,
    /// Not looked at: what is known of it is from an earlier run, or nothing is.
    Skipped(String),
    /// It broke the profile.
    Failed {
        rule: &'static str,
        message: String,
        file: String,
    },
    /// The record has holes.
    Lost(String),
}

struct Case {
    end: End,
    told: Vec<String>,
    ms: u64,
}

/// Class and name.
type Cases = BTreeMap<(String, String), Case>;

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    let cases = cases(report);
    let (mut skipped, mut failures, mut errors) = (0, 0, 0);
    for case in cases.values() {
        match case.end {
            End::Passed => {}
            End::Skipped(_) => skipped += 1,
            End::Failed { .. } => failures += 1,
            End::Lost(_) => errors += 1,
        }
    }
    let sum = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{}\"",
        cases.len(),
        seconds(report.run.duration_ms)
    );
    writeln!(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"Brig\" {sum}>")?;
    writeln!(w, "<testsuite name=\"Brig\" {sum} timestamp=\"{}\">", moment::rfc3339(report.run.started))?;
    for ((class, name), case) in &cases {
        one(w, class, name, case)?;
    }
    writeln!(w, "</testsuite>\n</testsuites>")
}

fn one(w: &mut dyn Write, class: &str, name: &str, case: &Case) -> io::Result<()> {
    let file = match &case.end {
        End::Failed { file, .. } => format!(" file=\"{}\"", text(file)),
        _ => String::new(),
    };
    writeln!(w, "<testcase classname=\"{}\" name=\"{}\" time=\"{}\"{file}>", text(class), text(name), seconds(case.ms))?;
    let told = text(&case.told.join("\n"));
    match &case.end {
        End::Passed if told.is_empty() => {}
        End::Passed => writeln!(w, "<system-out>{told}</system-out>")?,
        End::Skipped(why) => writeln!(w, "<skipped message=\"{}\">{told}</skipped>", text(why))?,
        End::Failed { rule, message, .. } => {
            writeln!(w, "<failure type=\"{}\" message=\"{}\">{told}</failure>", text(rule), text(message))?;
        }
        End::Lost(why) => writeln!(w, "<error type=\"coverage/lost\" message=\"{}\">{told}</error>", text(why))?,
    }
    writeln!(w, "</testcase>")
}

fn cases(report: &Report) -> Cases {
    let mut cases: Cases = BTreeMap::new();
    cases.insert(("Brig".to_owned(), "the record of the run".to_owned()), record(report));
    for actor in report.actors.iter().filter(|actor| is_code(actor)) {
        let Some(package) = &actor.package else { continue };
        let name = (escape::name(&key(package)), PLAIN.subject(report, actor));
        let case = cases.entry(name).or_insert(Case { end: End::Passed, told: Vec::new(), ms: 0 });
        let ran = actor.ran.and_then(|ran| ran.ended_ms?.checked_sub(ran.started_ms));
        case.ms = case.ms.saturating_add(ran.unwrap_or(0));
    }
    for incident in incidents(report).iter().filter_map(Incident::told) {
        let whom = incident.whom.map_or_else(|| "unknown".to_owned(), |package| escape::name(&key(package)));
        let name = incident.actor.map_or_else(|| "the package".to_owned(), |actor| PLAIN.subject(report, actor));
        let case = cases.entry((whom, name)).or_insert(Case { end: End::Passed, told: Vec::new(), ms: 0 });
        // Incidents come with the worst first: what is as bad as the one before changes nothing.
        let end = end(report, &incident);
        if end.rank() > case.end.rank() {
            case.end = end;
        }
        case.told.extend(lines(report, &incident));
    }
    cases
}

impl End {
    fn rank(&self) -> u8 {
        match self {
            End::Passed => 0,
            End::Skipped(_) => 1,
            End::Failed { .. } => 2,
            End::Lost(_) => 3,
        }
    }
}

/// What an incident makes of its case: what does not count for the exit code fails nothing here either.
fn end(report: &Report, incident: &Incident) -> End {
    let message = PLAIN.title(report, incident.worst());
    if incident.standing.is_some() {
        return End::Skipped("it stands from an earlier run: the code did not run again since".to_owned());
    }
    if report.run.mode == Mode::Observe && !report.outcome.barred {
        return End::Passed;
    }
    let (file, _) = super::place::placed(report, incident.worst().location.as_deref());
    End::Failed { rule: incident.worst().rule.id(), message, file: escape::ours(&file) }
}

/// Is it code of the build, and not cargo's own, nor a compiler that was only asked what it is?
fn is_code(actor: &ReportedActor) -> bool {
    match actor.kind {
        ActorKind::Tool | ActorKind::Linker => false,
        // Of doctests: part of its rustdoc.
        ActorKind::Rustc if actor.host.is_some() => false,
        ActorKind::Rustc | ActorKind::Rustdoc => actor.crate_name.as_deref().is_some_and(|name| name != "___"),
        ActorKind::BuildScript | ActorKind::ProcMacro | ActorKind::Program => true,
    }
}

/// Whether what is told is all there is.
fn record(report: &Report) -> Case {
    let cover = &report.coverage;
    let mut told: Vec<String> = cover.holes.iter().map(|hole| format!("lost: {}", escape::ours(hole))).collect();
    if let Some(fresh) = cover.fresh.filter(|fresh| *fresh > 0) {
        told.push(format!("{} did not run, fresh for cargo", units(fresh)));
    }
    if let Some(left) = cover.not_reached.filter(|left| *left > 0) {
        told.push(format!("cargo did not come to {}", units(left)));
    }
    let end = match report.outcome.verdict {
        _ if report.outcome.timed_out => End::Lost("the build took longer than it was given and was ended".to_owned()),
        VerdictWord::Incomplete => End::Lost("the record is incomplete".to_owned()),
        _ if cover.lost > 0 => End::Lost("the record is incomplete".to_owned()),
        VerdictWord::NotRun => End::Skipped("nothing ran, nothing is known".to_owned()),
        _ => End::Passed,
    };
    Case { end, told, ms: report.run.duration_ms }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// As content or attribute. Controls are gone before; two characters are none of XML's (XML 1.0, 2.2).
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[path = "junit_tests.rs"]
mod tests;
