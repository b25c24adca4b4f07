//! The parts of the page below its head, one function each.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::super::wording::count;
use super::super::{escape, rotate};
use super::words::{MEDIUM, ROWS, code, content};
use crate::model::report::{Behaviour, Report, ReportedActor};
use crate::model::{Act, ActorId, Hostile, Package, Process, Status};

/// What was read while nothing was refused.
pub fn rotate(w: &mut dyn Write, report: &Report) -> io::Result<()> {
    let all = rotate::list(report);
    if all.is_empty() {
        return Ok(());
    }
    writeln!(w, "<h2>Rotate</h2>\n<p>Read while the network was open: to be taken for known to others.</p>\n<ul>")?;
    all.iter().take(rotate::LISTED).try_for_each(|one| writeln!(w, "<li>{}</li>", rotate::line(report, one, MEDIUM)))?;
    let left = rotate::unlisted(report).saturating_add(all.len().saturating_sub(rotate::LISTED) as u64);
    if left > 0 {
        writeln!(w, "<li>and {left} more in the JSON report</li>")?;
    }
    writeln!(w, "</ul>")
}

/// One card per package: what ran of it, what it did.
pub fn crates(w: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut cards: BTreeMap<Option<&Package>, Vec<&ReportedActor>> = BTreeMap::new();
    for actor in &report.actors {
        cards.entry(actor.package.as_ref()).or_default().push(actor);
    }
    let mut did: BTreeMap<ActorId, Vec<&Behaviour>> = BTreeMap::new();
    for behaviour in &report.behaviour {
        did.entry(behaviour.actor).or_default().push(behaviour);
    }
    writeln!(w, "<h2>Actors</h2>")?;
    for (package, actors) in cards.iter().take(ROWS) {
        let name = package.map_or("package unknown".to_owned(), |package| MEDIUM.package(package));
        let alarms = report.findings.iter().filter(|finding| finding.offender.as_ref() == *package).count() as u64;
        let alarms = if alarms > 0 { format!(" — {}", count(alarms, "finding")) } else { String::new() };
        writeln!(w, "<details><summary>{name}{alarms}</summary><ul>")?;
        for actor in actors.iter().take(50) {
            let acts = did.get(&actor.id).map_or(&[][..], Vec::as_slice);
            let refused = acts.iter().filter(|behaviour| behaviour.status == Status::Refused).count();
            let withheld: Vec<_> = actor.withheld.iter().map(|name| (MEDIUM.name)(name)).collect();
            let kept = if withheld.is_empty() { String::new() } else { format!("; not given {}", withheld.join(", ")) };
            // Of what runs within a compiler only what was blamed on it is told apart.
            let did = match actor.host {
                Some(_) if acts.is_empty() => "what it did is told with its compiler".to_owned(),
                _ => format!("{} distinct, {refused} refused", count(acts.len() as u64, "act")),
            };
            writeln!(w, "<li>{}: {did}{kept}</li>", MEDIUM.subject(report, actor))?;
        }
        writeln!(w, "</ul></details>")?;
    }
    left(w, cards.len(), "crate")
}

/// Processes are stored in the order of their tree: depth follows from the parents seen so far.
pub fn processes(w: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.processes.is_empty() {
        return Ok(());
    }
    writeln!(w, "<h2>Processes</h2>\n<details><summary>{} in all</summary><table>", report.outcome.counts.processes)?;
    writeln!(w, "<tr><th>started</th><th>actor</th><th>program</th></tr>")?;
    let mut depth: BTreeMap<(ActorId, u32), usize> = BTreeMap::new();
    for process in report.processes.iter().take(ROWS) {
        let level = depth.get(&(process.actor, process.parent)).map_or(0, |above| above + 1).min(16);
        depth.entry((process.actor, process.pid)).or_insert(level);
        let actor = report.actor(process.actor).map(|actor| MEDIUM.subject(report, actor)).unwrap_or_default();
        writeln!(w, "<tr><td>{} ms</td><td>{actor}</td><td>{}{}</td></tr>", process.started_ms, "· ".repeat(level), command(process))?;
    }
    writeln!(w, "</table>")?;
    left(w, report.processes.len().saturating_add(report.processes_truncated as usize), "process")?;
    writeln!(w, "</details>")
}

