//! The last lines: what the run comes to, in one status line when all is well, and never a reassuring one when nothing is known.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

use crate::model::report::{Report, VerdictWord};
use crate::model::{Act, ActorId, Finding, Mode, Rule, Status, duration};

use super::super::tally::tally;
use super::super::wording::{self, code, count, times, units};
use super::super::{escape, excepted, rotate, tally};
use super::advice::to_be_written;
use super::style::{GREEN, MEDIUM, RED, Style, Verbosity, YELLOW};

pub fn verdict(w: &mut dyn Write, report: &Report, stored: Option<&str>, style: Style) -> io::Result<()> {
    let tally = tally(report);
    let loud = style.verbosity != Verbosity::Quiet;
    let first = report.findings.iter().find(|finding| finding.is_told());
    let explain = first.map(|finding| format!(" · `{}`", escape::ours(&report.reach.command(&format!("explain {}", finding.id)))));
    let explain = explain.unwrap_or_default();
    let stored = stored.map(|path| format!(" · {}", escape::ours(path))).unwrap_or_default() + &explain;
    let profile = (MEDIUM.name)(report.run.profile.first().map_or("default", String::as_str));
    let others = report.outcome.counts.actors.saturating_sub(tally.actors.len() as u64);
    let acts = tally.text();
    if report.outcome.timed_out {
        style.status(w, RED, "Timed out", &timed_out(report))?;
    }
    match report.outcome.verdict {
        _ if report.outcome.barred => stopped(w, report, &tally.severities, &stored, style),
        VerdictWord::Violation => {
            // What a build script told cargo to do is a violation that nothing had to refuse.
            match tally.refused {
                1.. => style.status(w, RED, "Refused", &format!("{}{}", tally.refused_text(), aftermath(report)))?,
                0 => style.status(w, RED, "Found", &format!("{acts}; nothing had to be refused"))?,
            }
            let (allowed, left) = (reviewed(report), not_reached(report));
            more(w, loud, &format!("{} stayed inside the profile{allowed}{left}{stored}", count(others, "other actor")), style)
        }
        VerdictWord::Incomplete => {
            holes(w, report, style)?;
            if !tally.actors.is_empty() {
                style.status(w, YELLOW, "Observed", &acts)?;
            }
            more(w, loud, &format!("this is not a clean result{}{stored}", reviewed(report)), style)
        }
        VerdictWord::Observed if tally.actors.is_empty() => {
            let (allowed, fresh, own) = (reviewed(report), fresh(report), cargos_own(report));
            let text = format!("{}, nothing that profile {profile} would refuse{allowed}{fresh}{own}{stored}", actors_ran(report));
            if loud { style.status(w, GREEN, "Observed", &text) } else { Ok(()) }
        }
        VerdictWord::Observed => {
            let own = cargos_own(report);
            style.status(w, YELLOW, "Observed", &format!("{acts} that enforce would refuse; nothing was refused{own}"))?;
            let (allowed, fresh) = (reviewed(report), fresh(report));
            more(w, loud, &format!("{} stayed inside the profile{allowed}{fresh}{stored}", count(others, "other actor")), style)
        }
        VerdictWord::NotRun if loud => style.status(w, YELLOW, "Not run", &format!("{}{stored}", nothing_ran(report))),
        VerdictWord::Clean if loud => {
            let (allowed, fresh, quiet) = (reviewed(report), fresh(report), quiet(report, style));
            let own = cargos_own(report);
            let text = format!("{} stayed inside profile {profile}{allowed}{fresh}{quiet}{own}{stored}", actors_ran(report));
            match wording::killed(report) {
                Some(signal) => style.status(w, YELLOW, "Ended", &format!("by {signal}, before its end: {text}"))?,
                None => style.status(w, GREEN, "Clean", &text)?,
            }
            kept(w, report)
        }
        VerdictWord::TimedOut => {
            let observed = if report.run.mode == Mode::Observe && !tally.actors.is_empty() {
                format!("; {acts} that enforce would refuse")
            } else {
                String::new()
            };
            let (allowed, left) = (reviewed(report), not_reached(report));
            more(w, loud, &format!("what ran until then stayed inside profile {profile}{allowed}{observed}{left}{stored}"), style)
        }
        VerdictWord::Unaccepted => {
            let new = || report.findings.iter().filter(|finding| finding.rule == Rule::BaselineNew);
            let acts = new().map(|finding| (finding.evidence.len() as u64).saturating_add(finding.truncated)).fold(0, u64::saturating_add);
            let crates: BTreeSet<_> =
                new().filter_map(|finding| finding.offender.as_ref()).map(|package| (&package.name, &package.version)).collect();
            let what = format!("{} of {} that brig.lock does not hold", count(acts, "act"), count(crates.len() as u64, "crate"));
            let (refused, all) = (new().filter(|finding| finding.status == Status::Refused).count(), new().count());
            let fate = match refused {
                0 => format!("profile {profile} let them happen"),
                some if some < all => format!("some were refused, the others profile {profile} let happen{}", aftermath(report)),
                _ => format!("refused{}", aftermath(report)),
            };
            style.status(w, RED, "Unaccepted", &format!("{what}; {fate}{}", cargos_own(report)))?;
            more(w, loud, &format!("`{}` lists them{stored}", escape::ours(&report.reach.command("baseline diff"))), style)
        }
        VerdictWord::NotRun | VerdictWord::Clean => Ok(()),
    }
}

