//! The report on the terminal: one line before the build, incidents in the shape of compiler diagnostics after it, and a summary. In: a
//! `&Report`, a style, a writer. Everything that came from the build is escaped on the way out.

mod advice;
mod block;
mod diagnostic;
mod live;
mod standing;
mod style;
mod summary;
mod table;
mod wrap;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use crate::model::barred::{Barred, Why};
use crate::model::report::{Enforcement, Report, Run, Unpinned, VerdictWord, Vouched, Weakness};
use crate::model::{Act, ActorKind, Finding, Hostile, Mode, Package, Severity, Status, duration};

use super::incidents::{Incident, incidents};
use super::{escape, excepted};
pub use live::{alarm, no_more_alarms};
use style::MEDIUM;
pub use style::{GREEN, YELLOW};
pub use style::{RED, Style, Verbosity};
pub use summary::kept_lines;

/// The line before the build. What is weaker than it should be is said even when quiet.
pub fn before(w: &mut dyn Write, run: &Run, enforcement: &Enforcement, style: Style) -> io::Result<()> {
    if style.verbosity != Verbosity::Quiet {
        let profile = run.profile.first().map_or("default", String::as_str);
        let (verb, what) = match run.mode {
            Mode::Enforce => ("Confining", ""),
            Mode::Observe => ("Observing", ", nothing is refused"),
            Mode::Decoy => ("Luring", ", what is done to decoys is let happen"),
        };
        let floors: String = enforcement.floors.iter().map(|floor| format!("floor {}, ", (MEDIUM.text)(floor))).collect();
        let walls = format!("{floors}Landlock {}, {}", enforcement.landlock_abi, sockets(&enforcement.sockets));
        let words: Vec<_> = super::redact::argv(&run.command).iter().map(|word| word.as_bytes().to_vec()).collect();
        let command = escape::plain(&Hostile::new(words.join(&b' ')));
        style.status(w, GREEN, verb, &format!("{command} (profile {}, {walls}{what})", (MEDIUM.name)(profile)))?;
    }
    loosened(w, enforcement, style)?;
    degraded(w, enforcement, style)
}

