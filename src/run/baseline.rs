//! The commands about `brig.lock`: accept, diff, check, prune. In: what was typed, the last report, the lock, cargo's graph. Out: the lock with more in it, or
//! less, replaced as a whole or not at all; what is new; an exit code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::anyhow;

use super::amending::replace;
use super::graph_now::{Now, now};
use super::importing;
use super::pages::print;
use super::stopped::Stopped;
use super::stored::report_of;
use crate::baseline::accept::{self, Wanted};
use crate::baseline::compare;
use crate::baseline::fold::{Folded, fold};
use crate::baseline::line::Line;
use crate::baseline::{Library, Lock, Unit};
use crate::cli::Options;
use crate::cli::baseline::Baseline;
use crate::cli::reports::Of;
use crate::model::barred::Why;
use crate::model::report::{Report, Vouched};
use crate::model::{Exit, Severity};
use crate::plan::{behaviours, units};
use crate::report::{escape, json};

/// # Errors
/// When there is nothing to work with, or what is there is not understood (96).
pub fn baseline(options: &Options, what: &Baseline) -> Result<Exit, Stopped> {
    match what {
        Baseline::Accept { names, all } => accept(options, names, *all),
        Baseline::Diff { a: Some(a), b: Some(b), .. } => diff(a, b),
        Baseline::Diff { of, .. } => drift(options, of),
        Baseline::Check => check(options),
        Baseline::Import => importing::import(options),
        Baseline::Prune => prune(),
    }
}

const NONE: &str = "there is no brig.lock here\n  help: `cargo brig baseline accept` writes one from the last run";

pub(super) fn accept(options: &Options, names: &[String], all: bool) -> Result<Exit, Stopped> {
    let stored = report(options);
    // By their names, packages are accepted without a run.
    let report = if names.is_empty() && !all { Some(stored?) } else { stored.ok() };
    let now = now(report.as_ref())?;
    let path = behaviours::place(&now.workspace);
    let before = behaviours::text(&path)?;
    let mut lock = before.as_deref().map(|text| behaviours::parse(behaviours::NAME, text)).transpose()?.unwrap_or_default();
    let empty = || Folded { lines: BTreeMap::new(), ran: BTreeSet::new() };
    if let Some(report) = &report {
        usable(report, &now, names)?;
    }
    let folded = report.as_ref().map_or_else(empty, |report| fold(report, &now.dirs));
    let mut known = now.units.clone();
    for (name, version, kind) in &folded.ran {
        // Of a run with other features than cargo's graph was asked for.
        for unit in units::locked(&now.locked, name, version, *kind) {
            known.entry(unit).or_default();
        }
    }
    let on = report.as_ref().map_or_else(|| std::env::consts::ARCH.to_owned(), |report| word(&report.host.arch)) + "-linux";
    let mut done = accept::accept(&mut lock, &folded, &known, &Wanted { names, unseen: all, on: &on });
    accept::accept_libraries(&mut lock, &known, &now.libraries, names, &mut done);
    if !done.unknown.is_empty() {
        let names: Vec<String> = done.unknown.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
        return Err(Stopped::usage(anyhow!(
            "{}: no package of that name that comes from elsewhere runs code in this build\n  help: nothing was written",
            names.join(", ")
        )));
    }
    let text = lock.text();
    let changed = before.as_deref() != Some(&*text);
    if changed {
        replace(&path, &text, before.as_deref())?;
    }
    let mut said = String::new();
    match done.units.len() + done.lines.len() + done.libraries.len() {
        0 if before.is_none() => said.push_str("wrote brig.lock; nothing is accepted in it yet\n"),
        0 if changed => said.push_str("brig.lock: nothing is new; what it says beside was brought up to date\n"),
        0 => said.push_str("brig.lock holds all of it already\n"),
        _ => said.push_str("accepted in brig.lock:\n"),
    }
    for unit in &done.units {
        let _ = writeln!(said, "    {}", of_unit(unit));
    }
    for library in &done.libraries {
        let _ = writeln!(said, "    {}", of_library(library));
    }
    for ((name, kind), line) in &done.lines {
        let _ = writeln!(said, "    {}", escape::ours(&format!("{name} {} does {}", kind.name(), line.text())));
    }
    left(&mut said, &done.left);
    print(&said)
}

/// Units that did not run: "did not run" is not "did nothing".
fn left(said: &mut String, left: &[Unit]) {
    if left.is_empty() {
        return;
    }
    said.push_str("not accepted, as none of it ran (build it with `--fresh`, or name it to accept it unseen):\n");
    for unit in left {
        let _ = writeln!(said, "    {}", of_unit(unit));
    }
}

fn of_unit(unit: &Unit) -> String {
    escape::ours(&format!("{} {} {}", unit.name, unit.version, unit.kind.name()))
}