fn command(process: &Process) -> String {
    let name = process.exe.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let rest: Vec<_> = process.argv.iter().skip(1).map(|word| word.as_bytes().to_vec()).collect();
    format!("{} {}", code(&escape::plain(&Hostile::new(name))), content(&escape::plain(&Hostile::new(rest.join(&b' ')))))
}

/// Where to, what was run, what was changed: each with who did it.
pub fn indexes(w: &mut dyn Write, report: &Report) -> io::Result<()> {
    index(w, report, "Hosts", |act, status| match act {
        Act::Connect { to } | Act::Send { to } | Act::Bind { to } => Some(MEDIUM.endpoint(to, status)),
        Act::Lookup { name, .. } => Some((MEDIUM.text)(name)),
        Act::Socket { family, kind } => Some(format!("a socket of {} {}", (MEDIUM.name)(family), (MEDIUM.name)(kind))),
        _ => None,
    })?;
    index(w, report, "Programs", |act, _| match act {
        Act::Exec { path, .. } => Some((MEDIUM.text)(path)),
        _ => None,
    })?;
    index(w, report, "Changed paths", |act, _| match act {
        Act::Write { .. }
        | Act::Create { .. }
        | Act::Remove { .. }
        | Act::Rename { .. }
        | Act::Link { .. }
        | Act::Symlink { .. }
        | Act::Metadata { .. } => act.path().map(MEDIUM.text),
        _ => None,
    })
}

fn index(w: &mut dyn Write, report: &Report, title: &str, pick: impl Fn(&Act, Status) -> Option<String>) -> io::Result<()> {
    let mut rows: BTreeMap<String, (BTreeSet<ActorId>, Status)> = BTreeMap::new();
    for behaviour in &report.behaviour {
        if let Some(what) = pick(&behaviour.act, behaviour.status) {
            let (actors, worst) = rows.entry(what).or_insert((BTreeSet::new(), behaviour.status));
            actors.insert(behaviour.actor);
            *worst = behaviour.status.max(*worst);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(w, "<h2>{title}</h2>\n<details><summary>{}</summary><table>", rows.len())?;
    for (what, (actors, worst)) in rows.iter().take(ROWS) {
        let who: Vec<_> = actors.iter().take(5).filter_map(|id| report.actor(*id)).map(|actor| MEDIUM.subject(report, actor)).collect();
        let more = if actors.len() > 5 { format!(" and {} more", actors.len() - 5) } else { String::new() };
        let worst = worst.name();
        writeln!(w, "<tr><td>{what}</td><td>{worst}</td><td>{}{more}</td></tr>", who.join(", "))?;
    }
    writeln!(w, "</table>")?;
    left(w, rows.len(), "row")?;
    writeln!(w, "</details>")
}

/// What was in force, line by line.
pub fn policy(w: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.policy.is_empty() {
        return Ok(());
    }
    writeln!(w, "<h2>Policy</h2>\n<details><summary>{} in force</summary><table>", count(report.policy.len() as u64, "line"))?;
    writeln!(w, "<tr><th>for</th><th>may</th><th>what</th><th>says</th></tr>")?;
    for line in report.policy.iter().take(ROWS) {
        let words = [&line.actor, &line.list].map(|word| content(&escape::name(word)));
        let [entry, origin] = [&line.entry, &line.origin].map(|word| code(&escape::ours(word)));
        writeln!(w, "<tr><td>{}</td><td>{}</td><td>{entry}</td><td>{origin}</td></tr>", words[0], words[1])?;
    }
    writeln!(w, "</table>")?;
    left(w, report.policy.len(), "line")?;
    writeln!(w, "</details>")
}

/// What a capped list leaves out is counted.
pub fn left(w: &mut dyn Write, total: usize, noun: &str) -> io::Result<()> {
    match total.saturating_sub(ROWS) as u64 {
        0 => Ok(()),
        n => writeln!(w, "<p>and {n} more ({noun}) in the JSON report</p>"),
    }
}
