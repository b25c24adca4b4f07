//! When what ran, as a picture: a bar for each actor, packed into as few lines as there were actors at a time, and a mark where an incident's acts were
//! tried, which leads to it. In: a `&Report`, its incidents. Out: inline SVG of numbers and escaped titles, readable without a script.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::super::escape;
use super::super::incidents::Incident;
use super::super::plain::PLAIN;
use super::words::content;
use crate::model::report::{Report, ReportedActor};
use crate::model::{ActorId, ActorKind, Span};

/// In units of the picture; it is as wide as the page.
const WIDTH: u64 = 1000;
const LINE: u64 = 14;
const HEAD: u64 = 16;
/// Bars of one picture: the longest, and all that an incident is about.
const BARS: usize = 1000;
/// Marks of one incident.
const MARKS: usize = 20;

struct Bar<'r> {
    actor: &'r ReportedActor,
    ran: Span,
    until: u64,
}

pub fn timeline(w: &mut dyn Write, report: &Report, incidents: &[Incident]) -> io::Result<()> {
    let bars = bars(report, incidents);
    if bars.is_empty() {
        return Ok(());
    }
    let whole = bars.iter().map(|bar| bar.until).max().unwrap_or_default().max(report.run.duration_ms).max(1);
    let lines = lines(&bars);
    let height = HEAD + LINE * (lines.iter().max().copied().unwrap_or_default() + 1);
    writeln!(w, "<h2>Timeline</h2>\n<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">")?;
    writeln!(w, "<title>When what ran; each mark is an act of an incident</title>")?;
    for tick in 0..5 {
        let x = WIDTH * tick / 5;
        writeln!(w, "<text x=\"{x}\" y=\"10\">{} s</text>", seconds(part(whole, tick, 5)))?;
    }
    let accused: BTreeSet<ActorId> = own(incidents).flat_map(|incident| incident.actors.iter().copied()).collect();
    for (bar, line) in bars.iter().zip(&lines) {
        let (x, y) = (part(WIDTH, bar.ran.started_ms, whole), HEAD + LINE * line);
        let width = part(WIDTH, bar.until.saturating_sub(bar.ran.started_ms), whole).max(1);
        let class = if accused.contains(&bar.actor.id) { "accused" } else { class(bar.actor.kind) };
        let (from, to) = (seconds(bar.ran.started_ms), seconds(bar.until));
        let title = content(&PLAIN.subject(report, bar.actor));
        writeln!(
            w,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\"><title>{title}: {from} s to {to} s</title></rect>",
            LINE - 2
        )?;
    }
    let places: BTreeMap<ActorId, u64> = bars.iter().map(|bar| bar.actor.id).zip(lines).collect();
    for incident in own(incidents) {
        // What is found inside a compiler is shown on its bar.
        let line_of = |id: ActorId| places.get(&id).or_else(|| places.get(&report.actor(id)?.host?));
        for deed in incident.deeds().iter().filter(|deed| deed.at_ms > 0 && deed.at_ms <= whole).take(MARKS) {
            let Some(line) = line_of(deed.finding.actor) else { continue };
            let (x, y) = (part(WIDTH, deed.at_ms, whole), HEAD + LINE * line + LINE / 2 - 1);
            let title = content(&format!("{} {}: {}", incident.id, deed.finding.rule.id(), deed.told(PLAIN)));
            let anchor = incident.id.to_ascii_lowercase();
            writeln!(w, "<a href=\"#{anchor}\"><circle cx=\"{x}\" cy=\"{y}\" r=\"4\"><title>{title}</title></circle></a>")?;
        }
    }
    writeln!(w, "</svg>")?;
    let shown =
        escape::ours("orange are build scripts, blue compilers and linkers, green tests and programs, red whatever an incident is about");
    writeln!(w, "<p class=\"legend\">{}: {shown}</p>", if bars.len() == BARS { "The longest" } else { "All that ran" })
}

/// Of this run.
fn own<'i, 'r>(incidents: &'i [Incident<'r>]) -> impl Iterator<Item = &'i Incident<'r>> {
    incidents.iter().filter(|incident| incident.standing.is_none())
}