fn of_library(library: &Library) -> String {
    escape::ours(&format!("{} {} library", library.name, library.version))
}

/// Is it of this workspace as it is now, complete, and of nobody who is to be refused?
fn usable(report: &Report, now: &Now, names: &[String]) -> Result<(), Stopped> {
    let stop = |why: String| Err(Stopped::usage(anyhow!("{why}\n  help: nothing was written")));
    if report.run.workspace.as_ref().is_none_or(|workspace| workspace.as_path() != now.workspace) {
        return stop("the last report is of another workspace".into());
    }
    if !report.coverage.complete {
        return stop("the record of the last run has holes: what it does not hold cannot be accepted".into());
    }
    let ended = UNIX_EPOCH
        + Duration::from_millis(report.run.started.saturating_mul(1000).saturating_add(report.run.duration_ms))
        + Duration::from_secs(2);
    let changed = std::fs::metadata(now.workspace.join("Cargo.lock")).and_then(|facts| facts.modified());
    if changed.is_ok_and(|changed| changed > ended) {
        return stop("Cargo.lock has changed since the last run: build once more, so that what is accepted is what is built".into());
    }
    // What stands from an earlier run as well: a warm build takes nothing back. (Its actors are those of that run.)
    let of_this_run = report.findings.len();
    for (at, finding) in report.all_findings().enumerate().filter(|(_, finding)| finding.severity == Severity::Critical) {
        let actor = || report.actor(finding.actor).filter(|_| at < of_this_run)?.package.as_ref();
        let package = finding.offender.as_ref().or_else(actor);
        if let Some(package) = package.filter(|package| names.is_empty() || names.contains(&package.name)) {
            let name = escape::name(&package.name);
            return stop(format!("`{name}`: {} ({}) is critical, and never accepted", finding.id.escape_debug(), finding.rule.id()));
        }
    }
    Ok(())
}

fn drift(options: &Options, of: &Of) -> Result<Exit, Stopped> {
    let report = report_of(options, of).map_err(none)?;
    let now = now(Some(&report))?;
    let there = lock_of(&now.workspace)?;
    let folded = fold(&report, &now.dirs);
    // "Did not run" is not "did nothing".
    let ran = !folded.ran.is_empty() || !folded.lines.is_empty();
    let nothing = match (&there, ran) {
        (Some(_), true) => "what ran did what brig.lock holds\n",
        (None, true) => "there is no brig.lock here, and what ran did nothing that would stand in one\n",
        (Some(_), false) => {
            "none of the code that brig.lock is about ran: nothing is known beside it (`--fresh` has a build run all of its scripts and macros)\n"
        }
        (None, false) => "there is no brig.lock here, and none of the code that it would be about ran\n",
    };
    let lock = there.unwrap_or_default();
    let mut said = String::new();
    for ((name, kind), lines) in &folded.lines {
        for line in lines.keys().filter(|line| !lock.holds(&(name.clone(), *kind), line)) {
            let _ = writeln!(said, "+ {}", told(name, kind.name(), line));
        }
    }
    // Of what ran, what it was accepted to do and did not: a warm run says nothing of the rest.
    let ran = |name: &String, kind| folded.ran.iter().any(|(known, _, of)| (known, *of) == (name, kind));
    for ((name, kind), lines) in lock.did.iter().filter(|((name, kind), _)| ran(name, *kind)) {
        let did = folded.lines.get(&(name.clone(), *kind));
        let is_done = |line: &Line| did.is_some_and(|did| did.keys().any(|one| one == line || one.of_directory().as_ref() == Some(line)));
        for line in lines.iter().filter(|line| !is_done(line)) {
            let _ = writeln!(said, "- {}", told(name, kind.name(), line));
        }
    }
    if said.is_empty() {
        said.push_str(nothing);
    }
    print(&said)
}

fn diff(a: &Path, b: &Path) -> Result<Exit, Stopped> {
    let lines = |path: &Path| -> Result<BTreeSet<String>, Stopped> {
        let file = path.display().to_string();
        let text = behaviours::text(path)?.ok_or_else(|| Stopped::usage(anyhow!("{file}: there is no such file")))?;
        let lock = if text.trim_start().starts_with('{') {
            let report = json::load(path).map_err(Stopped::usage)?;
            let dirs = now(Some(&report))?.dirs.of_any_version();
            let folded = fold(&report, &dirs);
            let did = folded.lines.iter().map(|(key, lines)| (key.clone(), lines.keys().cloned().collect()));
            Lock { did: did.collect(), ..Lock::default() }
        } else {
            behaviours::parse(&file, &text)?
        };
        Ok(lock.did.iter().flat_map(|((name, kind), lines)| lines.iter().map(move |line| told(name, kind.name(), line))).collect())
    };
    let (a, b) = (lines(a)?, lines(b)?);
    let mut said = between(&a, &b);
    if said.is_empty() {
        said.push_str("both hold the same\n");
    }
    print(&said)
}