fn more(w: &mut dyn Write, loud: bool, text: &str, style: Style) -> io::Result<()> {
    if loud { style.below(w, text) } else { Ok(()) }
}

/// Kept from beginning, or from going on.
fn stopped(w: &mut dyn Write, report: &Report, severities: &str, stored: &str, style: Style) -> io::Result<()> {
    let of = |unaccepted: bool| {
        let is = |finding: &&Finding| match finding.rule {
            Rule::BaselineUnaccepted => unaccepted,
            Rule::PackageMalicious | Rule::PackageDenied => !unaccepted,
            _ => false,
        };
        report.findings.iter().filter(is).count() as u64
    };
    let what = match (of(false), of(true)) {
        (0, n) => {
            let of_libraries = |finding: &Finding| finding.rule == Rule::BaselineUnaccepted && finding.reason.starts_with("linked into");
            format!("{} must be accepted before this build", code(n, report.findings.iter().any(of_libraries)))
        }
        (n, _) => format!("{} must not be in this build", count(n, "package")),
    };
    let severities = if severities.is_empty() { String::new() } else { format!(" ({severities})") };
    style.status(w, RED, "Stopped", &format!("{what}{severities}; none of its code ran{stored}"))
}

/// The build was ended by us.
fn timed_out(report: &Report) -> String {
    let limit = duration::text(Duration::from_millis(report.run.timeout_ms.unwrap_or_default()));
    let running: BTreeSet<_> =
        report.findings.iter().filter(|finding| finding.rule == Rule::ProcTimeout).map(|finding| finding.actor).collect();
    let who = match running.len() as u64 {
        0 => "no program of the build was running, cargo itself was at work".to_owned(),
        n => format!("{} still running (`proc/timeout` above)", count(n, "actor")),
    };
    format!("the build took longer than {limit} and was ended; {who}")
}

/// How cargo ended after something was refused. Whether it ended so because of that, nobody can know.
fn aftermath(report: &Report) -> String {
    match report.outcome.cargo_exit {
        _ if report.outcome.timed_out => String::new(),
        Some(0) => "; cargo finished all the same".to_owned(),
        Some(_) if wording::killed(report).is_some() => "; cargo was ended from outside".to_owned(),
        Some(code) => format!("; cargo ended with exit code {code}"),
        None => "; how cargo ended is not known".to_owned(),
    }
}

fn actors_ran(report: &Report) -> String {
    count(report.outcome.counts.actors, "actor")
}

/// With what was reviewed for some crates, and with the user's exceptions: one clause each, and only where it was used.
fn reviewed(report: &Report) -> String {
    let crates: BTreeSet<_> = report.reviewed.iter().map(|used| MEDIUM.user(&used.by)).collect();
    let shown: Vec<_> = crates.iter().take(3).cloned().collect();
    let left = crates.len().saturating_sub(shown.len());
    let left = if left > 0 { format!(" and {left} more") } else { String::new() };
    let reviewed = if shown.is_empty() { String::new() } else { format!(", with a reviewed allow for {}{left}", shown.join(", ")) };
    reviewed + &excepted::clause(report, MEDIUM)
}