/// Those with a time, in the order in which they began.
fn bars<'r>(report: &'r Report, incidents: &[Incident]) -> Vec<Bar<'r>> {
    let accused: BTreeSet<ActorId> = own(incidents).flat_map(|incident| incident.actors.iter().copied()).collect();
    let bar = |actor: &'r ReportedActor| {
        let ran = actor.ran?;
        let until = ran.ended_ms.unwrap_or(report.run.duration_ms).max(ran.started_ms);
        Some(Bar { actor, ran, until })
    };
    let mut bars: Vec<Bar> = report.actors.iter().filter_map(bar).collect();
    bars.sort_by_key(|bar| std::cmp::Reverse((accused.contains(&bar.actor.id), bar.until - bar.ran.started_ms)));
    bars.truncate(BARS);
    bars.sort_by_key(|bar| (bar.ran.started_ms, bar.actor.id));
    bars
}

/// For each bar the first line that is free when it begins.
fn lines(bars: &[Bar]) -> Vec<u64> {
    let mut free: Vec<u64> = Vec::new();
    let mut lines = Vec::new();
    for bar in bars {
        let at = free.iter().position(|until| *until <= bar.ran.started_ms).unwrap_or(free.len());
        match free.get_mut(at) {
            Some(until) => *until = bar.until,
            None => free.push(bar.until),
        }
        lines.push(at as u64);
    }
    lines
}

fn class(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::BuildScript => "script",
        ActorKind::Program => "program",
        ActorKind::ProcMacro | ActorKind::Rustc | ActorKind::Linker | ActorKind::Rustdoc | ActorKind::Tool => "compiler",
    }
}

/// `whole * part / of`, of numbers that a stored report may have from anywhere.
fn part(whole: u64, part: u64, of: u64) -> u64 {
    let scaled = u128::from(whole) * u128::from(part) / u128::from(of.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX).min(whole)
}

fn seconds(ms: u64) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::*;
    use crate::report::{assemble, incidents::incidents};

    fn picture(report: &Report) -> String {
        let mut out = Vec::new();
        timeline(&mut out, report, &incidents(report)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_bar_for_each_that_ran_and_a_mark_for_what_it_did() {
        let mut material = stolen_env();
        material.breaches[0].0.at_ms = 2100;
        for (id, started_ms, ended) in [(BUILD, 0, 2100), (RUSTC, 1000, 3000), (TESTS, 3000, 4200)] {
            material.spans.insert(ActorId(id), Span { started_ms, ended_ms: Some(ended), exit: Some(0) });
        }
        let text = picture(&assemble(&material, &facts(), &Graph));
        let subject = "build script of `quickfetch-sys` 0.3.2: 0.0 s to 2.1 s";
        for part in [
            "<svg class=\"timeline\" viewBox=\"0 0 1000 44\" role=\"img\">",
            &format!("<rect class=\"accused\" x=\"0\" y=\"16\" width=\"500\" height=\"12\"><title>{subject}</title></rect>"),
            "<rect class=\"compiler\" x=\"238\" y=\"30\" width=\"476\" height=\"12\">",
            // The first line is free again.
            "<rect class=\"program\" x=\"714\" y=\"16\" width=\"285\" height=\"12\">",
            "<a href=\"#i1\"><circle cx=\"500\" cy=\"22\" r=\"4\"><title>I1 secret/read: tried to read `{workspace}/.env`</title></circle></a>",
            "<text x=\"200\" y=\"10\">0.8 s</text>",
        ] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        assert_eq!(picture(&assemble(&stolen_env(), &facts(), &Graph)), "", "without times there is none");
    }

    #[test]
    fn times_from_anywhere_stay_in_the_picture() {
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        for actor in &mut report.actors {
            actor.ran = Some(Span { started_ms: u64::MAX - 1, ended_ms: Some(7), exit: None });
        }
        report.run.duration_ms = u64::MAX;
        let text = picture(&report);
        assert!(text.contains("x=\"999\"") || text.contains("x=\"1000\""), "{text}");
    }
}
