//! One incident in at most six rows: what, where and through whom, what was done in order of time, how, what is known, what to do. Everything else stands
//! in the report, and in what `explain` says of its findings.

use std::io::{self, Write};

use crate::model::report::Report;
use crate::model::{Finding, Hostile, Reach, Rule, Severity, Status};

use super::super::incidents::{Deed, Incident};
use super::super::wording::{count, times};
use super::super::{advice, escape, sent};
use super::diagnostic;
use super::style::{BLUE, CYAN, MEDIUM, RED, Style, YELLOW};
use super::wrap::{width, wrap};

const ROWS: usize = 6;
/// Where rows after the first of a line begin: far enough in to be known as such.
const INDENT: usize = 13;

/// How much of it is told: from much to little, the first that fits.
struct Room {
    acts: usize,
    how: bool,
    note: bool,
}

const ROOMS: [Room; 6] = [
    Room { acts: 8, how: true, note: true },
    Room { acts: 4, how: true, note: true },
    Room { acts: 4, how: false, note: true },
    Room { acts: 2, how: false, note: true },
    Room { acts: 2, how: false, note: false },
    Room { acts: 1, how: false, note: false },
];

pub fn incident(w: &mut dyn Write, report: &Report, incident: &Incident, style: Style) -> io::Result<()> {
    let rows = |room: &Room| {
        lines(report, incident, room, style).iter().flat_map(|(begin, text)| wrap(begin, text, INDENT, style.width)).collect::<Vec<_>>()
    };
    let mut fitting = ROOMS.iter().map(rows);
    let fits = |rows: &Vec<String>| rows.len() <= ROWS;
    let found = fitting.find(fits).unwrap_or_else(|| least(lines(report, incident, &ROOMS[ROOMS.len() - 1], style), style));
    found.iter().try_for_each(|row| writeln!(w, "{row}"))
}

/// On a narrow screen: what stands between what was done and what to do goes, line by line. No line is cut, since what is left of a command is none, so
/// that a long one takes the rows it takes.
fn least(mut lines: Vec<(String, String)>, style: Style) -> Vec<String> {
    let rows =
        |lines: &[(String, String)]| lines.iter().flat_map(|(begin, text)| wrap(begin, text, INDENT, style.width)).collect::<Vec<_>>();
    while rows(&lines).len() > ROWS && lines.len() > 2 {
        lines.remove(lines.len() - 2);
    }
    rows(&lines)
}

/// Each with its beginning.
fn lines(report: &Report, incident: &Incident, room: &Room, style: Style) -> Vec<(String, String)> {
    let worst = incident.worst();
    let (word, code) = match (incident.severity, worst.status) {
        (Severity::Info, _) => ("note", CYAN),
        (Severity::Low, _) | (_, Status::Observed | Status::Allowed) => ("warning", YELLOW),
        _ => ("error", RED),
    };
    let head = style.paint(code, &format!("{word}[{}]", worst.rule.id()));
    let mut lines = vec![(format!("{head}: "), MEDIUM.title(report, worst))];
    let line = |key: &str, text: &str| (format!("   {} {key:<5} ", style.paint(BLUE, "=")), text.to_owned());
    let path = (!worst.path_in_graph.is_empty()).then(|| diagnostic::path(worst));
    // That a dependency is a direct one can be seen.
    let path = path.map(|path| match path.strip_suffix(" (a direct dependency)") {
        Some(short) if style.width.is_some() => short.to_owned(),
        _ => path,
    });
    match (&worst.location, path) {
        (Some(location), path) => {
            let path = path.map(|path| format!(" · {path}")).unwrap_or_default();
            let function = function(worst).map(|function| format!(" in {}", escape::plain(function))).unwrap_or_default();
            lines.push((format!("  {} ", style.paint(BLUE, "-->")), format!("{}{function}{path}", escape::ours(location))));
        }
        (None, Some(path)) => lines.push(line("who", &path)),
        (None, None) => {}
    }
    let deeds = incident.deeds();
    if deeds.len() > 1 {
        lines.push(line("did", &did(incident, room.acts)));
    }
    if let [first, rest @ ..] = &sent::of(report, incident)[..] {
        let more = if rest.is_empty() { String::new() } else { format!("; {} more", rest.len()) };
        lines.push(line("sent", &format!("{}{more}", MEDIUM.sent(first, sent::DECOY).trim_start_matches("sent "))));
    }
    // What did not get to run, or is only new, is told by its reason.
    let is_barred = incident.actor.is_none();
    if is_barred {
        lines.push(line("rule", &escape::ours(&worst.reason)));
    } else if room.how && !is_plain(worst) || deeds.len() < 2 {
        lines.extend(how(incident).map(|how| line("how", &how)));
    }
    // Who may be behind it besides is no detail.
    lines.extend(MEDIUM.candidates(worst).map(|callers| line("who", &callers)));
    let notes = notes(incident);
    if !notes.is_empty() && (room.note || lines.len() < 4) {
        lines.push(line("note", &notes.join("; ")));
    }
    lines.extend(help(incident, &report.reach, ROWS - lines.len().min(ROWS - 1)).iter().map(|help| line("help", help)));
    lines
}

/// The function that is named for it, where it is of who did it.
fn function(finding: &Finding) -> Option<&Hostile> {
    let offender = finding.offender.as_ref()?.name.replace('-', "_");
    let found = finding.blame.as_ref()?.crates.iter().find(|candidate| candidate.name == offender)?;
    found.function.as_ref()
}

