//! What a run leaves behind besides what it builds: its report, in the files asked for and in the report directory, and among those that are kept.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Error};

use super::stopped::Stopped;
use crate::attribute::Graph;
use crate::cli::Options;
use crate::judge::Places;
use crate::model::report::Report;
use crate::plan::tracked;
use crate::report::Format;
use crate::report::json::Output;
use crate::report::runs::{Runs, standing};

/// A file that was asked for. The summary of a job's step is one for all that runs in the step: what is there already stays.
///
/// # Errors
/// When it cannot be written.
pub fn asked(format: Format, path: &Path) -> Result<Output, Error> {
    let is_same = |other: &Path| {
        let (one, other) = (std::fs::metadata(path), std::fs::metadata(other));
        one.ok().zip(other.ok()).is_some_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
    };
    let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|summary| !summary.is_empty());
    let is_summary = summary.is_some_and(|summary| path.as_os_str() == summary || is_same(Path::new(&summary)));
    if format == Format::Markdown && is_summary { Output::prepare_shared(path) } else { Output::prepare(path) }
}

#[derive(Debug)]
pub struct Outputs {
    files: Vec<(Format, Output)>,
    /// None where nothing is to be left: `cargo clean`.
    runs: Option<Runs>,
    /// So many of the files stay. What lies in a report directory that somebody takes away again is not worth naming.
    lasting: usize,
}

impl Outputs {
    /// Every file that will be written is opened now: a bad path must not be found out after an hour of building.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn prepare(options: &Options, places: &Places, cleans: bool) -> Result<Outputs, Stopped> {
        let directory = options.report_dir.clone().unwrap_or_else(|| places.report_dir.clone());
        let mut files = Vec::new();
        for (format, path) in options.outputs() {
            files.push((format, asked(format, path).map_err(Stopped::usage)?));
        }
        if cleans && options.report_dir.is_none() {
            return Ok(Outputs { lasting: files.len(), files, runs: None });
        }
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("make the report directory {} (`--report-dir` names another)", directory.display()))
            .map_err(Stopped::usage)?;
        for (format, name) in [(Format::Json, "report.json"), (Format::Html, "report.html")] {
            files.push((format, Output::prepare_in(&directory, name).map_err(Stopped::usage)?));
        }
        let lasting = if options.passing { options.outputs().len() } else { files.len() };
        let runs = Runs::prepare(&directory).map_err(Stopped::usage)?.distrusting(tracked::is_kept);
        Ok(Outputs { files, runs: Some(runs), lasting })
    }

    /// Names the run, and lets stand in its report what the last one of this workspace found and this one has not looked at. Read only now: another
    /// build may have had the target directory while this one waited for it.
    ///
    /// # Errors
    /// When the reports that are kept cannot be listed.
    pub fn follow(&self, report: &mut Report, graph: Option<&Graph>) -> Result<(), Error> {
        let Some(runs) = &self.runs else { return Ok(()) };
        if let Some(earlier) = runs.newest(report.run.workspace.as_ref()) {
            let gone = |package: &_| graph.is_some_and(|graph| graph.has_left(package));
            standing::carry(report, &earlier, &gone);
        }
        report.run.id = runs.name(report.run.started)?.to_string();
        Ok(())
    }

    /// Writes all of them. The answer is where the page is, and what could not be written.
    pub fn write(&self, report: &Report) -> (Option<&Path>, Option<Error>) {
        let (mut page, mut failed) = (None, None);
        for (at, (format, output)) in self.files.iter().enumerate() {
            match output.write(|w| format.write(report, w)).with_context(|| format!("write the report {}", output.path().display())) {
                Ok(()) if *format == Format::Html && page.is_none() && at < self.lasting => page = Some(output.path()),
                Ok(()) => {}
                Err(error) => failed = Some(error),
            }
        }
        if let Some(runs) = &self.runs
            && let Err(error) = runs.keep(report)
        {
            failed = Some(error);
        }
        (page, failed)
    }
}
