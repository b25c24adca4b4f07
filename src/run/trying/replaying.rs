//! `cargo brig replay`: a run that a report tells of once more, of the recorded commit and lock file, among decoys. In: what was typed. Out: what came again, act
//! by act; evidence as of any trial; 100 where an incident came again, or another one came.

use std::path::Path;

use anyhow::{anyhow, ensure};

use super::one::Conditions;
use super::recorded::Recorded;
use super::words::Words;
use crate::cli::Options;
use crate::cli::replaying::Replay;
use crate::cli::reports::Of;
use crate::model::report::Report;
use crate::model::{Exit, Finding, Mode};
use crate::plan::places::real;
use crate::report::runs::store::Id;
use crate::report::terminal;
use crate::run::pages;
use crate::run::stopped::Stopped;
use crate::run::stored::{last_with, report_of};

/// # Errors
/// Where it cannot be run again, or the walls cannot be built around it (104).
pub fn replay(options: &Options, wish: &Replay, style: terminal::Style) -> Result<Exit, Stopped> {
    let then = meant(options, wish)?;
    let words = Words::read(&then.run.command, then.run.workspace.as_ref()).map_err(Stopped::usage)?;
    let workspace = pages::places()?
        .workspace
        .ok_or_else(|| Stopped::usage(anyhow!("there is no workspace here: stand in the one that the report is about")))?;
    let home = std::env::var_os("HOME").map(Into::into).map(real);
    let recorded = Recorded { then, words, workspace, home, here: wish.here };
    let how = wish.how();
    let conditions = Conditions::with(options, &how, recorded.words.toolchain.as_deref(), style)?;
    conditions.again(&recorded, wish.evidence.as_deref()).map(|tried| tried.exit)
}

fn meant(options: &Options, wish: &Replay) -> Result<Report, Stopped> {
    let typed = wish.report.as_deref();
    // A run's name is no name of a file, unless there is one.
    let id = typed.and_then(Path::to_str).filter(|text| Id::parse(text).is_some() && !Path::new(text).exists()).map(str::to_owned);
    let run = wish.run.clone().or(id);
    let report = match (run, typed) {
        (Some(run), _) => report_of(options, &Of { run: Some(run), report: None })?,
        (None, Some(file)) => report_of(options, &Of { run: None, report: Some(file.to_owned()) })?,
        (None, None) => last_with(options, &has_incident)?,
    };
    let check = || {
        ensure!(has_incident(&report), "that run had no incident: there is nothing that could come again");
        ensure!(report.run.mode != Mode::Decoy, "the report is of a trial: `cargo brig try` repeats it");
        Ok(())
    };
    check().map_err(Stopped::usage)?;
    Ok(report)
}

/// Of its own: what stood from earlier runs is theirs.
fn has_incident(report: &Report) -> bool {
    report.findings.iter().any(Finding::is_told)
}
