//! `try --diff A B`: two suspects under the same conditions, one after the other, and what differs between them. In: what was typed. Out: both evidences, the
//! difference on the terminal and beside them; the exit code of the second.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::named::Named;
use super::one::{Conditions, Tried, clock};
use super::{lines, named};
use crate::cli::Options;
use crate::cli::trying::Try;
use crate::model::report::Report;
use crate::model::{Exit, Sent, Severity, moment};
use crate::report::escape;
use crate::report::terminal::{self, GREEN, Style, YELLOW};
use crate::run::baseline::{between, told};
use crate::run::stopped::Stopped;
use crate::run::streams::Heedless;

/// # Errors
/// When one of them cannot be had, or the walls cannot be built around it (104).
pub fn two(options: &Options, wish: &Try, (a, b): (&OsStr, &OsStr), style: Style) -> Result<Exit, Stopped> {
    let of = |which: &OsStr| which_of(wish.what.as_deref(), which).map_err(Stopped::usage);
    let (a, b) = (of(a)?, of(b)?);
    let conditions = Conditions::of(options, &wish.how, style)?;
    let dir = wish.how.evidence.clone().unwrap_or_else(|| Path::new("brig-evidence").join(format!("diff-{}", moment::stamp(clock()))));
    if dir.symlink_metadata().is_ok() {
        return Err(Stopped::usage(anyhow!("{} is there already: evidence is never overwritten", dir.display())));
    }
    let first = conditions.one(&a, None, Some(&dir.join("a")))?;
    if first.exit == Exit::Cargo(130) {
        return Ok(first.exit);
    }
    let second = conditions.one(&b, None, Some(&dir.join("b")))?;
    tell(&first, &second, &dir, style).context("tell what differs")?;
    Ok(match (first.exit, second.exit) {
        // Beside what is not known nothing can be told.
        (Exit::Incomplete, Exit::Success) => Exit::Incomplete,
        (_, second) => second,
    })
}

/// With a crate's name a version of it, else whatever can be tried.
fn which_of(what: Option<&OsStr>, which: &OsStr) -> Result<Named> {
    let Some(what) = what else { return Named::of(which) };
    let is_name = what.to_str().is_some_and(named::is_name);
    anyhow::ensure!(is_name, "with `--diff`, {what:?} can only be the name of a crate, of which two versions are compared");
    let mut text = OsString::from(what);
    text.push("@");
    text.push(which);
    Named::of(&text)
}

fn tell(first: &Tried, second: &Tried, dir: &Path, style: terminal::Style) -> io::Result<()> {
    let name = |tried: &Tried| format!("{} {}", tried.suspect.name, tried.suspect.version);
    let mut out = Heedless(io::stdout());
    let parts = [
        ("does", between(&did(&first.all), &did(&second.all))),
        ("breaks", between(&broken(&first.all), &broken(&second.all))),
        ("sent", between(&sent(first), &sent(second))),
    ];
    let text: String = parts.iter().map(|(_, lines)| lines.as_str()).collect();
    std::fs::write(dir.join("diff.txt"), &text)?;
    let (a, b) = (name(first), name(second));
    let color = if text.is_empty() { GREEN } else { YELLOW };
    let what = if text.is_empty() { "were not seen to do anything different" } else { "differ: `-` only the first, `+` only the second" };
    style.status(&mut out, color, "Difference", &escape::ours(&format!("{a} and {b} {what}")))?;
    for line in text.lines() {
        style.below(&mut out, line)?;
    }
    for tried in [first, second].into_iter().filter(|tried| tried.exit == Exit::Incomplete) {
        style.status(&mut out, YELLOW, "Unknown", &escape::ours(&format!("not all of {} ran, or its record has holes", name(tried))))?;
    }
    let shown: PathBuf = dir.join("diff.txt");
    style.status(&mut out, GREEN, "Evidence", &escape::ours(&format!("{}, of each in `a` and `b` beside it", shown.display())))
}

/// In the lines that a lock of behaviours has.
fn did(all: &Report) -> BTreeSet<String> {
    let all = lines::did(all);
    all.iter().flat_map(|((name, kind), lines)| lines.iter().map(move |line| told(name, kind.name(), line))).collect()
}

/// Which rules, by whom, in what.
pub fn broken(all: &Report) -> BTreeSet<String> {
    let found = all.findings.iter().filter(|finding| finding.severity > Severity::Info);
    let line = |finding: &crate::model::Finding| {
        let actor = all.actor(finding.actor);
        let package = finding.offender.as_ref().or_else(|| actor?.package.as_ref());
        let name = package.map_or("(unknown)", |package| &package.name);
        let kind = actor.map_or("program", |actor| actor.kind.name());
        escape::ours(&format!("{name} {kind} breaks {}", finding.rule.id()))
    };
    found.map(line).collect()
}

/// To whom, with what; how much is not said, since canaries differ.
fn sent(tried: &Tried) -> BTreeSet<String> {
    let line = |message: &Sent| {
        let name = message.by.as_ref().map_or(&tried.suspect.name, |(name, _)| name);
        let mut secrets: Vec<String> =
            message.carried.iter().map(|one| format!("{} ({}, {})", one.place, one.name, one.encoding)).collect();
        secrets.dedup();
        let with = if secrets.is_empty() { String::new() } else { format!(" with {}", secrets.join(", ")) };
        let (to, what) = (escape::quoted(&message.to), escape::quoted(&message.what));
        let what = message.names.map_or(what, |names| format!("{names} names"));
        escape::ours(&format!("{name} sent to {to} ({}, {what}){with}", message.how))
    };
    tried.proof.messages.iter().map(line).collect()
}
