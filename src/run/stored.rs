//! Commands about stored reports: one again, in whatever form; a list of them; and what a rule, a finding or a crate in the last one is about.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::outputs::all_asked;
use super::pages::{known_malicious, places, print};
use super::stopped::Stopped;
use super::vouched::{Care, foreign};
use crate::cli::Options;
use crate::cli::reports::{Of, Which};
use crate::model::page::page;
use crate::model::report::Report;
use crate::model::{Exit, Finding, Hostile, Reach, Rule};
use crate::plan;
use crate::report::runs::{self, Runs, store};
use crate::report::terminal;
use crate::report::{escape, json};

/// Renders a stored report again: to the files asked for, else to the terminal.
///
/// # Errors
/// When there is none, or it cannot be written where it was to go.
pub fn report(options: &Options, which: &Which, style: terminal::Style) -> Result<Exit, Stopped> {
    if which.schema {
        return print(json::JSON_SCHEMA);
    }
    if which.list {
        return list(options);
    }
    let of = Of { run: which.run.clone(), report: which.file.clone() };
    let (report, file) = found(options, &of)?;
    let (files, printed) = all_asked(options).map_err(Stopped::usage)?;
    for (format, output) in &files {
        output.write(|w| format.write(&report, w)).map_err(Stopped::usage)?;
    }
    if let Some(format) = printed {
        let mut text = Vec::new();
        format.write(&report, &mut text).context("render the report").map_err(Stopped::usage)?;
        print(&String::from_utf8_lossy(&text))?;
    }
    if files.is_empty() && printed.is_none() {
        let shown = file.as_deref().and_then(Path::to_str);
        let mut text = Vec::new();
        terminal::after(&mut text, &report, shown, style).context("render the report").map_err(Stopped::usage)?;
        print(&String::from_utf8_lossy(&text))?;
    }
    Ok(Exit::Success)
}

/// The runs whose reports are kept, newest first.
fn list(options: &Options) -> Result<Exit, Stopped> {
    let directory = directory(options)?;
    let Some(runs) = Runs::open(&directory).map_err(Stopped::usage)? else {
        return Err(Stopped::usage(anyhow!("no report is kept in {}", directory.display())));
    };
    let mut text = String::new();
    for id in runs.ids().map_err(Stopped::usage)? {
        // One that was damaged is told, and the others shown.
        text.push_str(&match runs.load(&id) {
            Ok(report) => runs::list::line(&id.to_string(), &report),
            Err(error) => runs::list::damaged(&id.to_string(), &error),
        });
    }
    print(&text)
}

/// The one that was named, or the last one of this workspace.
pub(super) fn report_of(options: &Options, of: &Of) -> Result<Report, Stopped> {
    found(options, of).map(|(report, _)| report)
}

/// With its file, where it lies in one of its own; and knowing how it was found, for the commands that are printed about it.
fn found(options: &Options, of: &Of) -> Result<(Report, Option<PathBuf>), Stopped> {
    let (report, file) = match of {
        Of { run: Some(name), .. } => (store::named(&directory(options)?, name).map_err(Stopped::usage)?, None),
        Of { report: Some(file), .. } => (json::load(file).map_err(Stopped::usage)?, Some(file.clone())),
        _ => last(options)?,
    };
    let reach =
        Reach { report_dir: options.report_dir.clone(), config: options.config.clone(), run: of.run.clone(), file: of.report.clone() };
    Ok((Report { reach, ..report }, file))
}

/// With its file. Where that is gone, the newest of those that are kept.
fn last(options: &Options) -> Result<(Report, Option<PathBuf>), Stopped> {
    let directory = directory(options)?;
    let file = directory.join("report.json");
    if !file.exists()
        && let Ok(Some(runs)) = Runs::open(&directory)
        && let Some(report) = own_runs(options, &runs, &directory, Care::Shown).next()
    {
        return Ok((report, None));
    }
    own(options, &file, Care::Shown).map_err(Stopped::usage)?;
    json::load(&file).map(|report| (report, Some(file))).map_err(Stopped::usage)
}

/// The newest of the user's own that is so, of a run of this workspace: what it says will be done.
pub(super) fn last_with(options: &Options, is: &dyn Fn(&Report) -> bool) -> Result<Report, Stopped> {
    let (directory, workspace) = (directory(options)?, places()?.workspace.map(Hostile::from));
    let is_here = |report: &Report| is(report) && report.run.workspace == workspace;
    let file = directory.join("report.json");
    let vouched = own(options, &file, Care::Obeyed);
    if vouched.is_ok()
        && let Ok(report) = json::load(&file)
        && is_here(&report)
    {
        return Ok(report);
    }
    let runs = Runs::open(&directory).map_err(Stopped::usage)?;
    let found = runs.and_then(|runs| own_runs(options, &runs, &directory, Care::Obeyed).find(is_here));
    let none = || match vouched {
        Ok(()) => anyhow!("no report with an incident is kept in {}", directory.display()),
        Err(error) => error,
    };
    found.ok_or_else(|| Stopped::usage(none()))
}

