//! `cargo brig bisect`: the first version of a crate that breaks a rule, by a binary search of trials. In: what was typed, the registry's index. Out: a line for
//! each trial, the version, the evidence of all; an exit code.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::named::{Named, is_name};
use super::one::{Conditions, clock};
use super::search::{Answer, Search};
use super::versions::{self, Offered};
use crate::cli::Options;
use crate::cli::trying::Bisect;
use crate::model::{Exit, Rule, moment};
use crate::report::escape;
use crate::report::terminal::{GREEN, RED, Style, YELLOW};
use crate::report::wording::count;
use crate::run::stopped::Stopped;
use crate::run::streams::Heedless;

/// Exit code 100 where a version is found, 0 where the last does not do it, 103 where the trials do not say.
///
/// # Errors
/// When there are no such versions, or the walls cannot be built around them (104).
pub fn bisect(options: &Options, wish: &Bisect, style: Style) -> Result<Exit, Stopped> {
    let usage = |text: String| Stopped::usage(anyhow!("{text}"));
    let name = &wish.name;
    if !is_name(name) {
        return Err(usage(format!("{name:?} is no name of a crate")));
    }
    let range = versions::range(&wish.range).map_err(Stopped::usage)?;
    let rule = Rule::from_id(&wish.does).ok_or_else(|| usage(format!("{:?} is no rule", wish.does)))?;
    let conditions = Conditions::of(options, &wish.how, style)?.silent();
    let index = conditions.index_of(name).map_err(Stopped::usage)?;
    let offered = versions::between(&index, &range);
    if offered.len() < 2 {
        return Err(usage(format!("the registry has {} of {name} in {}", count(offered.len() as u64, "version"), wish.range)));
    }
    let dir = wish.how.evidence.clone();
    let dir = dir.unwrap_or_else(|| Path::new("brig-evidence").join(format!("bisect-{name}-{}", moment::stamp(clock()))));
    if dir.symlink_metadata().is_ok() {
        return Err(usage(format!("{} is there already: evidence is never overwritten", dir.display())));
    }
    let mut out = Heedless(io::stdout());
    let yanked = offered.iter().filter(|one| one.yanked).count();
    let text = format!("{name} {}: {}, of which {yanked} yanked", wish.range, count(offered.len() as u64, "version"));
    style.status(&mut out, GREEN, "Bisecting", &escape::ours(&text)).context("write to stdout")?;
    let lane = Lane { conditions, name, rule, dir, style };
    let mut search = Search::among(offered.len());
    while let Some(at) = search.next() {
        let answer = lane.look(&offered[at], &mut out)?;
        if lane.conditions.was_interrupted() {
            return Ok(Exit::Cargo(130));
        }
        search.told(at, answer);
    }
    lane.conclude(&search, &offered, &mut out).context("write to stdout").map_err(Stopped::from)
}

struct Lane<'a> {
    conditions: Conditions<'a>,
    name: &'a str,
    rule: Rule,
    dir: PathBuf,
    style: Style,
}

impl Lane<'_> {
    fn look(&self, one: &Offered, out: &mut dyn Write) -> Result<Answer, Stopped> {
        let (name, version, rule) = (self.name, &one.vers, self.rule.id());
        let named = Named::Registry { name: name.to_owned(), version: Some(version.clone()) };
        let locked = tempfile::Builder::new().prefix("user-").tempdir().context("make a temporary directory")?;
        let lock = versions::lock(name, one).map(|text| (locked.path().join("Cargo.lock"), text)).filter(|_| one.yanked);
        if let Some((path, text)) = &lock {
            fs::write(path, text).context("write a lock file")?;
        }
        let tried = self.conditions.one(&named, lock.as_ref().map(|(path, _)| path.as_path()), Some(&self.dir.join(version)));
        let yanked = if one.yanked { " (yanked)" } else { "" };
        let (answer, color, text) = match tried {
            // What is wrong with the machine is so for all of them.
            Err(stopped) if stopped.exit != Exit::Usage => return Err(stopped),
            Err(stopped) => (Answer::Unknown, YELLOW, format!("cannot be had: {:#}", stopped.cause)),
            Ok(tried) if tried.all.findings.iter().any(|finding| finding.rule == self.rule) => {
                (Answer::Does, RED, format!("does {rule}{}", self.others(&tried.all)))
            }
            Ok(tried) if tried.exit == Exit::Incomplete => (Answer::Unknown, YELLOW, "did not build, or its record has holes".to_owned()),
            Ok(_) => (Answer::DoesNot, GREEN, format!("was not seen to do {rule}")),
        };
        let text = escape::ours(&format!("{name} {version}{yanked} {text}"));
        self.style.status(out, color, "Tried", &text).context("write to stdout")?;
        Ok(answer)
    }

    /// Where it is none of the crate's own code that does it.
    fn others(&self, all: &crate::model::report::Report) -> String {
        let by = all.findings.iter().filter(|finding| finding.rule == self.rule).filter_map(|finding| {
            finding.offender.as_ref().or_else(|| all.actor(finding.actor)?.package.as_ref()).map(|package| package.name.as_str())
        });
        let mut by: Vec<&str> = by.collect();
        by.sort_unstable();
        by.dedup();
        if by.is_empty() || by.contains(&self.name) { String::new() } else { format!(", by {}", by.join(", ")) }
    }

    fn conclude(&self, search: &Search, offered: &[Offered], out: &mut dyn Write) -> io::Result<Exit> {
        let (name, rule) = (self.name, self.rule.id());
        let of = |at: usize| format!("{name} {}", offered[at].vers);
        let last = offered.len() - 1;
        let exit = match search.found() {
            Some((first, unknown)) => {
                let before = match first.checked_sub(unknown.len() + 1) {
                    Some(before) => format!("; {} was not seen to", of(before)),
                    None => String::new(),
                };
                self.style.status(out, RED, "First", &escape::ours(&format!("{} does {rule}{before}", of(first))))?;
                if !unknown.is_empty() {
                    let names: Vec<&str> = unknown.iter().map(|at| &*offered[*at].vers).collect();
                    let text = format!("whether it came with one of these, which could not be tried: {}", names.join(", "));
                    self.style.status(out, YELLOW, "Unknown", &escape::ours(&text))?;
                }
                if first > 0 {
                    let text = "a binary search takes it that what has come stays: versions between that were not tried may say otherwise";
                    self.style.status(out, YELLOW, "Note", text)?;
                }
                Exit::Violation
            }
            None if search.answer(last) == Some(Answer::DoesNot) => {
                let text = format!("the last, {}, was not seen to do {rule}; what lies between was not tried", of(last));
                self.style.status(out, GREEN, "None", &escape::ours(&text))?;
                Exit::Success
            }
            None => {
                let text = format!("no version could be tried that does {rule}");
                self.style.status(out, YELLOW, "Unknown", &text)?;
                Exit::Incomplete
            }
        };
        self.style.status(out, GREEN, "Evidence", &escape::ours(&format!("{}, a directory for each version", self.dir.display())))?;
        Ok(exit)
    }
}