/// Did the program itself do it, in that function? Then how it came to that is said.
fn is_plain(finding: &Finding) -> bool {
    let chain = finding.evidence.first().map_or(0, |evidence| evidence.chain.len());
    let stack = finding.blame.as_ref().map_or(0, |blame| blame.crates.len());
    chain <= 1 && stack <= 1 && finding.location.is_some() && function(finding).is_some()
}

/// "at 2.8 s tried to read `.env` (F2), run `curl`: `curl -F …` (F3)"
fn did(incident: &Incident, most: usize) -> String {
    let deeds = each_once(&incident.deeds());
    let (mut acts, mut before) = (String::new(), false);
    for (act, tries, finding) in deeds.iter().take(most) {
        // What was tried like the one before is told in its sentence; what was done begins one of its own.
        let tried = act.strip_prefix("tried to ");
        let (joint, act) = match (acts.is_empty(), tried.is_some() == before, tried) {
            (true, ..) => ("", &act[..]),
            (_, true, tried) => (", ", tried.unwrap_or(act)),
            (_, false, _) => ("; ", &act[..]),
        };
        before = tried.is_some();
        acts.push_str(&format!("{joint}{act}{} ({})", times(*tries), escape::name(finding)));
    }
    let left = (deeds.len().saturating_sub(most) as u64).saturating_add(incident.truncated());
    if left > 0 {
        acts.push_str(&format!(", {left} more"));
    }
    format!("{}{acts}", at(incident))
}

/// What is told alike is told once, with how often: a name has several addresses.
fn each_once<'r>(deeds: &[Deed<'r>]) -> Vec<(String, u64, &'r str)> {
    let mut told: Vec<(String, u64, &str)> = Vec::new();
    for deed in deeds {
        let (text, finding) = (deed.told(MEDIUM), deed.finding.id.as_str());
        match told.iter_mut().find(|(known, _, of)| *known == text && *of == finding) {
            Some((_, tries, _)) => *tries = tries.saturating_add(deed.count),
            None => told.push((text, deed.count, finding)),
        }
    }
    told
}

/// "at 2.8 s "
fn at(incident: &Incident) -> String {
    incident.began_ms().map(|ms| format!("at {}.{} s ", ms / 1000, ms % 1000 / 100)).unwrap_or_default()
}

/// The way down to the program that acted first of what is worst, and by whose code; of one act alone, also when, and its number.
fn how(incident: &Incident) -> Option<String> {
    let (worst, deeds) = (incident.worst(), incident.deeds());
    let via = worst.blame.as_ref().filter(|blame| !blame.crates.is_empty()).map(diagnostic::via);
    let chain = worst.evidence.first().map(diagnostic::how).filter(|how| !how.starts_with("unknown process"));
    let parts: Vec<String> = chain.into_iter().chain(via).collect();
    let when = if deeds.len() == 1 { format!("{}({})", at(incident), escape::name(&worst.id)) } else { String::new() };
    match (parts.is_empty(), when.is_empty()) {
        (true, true) => None,
        (true, false) => Some(when),
        (false, true) => Some(parts.join("; ")),
        (false, false) => Some(format!("{} {when}", parts.join("; "))),
    }
}

fn notes(incident: &Incident) -> Vec<String> {
    let worst = incident.worst();
    let mut notes = Vec::new();
    if let Some(caveat) = worst.blame.as_ref().and_then(|blame| blame.caveat.as_ref()) {
        let named = worst.blame.as_ref().is_some_and(|blame| !blame.crates.is_empty());
        let means = if named { "those named are candidates" } else { "nobody is named inside it" };
        notes.push(format!("the stack is not conclusive ({}): {means}", escape::ours(caveat)));
    }
    if incident.actors.len() > 1 {
        notes.push(format!("the same in {} of this description", count(incident.actors.len() as u64 - 1, "other actor")));
    }
    match incident.is_new() {
        _ if worst.rule == Rule::BaselineNew => notes.push(escape::ours(&worst.reason)),
        Some(true) => notes.push("not in the accepted behaviour (brig.lock)".to_owned()),
        Some(false) => notes.push("already in the accepted behaviour (brig.lock)".to_owned()),
        _ => {}
    }
    notes
}

/// In as many lines as there is room for, one at least.
fn help(incident: &Incident, reach: &Reach, room: usize) -> Vec<String> {
    let worst = incident.worst();
    if worst.severity == Severity::Info || !worst.advice.is_empty() {
        return worst.advice.iter().take(room).map(|text| escape::ours(text)).collect();
    }
    let mut steps = advice::now(incident, MEDIUM);
    if let Some(last) = steps.last_mut() {
        *last = format!("not expected? {last}");
    }
    let unexpected = steps.join("; ");
    let expected = expected(worst, incident, reach);
    match (room, expected) {
        (0 | 1, Some(expected)) => vec![format!("{unexpected}; {expected}")],
        (_, expected) => std::iter::once(unexpected).chain(expected).collect(),
    }
}

fn expected(worst: &Finding, incident: &Incident, reach: &Reach) -> Option<String> {
    let short = |command: &String| width(command) < 100;
    if let Some(command) = advice::expected(incident, reach, MEDIUM).filter(short) {
        let guess = incident.findings.iter().any(|finding| finding.rule == Rule::NetDns);
        let guess = if guess { " (the port in it is a guess: a lookup names none)" } else { "" };
        return Some(format!("expected? {command}{guess}"));
    }
    let tells = |finding: &&Finding| finding.except.is_some() || finding.allow.is_some();
    let finding = incident.findings.iter().copied().find(|finding| tells(finding)).unwrap_or(worst);
    let explain = reach.command(&format!("explain {}", finding.id));
    tells(&finding).then(|| format!("expected? `{}` says what would allow it", escape::ours(&explain)))
}