/// Those that are kept, newest first. One that was damaged is none.
fn own_runs<'r>(options: &Options, runs: &'r Runs, directory: &Path, care: Care) -> impl Iterator<Item = Report> + 'r {
    let named = options.report_dir.is_some();
    let kept = directory.join("runs");
    let ids = runs.ids().unwrap_or_default().into_iter();
    let ids = ids.filter(move |id| named || foreign(&kept.join(format!("{id}.json")), care).is_none());
    ids.filter_map(|id| runs.load(&id).ok())
}

/// Is it a run's of the user's, or in a directory that he named?
///
/// # Errors
/// With whose it is, and what to type where it is meant all the same.
fn own(options: &Options, file: &Path, care: Care) -> anyhow::Result<()> {
    match foreign(file, care).filter(|_| options.report_dir.is_none()) {
        None => Ok(()),
        Some(why) => {
            let shown = escape::quoted(&file.into());
            Err(anyhow!("the report `{shown}` is not taken for one of yours: {why}\n  help: name the file where it is meant"))
        }
    }
}

fn directory(options: &Options) -> Result<PathBuf, Stopped> {
    match &options.report_dir {
        Some(directory) => Ok(directory.clone()),
        None => Ok(places()?.report_dir),
    }
}

/// The page of a rule; or, from the last report, one finding (`F1`) or all findings of a crate, each with the page of its rule.
pub fn explain(options: &Options, topic: &str, of: &Of, style: terminal::Style) -> Result<Exit, Stopped> {
    if let Some(rule) = Rule::from_id(topic) {
        return print(page(rule));
    }
    let known = known_malicious(options, topic)?;
    let ids: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    let unknown = |why: &str| {
        // Without a near one it lists them all, which the help line does better.
        let near = Some(plan::document::suggestion(topic, &ids)).filter(|near| near.contains("did you mean")).unwrap_or_default();
        Stopped::usage(anyhow!("`{}` is no rule, and {why}{near}\n  help: the rules are {}", topic.escape_debug(), ids.join(", ")))
    };
    // A rule's name was meant: no report can help.
    if topic.contains('/') {
        return Err(unknown("no finding has such a name"));
    }
    let report = match report_of(options, of) {
        Ok(report) => report,
        Err(stopped) if *of != Of::default() => return Err(stopped),
        Err(stopped) => {
            let is_there = directory(options)?.join("report.json").exists();
            let none = || if is_there { stopped } else { unknown("there is no stored report to look a finding or crate up in") };
            return known.map_or_else(|| Err(none()), |text| print(&text));
        }
    };
    let of_package = |finding: &&Finding| {
        let package = finding.offender.as_ref().or_else(|| report.actor(finding.actor).and_then(|actor| actor.package.as_ref()));
        finding.id == topic || package.is_some_and(|package| package.name == topic)
    };
    let found: Vec<&Finding> = report.all_findings().filter(of_package).collect();
    if found.is_empty() {
        return known.map_or_else(|| Err(unknown("the last report has no finding or offending crate of that name")), |text| print(&text));
    }
    let mut text = known.map(|known| known + "\n").unwrap_or_default().into_bytes();
    terminal::findings(&mut text, &report, found.iter().copied(), style).context("render the findings")?;
    let mut stands = String::new();
    for standing in &report.standing {
        for one in standing.findings.iter().filter(|one| found.iter().any(|found| found.id == one.id)) {
            let when = crate::model::moment::text(standing.started);
            let line = format!("{} stands: it was found on {when}, and its code has not run again since", one.id);
            // That run is kept beside this one, wherever the report of this one was found.
            let kept = Reach { run: None, file: None, ..report.reach.clone() }.command(&format!("report --run {}", standing.run));
            stands.push_str(&format!("{} (`{}`)\n", escape::ours(&line), escape::ours(&kept)));
        }
    }
    if !stands.is_empty() {
        stands.push('\n');
    }
    let mut rules: Vec<Rule> = found.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let pages: Vec<&str> = rules.into_iter().map(page).collect();
    print(&(String::from_utf8_lossy(&text).into_owned() + &stands + &pages.join("\n")))
}