/// What one holds and the other does not, a line each: first what is gone.
pub(super) fn between(a: &BTreeSet<String>, b: &BTreeSet<String>) -> String {
    let marked = a.difference(b).map(|line| ('-', line)).chain(b.difference(a).map(|line| ('+', line)));
    marked.map(|(mark, line)| format!("{mark} {line}\n")).collect()
}

pub(super) fn told(name: &str, kind: &str, line: &Line) -> String {
    escape::ours(&format!("{name} {kind} does {}", line.text()))
}

fn check(options: &Options) -> Result<Exit, Stopped> {
    let report = report(options).ok();
    let now = now(report.as_ref())?;
    let Some(lock) = lock_of(&now.workspace)? else {
        let cause = anyhow!("{NONE}");
        return Err(Stopped { exit: Exit::NewBehaviour, cause });
    };
    let (lock, vouched) = importing::beside(options, lock, &now)?;
    let mut said = String::new();
    let libraries = compare::unlinked(&lock, &now.libraries, behaviours::NAME);
    for barred in compare::unaccepted(&lock, now.units.keys(), behaviours::NAME).iter().chain(&libraries) {
        let (kind, into, before) = match &barred.why {
            Why::Unaccepted { kind, before } => (kind.name(), String::new(), before),
            Why::Library { into, before, .. } => ("library", format!(", linked into {}", into.join(", ")), before),
            Why::Malicious { .. } | Why::Denied { .. } => continue,
        };
        let before = match before {
            Some(before) if *before == barred.version => " (what was accepted has another checksum)".to_owned(),
            Some(before) => format!(" ({before} is accepted)"),
            None => String::new(),
        };
        let line = format!("{} {} {kind}{into}{before}", barred.name, barred.version);
        let _ = writeln!(said, "not accepted: {}", escape::ours(&line));
    }
    if lock.without_libraries && !libraries.is_empty() {
        said.push_str("brig.lock is of an older form, which holds no libraries: `cargo brig baseline accept` brings it up to date\n");
    }
    if let Some(report) = &report {
        let folded = fold(report, &now.dirs);
        for new in compare::news(&lock, &folded) {
            for (line, _) in &new.did {
                let _ = writeln!(said, "new: {}", told(&new.key.0, new.key.1.name(), line));
            }
        }
    }
    if said.is_empty() {
        let (units, seen) =
            (now.units.len(), now.units.keys().filter(|unit| lock.units.get(*unit).is_some_and(|beside| beside.ran)).count());
        let linked = match now.libraries.len() {
            0 => String::new(),
            libraries => format!("; and {libraries} libraries that are linked into it"),
        };
        return print(&format!(
            "brig.lock holds all code that runs in this build: {units}, of which {seen} were seen to run{linked}{}\n",
            of_others(&vouched)
        ));
    }
    print(&said)?;
    Ok(Exit::NewBehaviour)
}

fn of_others(vouched: &[Vouched]) -> String {
    let mut by: Vec<&str> = vouched.iter().map(|one| one.import.as_str()).collect();
    by.dedup();
    if by.is_empty() { String::new() } else { format!("; {} of all that {} vouched for", vouched.len(), escape::ours(&by.join(", "))) }
}

fn prune() -> Result<Exit, Stopped> {
    let now = now(None)?;
    let path = behaviours::place(&now.workspace);
    let Some(before) = behaviours::text(&path)? else { return Err(Stopped::usage(anyhow!("{NONE}"))) };
    let mut lock = behaviours::parse(behaviours::NAME, &before)?;
    let is_there = |name: &str, version: &str| !now.locked.which(|other, its| (other, its) == (name, version)).is_empty();
    let has = |name: &str| !now.locked.which(|other, _| other == name).is_empty();
    let (gone, unlinked) = accept::prune(&mut lock, &now.units, &now.libraries, is_there, has);
    let text = lock.text();
    if text == before {
        return print("Cargo.lock holds all that brig.lock does\n");
    }
    replace(&path, &text, Some(&before))?;
    let gone = gone.iter().map(of_unit).chain(unlinked.iter().map(of_library));
    let gone: String = gone.map(|one| format!("    {one}\n")).collect();
    print(&format!("taken out of brig.lock:\n{gone}"))
}

pub(super) fn lock_of(workspace: &Path) -> Result<Option<Lock>, Stopped> {
    Ok(behaviours::read(workspace)?)
}

pub(super) fn report(options: &Options) -> Result<Report, Stopped> {
    report_of(options, &Of::default()).map_err(none)
}

fn none(stopped: Stopped) -> Stopped {
    Stopped { cause: stopped.cause.context("there is no report to go by: build once behind the walls"), ..stopped }
}

/// Of a stored report: no more than a word.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(20).collect()
}
