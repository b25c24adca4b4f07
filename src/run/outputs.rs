//! What a run leaves behind besides what it builds: its report, in the files asked for and in the report directory, and among those that are kept.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Error, bail, ensure};

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
fn asked(format: Format, path: &Path) -> Result<Output, Error> {
    let is_same = |other: &Path| {
        let (one, other) = (std::fs::metadata(path), std::fs::metadata(other));
        one.ok().zip(other.ok()).is_some_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
    };
    let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|summary| !summary.is_empty());
    let is_summary = summary.is_some_and(|summary| path.as_os_str() == summary || is_same(Path::new(&summary)));
    if format == Format::Markdown && is_summary { Output::prepare_shared(path) } else { Output::prepare(path) }
}

/// Files, and the form for stdout.
type Asked = (Vec<(Format, Output)>, Option<Format>);

/// All files that were asked for, and the form that stdout was asked for. Two forms in one file would be one, and nobody told which.
///
/// # Errors
/// When one of them cannot be written, or two are one.
pub fn all_asked(options: &Options) -> Result<Asked, Error> {
    let (mut files, mut printed): (Vec<(Format, Output)>, Option<Format>) = (Vec::new(), None);
    for (format, path) in options.outputs() {
        if path.as_os_str() == "-" {
            match printed.replace(format) {
                Some(other) => bail!("`{}` and `{}` both go to stdout: one of them has to be a file", other.option(), format.option()),
                None => continue,
            }
        }
        files.push((format, asked(format, path)?));
    }
    apart(&files)?;
    Ok((files, printed))
}

/// No two forms in one file, however it is spelled. The same form twice is the same text.
fn apart(files: &[(Format, Output)]) -> Result<(), Error> {
    for (at, (format, file)) in files.iter().enumerate() {
        for (other, before) in files.iter().take(at).filter(|(other, _)| other != format) {
            let (options, path) = (format!("`{}` and `{}`", other.option(), format.option()), file.path().display());
            ensure!(!file.is_same(before)?, "{options} are one file, {path}: each form needs a file of its own");
        }
    }
    Ok(())
}

/// What lies in every report directory, beside the files that were asked for.
///
/// # Errors
/// When one of them cannot be written, or was asked for as something else.
pub fn add_own(files: &mut Vec<(Format, Output)>, directory: &Path) -> Result<(), Error> {
    for (format, name) in [(Format::Json, "report.json"), (Format::Html, "report.html")] {
        files.push((format, Output::prepare_in(directory, name)?));
    }
    apart(files).context("the report directory has its own `report.json` and `report.html`")
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
        let (mut files, _) = all_asked(options).map_err(Stopped::usage)?;
        if cleans && options.report_dir.is_none() {
            return Ok(Outputs { lasting: files.len(), files, runs: None });
        }
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("make the report directory {} (`--report-dir` names another)", directory.display()))
            .map_err(Stopped::usage)?;
        add_own(&mut files, &directory).map_err(Stopped::usage)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::forms::Forms;

    #[test]
    fn each_form_has_a_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Some(directory.path().join(name));
        std::fs::create_dir(directory.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", directory.path().join("link")).unwrap();
        let of = |html, json| {
            let forms = Forms { html, json, ..Forms::default() };
            let asked = all_asked(&Options { forms, ..Options::default() });
            asked.map(|(files, printed)| (files.len(), printed)).map_err(|error| error.to_string())
        };
        let stdout = || Some("-".into());
        assert_eq!(of(at("a"), at("b")), Ok((2, None)));
        assert_eq!(of(at("real/a"), at("a")), Ok((2, None)));
        assert_eq!(of(stdout(), at("-")), Ok((1, Some(Format::Html))));
        for (html, json) in [(at("a"), at("a")), (at("a"), at("real/../a")), (at("real/a"), at("link/a"))] {
            let error = of(html, json).unwrap_err();
            assert!(error.starts_with("`--json` and `--html` are one file, ") && error.ends_with("needs a file of its own"), "{error}");
        }
        assert_eq!(of(stdout(), stdout()).unwrap_err(), "`--json` and `--html` both go to stdout: one of them has to be a file");
    }
}