fn fresh(report: &Report) -> String {
    let fresh = match report.coverage.fresh {
        Some(n) if n > 0 => format!("; {} did not run (fresh)", units(n)),
        _ => String::new(),
    };
    fresh + &not_reached(report)
}

fn not_reached(report: &Report) -> String {
    match report.coverage.not_reached {
        Some(n) if n > 0 => format!("; cargo did not come to {}", units(n)),
        _ => String::new(),
    }
}

/// What is refused without alarm, honest code looks for by habit and does without; a result may change by it all the same.
fn quiet(report: &Report, style: Style) -> String {
    let named = if style.verbosity == Verbosity::Verbose { "" } else { " (`-v` names them)" };
    match tally::quiet(report) {
        0 => String::new(),
        n => format!("; {} without alarm{named}", count(n, "refusal")),
    }
}

/// Why, nobody can know; what was kept from whoever failed is said beside it.
fn cargos_own(report: &Report) -> String {
    match report.outcome.cargo_exit {
        Some(code) if code != 0 => match wording::killed(report) {
            Some(signal) => format!("; {signal} ended cargo ({code}), and what comes after did not run"),
            None => format!("; cargo's exit code is {code}"),
        },
        _ => String::new(),
    }
}

fn kept(w: &mut dyn Write, report: &Report) -> io::Result<()> {
    kept_lines(report).iter().try_for_each(|line| writeln!(w, "             {line}"))
}

/// What was kept from code that failed, with what would allow it. Where that is nothing, nothing is said.
pub fn kept_lines(report: &Report) -> Vec<String> {
    const LISTED: usize = 8;
    let mut lines = Vec::new();
    if report.outcome.cargo_exit == Some(0) {
        return lines;
    }
    let who = |id| report.actor(id).map_or_else(|| "an unknown actor".to_owned(), |actor| MEDIUM.subject(report, actor));
    let mut withheld: BTreeMap<ActorId, Vec<&str>> = BTreeMap::new();
    let mut refused = Vec::new();
    for kept in &report.kept {
        match &kept.act {
            Act::Withhold { name } => withheld.entry(kept.actor).or_default().push(name),
            _ => refused.push(kept),
        }
    }
    for kept in refused.iter().take(LISTED) {
        let allow = kept.allow.as_deref().map(|line| format!("; brig.toml: {}", to_be_written(line))).unwrap_or_default();
        lines.push(format!("{} failed, and {} — refused{allow}", who(kept.actor), MEDIUM.deed(&kept.act, Status::Refused)));
    }
    for (actor, names) in withheld.iter().take(LISTED) {
        let shown: Vec<String> = names.iter().take(LISTED).map(|name| (MEDIUM.name)(name)).collect();
        let more = if names.len() > LISTED { ", …" } else { "" };
        let pass = "`environment.extend-pass` of a profile in brig.toml gives one away";
        lines.push(format!("{} failed, and was not given {}{more}: {pass}", who(*actor), shown.join(", ")));
    }
    if !report.outcome.closed.is_empty() {
        let shown: Vec<String> = report.outcome.closed.iter().take(LISTED).map(i32::to_string).collect();
        let more = if report.outcome.closed.len() > LISTED { ", …" } else { "" };
        let why = "beyond the first three it gets pipes, sockets that wait for others, and files that hold no secret";
        lines.push(format!("a program failed, and did not get what was open at descriptor {}{more}: {why}", shown.join(", ")));
    }
    match refused.len().saturating_sub(LISTED) + withheld.len().saturating_sub(LISTED) {
        0 => {}
        left => lines.push(format!("and {left} more in the report")),
    }
    lines
}