/// A repository that opens its own walls is told in one line, even when quiet.
fn loosened(w: &mut dyn Write, enforcement: &Enforcement, style: Style) -> io::Result<()> {
    const LISTED: usize = 3;
    let Some(loosened) = &enforcement.loosened else { return Ok(()) };
    let listed: Vec<_> = loosened.grants.iter().take(LISTED).map(|grant| (MEDIUM.name)(grant)).collect();
    let more = match loosened.grants.len().saturating_sub(LISTED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let text = format!(
        "{} grants more than profile {}: {}{more} (`--no-config` leaves it out)",
        (MEDIUM.text)(&loosened.file),
        (MEDIUM.name)(&loosened.than),
        listed.join(", ")
    );
    style.status(w, YELLOW, "Loosened", &text)
}

/// Said while cargo still runs: what a program left behind holds the pipe that cargo reads to its end.
pub fn held(w: &mut dyn Write, kind: ActorKind, package: Option<&Package>, exe: &Hostile, since: Duration, style: Style) -> io::Result<()> {
    if style.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    let whose = package.map_or_else(|| "an unknown package".to_owned(), |package| MEDIUM.package(package));
    let kind = kind.name().replace('-', " ");
    let text = format!(
        "the {kind} of {whose} ended {} ago, but {}, which it left behind, holds the pipe cargo reads to its end",
        duration::text(Duration::from_secs(since.as_secs())),
        (MEDIUM.text)(exe)
    );
    style.status(w, YELLOW, "Held up", &text)?;
    w.flush()
}

/// Code that nobody has accepted is about to be built: said in one line, since nothing else says it.
pub fn unaccepted(w: &mut dyn Write, unaccepted: &[Barred], style: Style) -> io::Result<()> {
    const LISTED: usize = 5;
    if unaccepted.is_empty() {
        return Ok(());
    }
    let one = |barred: &Barred| format!("{} {}", (MEDIUM.name)(&barred.name), escape::name(&barred.version));
    let listed: Vec<String> = unaccepted.iter().take(LISTED).map(one).collect();
    let more = if unaccepted.len() > LISTED { ", …" } else { "" };
    let linked = unaccepted.iter().any(|barred| matches!(barred.why, Why::Library { .. }));
    let what = super::wording::code(unaccepted.len() as u64, linked);
    style.status(
        w,
        YELLOW,
        "New",
        &format!("brig.lock does not hold {what}: {}{more} (`cargo brig explain baseline/unaccepted`)", listed.join(", ")),
    )
}

/// What the locks of others have accepted, and which of those are not the files that were pinned.
pub fn imported(w: &mut dyn Write, (vouched, unpinned): (&[Vouched], &[Unpinned]), style: Style) -> io::Result<()> {
    let mut by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in vouched {
        by.entry(&one.import).or_default().push(format!("{} {}", (MEDIUM.name)(&one.name), escape::name(&one.version)));
    }
    for (import, listed) in by.iter().filter(|_| style.verbosity != Verbosity::Quiet) {
        const LISTED: usize = 5;
        let more = if listed.len() > LISTED { ", …" } else { "" };
        let listed: Vec<&str> = listed.iter().take(LISTED).map(String::as_str).collect();
        style.status(w, GREEN, "Vouched", &format!("by import {} for {}{more}", (MEDIUM.name)(import), listed.join(", ")))?;
    }
    for import in unpinned {
        let (word, why) = match import.changed {
            true => ("Changed", "is not the file that brig.lock pins"),
            false => ("Not pinned", "is not pinned yet in brig.lock"),
        };
        let of = import.of.as_ref().map(|(name, version)| format!(" of {} {}", (MEDIUM.name)(name), escape::name(version)));
        let (name, of) = ((MEDIUM.name)(&import.name), of.unwrap_or_default());
        let text = format!("import {name}{of} {why}, and vouches for nobody (`cargo brig baseline import`)");
        style.status(w, YELLOW, word, &text)?;
    }
    Ok(())
}

/// Not everything the workspace needs could be fetched, which was said by cargo, but what this command needs is there.
pub fn partly_fetched(w: &mut dyn Write, style: Style) -> io::Result<()> {
    if style.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    style.status(w, YELLOW, "Going on", "not all of the workspace could be fetched; what this command needs is here")
}

/// What cargo's own wall refused cargo, which then failed.
pub fn refused_cargo(w: &mut dyn Write, act: &Act) -> io::Result<()> {
    writeln!(w, "        Note cargo itself {}, which its own wall refused, and failed", MEDIUM.act(act, Status::Refused))
}

/// Cargo wanted a network while it had none: then it failed, or will be said to have failed, and this is why.
pub fn wanted_network(w: &mut dyn Write, times: u64, style: Style) -> io::Result<()> {
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    let who = "cargo, or a program that drives it, wanted the network";
    let way = "`network = \"always\"` in `[cargo]` of a profile of your own lets it";
    let text = format!("{who} {times} while it had none, as fetching was over: {way}");
    style.status(w, YELLOW, "Offline", &text)
}

fn degraded(w: &mut dyn Write, enforcement: &Enforcement, style: Style) -> io::Result<()> {
    // One wall instead of two is for those who ask: it would be the same line in every run on today's kernels.
    let shown = |weakness: &&Weakness| !weakness.covered || style.verbosity == Verbosity::Verbose;
    for weakness in enforcement.degraded.iter().filter(shown) {
        style.status(w, YELLOW, "Degraded", &format!("{}: {}", escape::ours(&weakness.what), escape::ours(&weakness.means)))?;
    }
    if !enforcement.probed {
        style.status(w, YELLOW, "Degraded", "the walls were not tested on this kernel before the build")?;
    }
    Ok(())
}

fn sockets(how: &str) -> String {
    match how {
        "private-network" => "private network".into(),
        "loopback-device" => "sockets bound to loopback".into(),
        "no-sockets" => "no sockets".into(),
        other => escape::ours(other),
    }
}

/// Some findings of a report. A crate's library and its tests are compiled one by one: a macro that steals in both is one thing to read.
pub fn findings<'r>(w: &mut dyn Write, report: &'r Report, chosen: impl Iterator<Item = &'r Finding>, style: Style) -> io::Result<()> {
    let mut alike: Vec<(&Finding, u64)> = Vec::new();
    let mut known: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for finding in chosen {
        let at = *known.entry((MEDIUM.title(report, finding), &finding.fingerprint)).or_insert(alike.len());
        match alike.get_mut(at) {
            Some((_, times)) => *times += 1,
            None => alike.push((finding, 1)),
        }
    }
    let mut titles: Vec<(usize, String)> = known.into_iter().map(|((title, _), at)| (at, title)).collect();
    titles.sort_unstable_by_key(|(at, _)| *at);
    for ((_, title), (finding, times)) in titles.into_iter().zip(alike) {
        diagnostic::finding(w, (&title, times), finding, &report.reach, style)?;
    }
    Ok(())
}

/// Exceptions that need a look. One that does not count any more is told even when quiet: it may be why the build fails.
fn exceptions(w: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    for note in excepted::notes(report) {
        let (word, code) = if note.severity > Severity::Info { ("warning", YELLOW) } else { ("note", style::CYAN) };
        if style.verbosity != Verbosity::Quiet || note.severity > Severity::Info {
            writeln!(w, "{}: {}", style.paint(code, &format!("{word}[{}]", note.rule.id())), note.text(MEDIUM))?;
        }
    }
    Ok(())
}

/// Everything after cargo: incidents, the worst last, what makes the record weaker, the summary. `stored` is where the full report is.
pub fn after(w: &mut dyn Write, report: &Report, stored: Option<&str>, style: Style) -> io::Result<()> {
    let all = incidents(report);
    let own = all.iter().rev().filter(|incident| incident.standing.is_none());
    let told: Vec<Incident> = match style.verbosity {
        Verbosity::Verbose => own.cloned().collect(),
        _ => own.filter_map(Incident::told).collect(),
    };
    told.iter().try_for_each(|incident| block::incident(w, report, incident, style))?;
    if !told.is_empty() {
        writeln!(w)?;
    }
    if style.verbosity != Verbosity::Quiet {
        table::rules(w, &told, style)?;
        table::crates(w, &told, style)?;
    }
    if style.verbosity == Verbosity::Verbose {
        summary::actors(w, report, style)?;
    }
    exceptions(w, report, style)?;
    summary::verdict(w, report, stored, style)?;
    // A clean word over weak walls would be a lie, so the weakness is the last word.
    degraded(w, &report.enforcement, style)?;
    if report.outcome.verdict != VerdictWord::Incomplete {
        summary::holes(w, report, style)?;
    }
    summary::rotate(w, report, style)?;
    standing::standing(w, report, style)
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "terminal/verdict_tests.rs"]
mod verdict_tests;