fn nothing_ran(report: &Report) -> String {
    match (report.outcome.cargo_exit, report.coverage.fresh, report.coverage.units) {
        (Some(code), _, _) if code != 0 => {
            let how = wording::killed(report).map_or_else(|| "cargo stopped".to_owned(), |signal| format!("{signal} ended cargo"));
            format!("{how} (exit code {code}) before any code of the build ran; nothing is known about it")
        }
        (_, Some(n), _) if n > 0 => {
            let way = if report.run.fresh { "" } else { " (`--fresh` runs them)" };
            format!("everything was fresh: {} of the graph stayed unexecuted and unobserved{way}", units(n))
        }
        (_, _, Some(0)) => "nothing ran; the build has no build scripts and no proc-macros".to_owned(),
        // Whatever was typed, in a directory of its own already: there is nothing else to be built again.
        _ if report.run.fresh => "cargo ran no code of the build: nothing is known about it".to_owned(),
        _ => {
            "cargo ran no code of the build: nothing is known about it (`--fresh` has a build run all of its scripts and macros)".to_owned()
        }
    }
}

/// Lost events, said even when quiet.
pub fn holes(w: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    let coverage = &report.coverage;
    if coverage.complete && (report.outcome.cargo_exit.is_some() || report.outcome.barred) {
        return Ok(());
    }
    let mut text = match coverage.lost {
        0 if report.outcome.cargo_exit.is_none() => "how cargo ended is not known".to_owned(),
        0 => "the record has holes".to_owned(),
        n => format!("the record has holes: {} lost", count(n, "event")),
    };
    if !coverage.holes.is_empty() {
        let shown: Vec<_> = coverage.holes.iter().take(3).map(|hole| escape::ours(hole)).collect();
        text.push_str(&format!(" ({}{})", shown.join("; "), if coverage.holes.len() > 3 { "; …" } else { "" }));
    }
    style.status(w, RED, "Incomplete", &text)
}

/// One line per actor, for `-v`, one for each refusal, and one of what the user opened for programs.
pub fn actors(w: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    const LISTED: usize = 20;
    if !report.outcome.given.is_empty() {
        let shown: Vec<String> = report.outcome.given.iter().map(i32::to_string).collect();
        style.status(w, GREEN, "Given", &format!("to a program, what you opened at descriptor {}", shown.join(", ")))?;
    }
    let mut did: BTreeMap<ActorId, [u64; 5]> = BTreeMap::new();
    for behaviour in &report.behaviour {
        let column = match behaviour.act {
            _ if behaviour.status == Status::Refused => 4,
            Act::Read { .. } => 0,
            Act::Exec { .. } => 2,
            Act::Socket { .. } | Act::Connect { .. } | Act::Send { .. } | Act::Bind { .. } | Act::Lookup { .. } => 3,
            Act::Withhold { .. } | Act::Tell { .. } => continue,
            _ => 1,
        };
        did.entry(behaviour.actor).or_default()[column] += 1;
    }
    for actor in &report.actors {
        let [read, written, ran, network, refused] = did.get(&actor.id).copied().unwrap_or_default();
        // Of what runs within a compiler only what was blamed on it is told apart.
        let did = match actor.host {
            Some(_) if !did.contains_key(&actor.id) => "what it did is told with its compiler".to_owned(),
            _ => format!("{read} read, {written} written, {ran} run, {network} network, {refused} refused"),
        };
        let text = format!("{}: {did}", MEDIUM.subject(report, actor));
        style.status(w, GREEN, "Actor", &text)?;
        let refused = report.behaviour.iter().filter(|did| did.actor == actor.id && did.status == Status::Refused);
        for did in refused.clone().take(LISTED) {
            style.below(w, &format!("{} — refused{}", MEDIUM.deed(&did.act, did.status), times(did.count)))?;
        }
        match refused.count().saturating_sub(LISTED) {
            0 => {}
            left => style.below(w, &format!("and {left} more in the report"))?,
        }
    }
    Ok(())
}

/// Observe mode lets secrets be read with the network open.
pub fn rotate(w: &mut dyn Write, report: &Report, style: Style) -> io::Result<()> {
    let all = rotate::list(report);
    if all.is_empty() {
        return Ok(());
    }
    let total = rotate::unlisted(report).saturating_add(all.len() as u64);
    style.status(w, RED, "Rotate", &format!("{}: read while the network was open", count(total, "credential")))?;
    for one in all.iter().take(rotate::LISTED) {
        style.below(w, &rotate::line(report, one, MEDIUM))?;
    }
    let left = total.saturating_sub(all.len().min(rotate::LISTED) as u64);
    if left > 0 { style.below(w, &format!("and {left} more in the report")) } else { Ok(()) }
}
