//! In which forms a report is asked for, and where, for clap to read.

use std::path::{Path, PathBuf};

use crate::report::Format;

/// Their names, for what stands against all of them.
pub const NAMES: [&str; Format::ALL.len()] =
    ["json", "sarif", "html", "markdown", "junit", "code_quality", "events", "trace", "in_toto", "egress"];

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Forms {
    /// Also write the report as JSON to this file
    #[arg(long, value_name = "F", global = true)]
    pub json: Option<PathBuf>,
    /// … as SARIF 2.1.0, for code scanning
    #[arg(long, value_name = "F", global = true)]
    pub sarif: Option<PathBuf>,
    /// … as one offline HTML page
    #[arg(long, value_name = "F", global = true)]
    pub html: Option<PathBuf>,
    /// … as Markdown, for a job summary
    #[arg(long, value_name = "F", global = true)]
    pub markdown: Option<PathBuf>,
    /// … as JUnit XML: a case for each crate in each program that its code ran in
    #[arg(long, value_name = "F", global = true)]
    pub junit: Option<PathBuf>,
    /// … as GitLab's code quality report
    #[arg(long, value_name = "F", global = true)]
    pub code_quality: Option<PathBuf>,
    /// … as JSON Lines: what happened, in order of time
    #[arg(long, value_name = "F", global = true)]
    pub events: Option<PathBuf>,
    /// … as a trace that Perfetto and Chrome open
    #[arg(long, value_name = "F", global = true)]
    pub trace: Option<PathBuf>,
    /// … as an in-toto Statement, to be signed: which programs ran, and where they connected to
    #[arg(long, value_name = "F", global = true)]
    pub in_toto: Option<PathBuf>,
    /// … as a list for an egress firewall: which crate needs which host
    #[arg(long, value_name = "F", global = true)]
    pub egress: Option<PathBuf>,
}

impl Forms {
    /// The files asked for, each with its format.
    pub fn outputs(&self) -> Vec<(Format, &Path)> {
        let asked = Format::ALL.into_iter().zip(self.paths());
        asked.filter_map(|(format, path)| Some((format, path.as_deref()?))).collect()
    }

    /// In the order of [`Format::ALL`].
    fn paths(&self) -> [&Option<PathBuf>; Format::ALL.len()] {
        let Forms { json, sarif, html, markdown, junit, code_quality, events, trace, in_toto, egress } = self;
        [json, sarif, html, markdown, junit, code_quality, events, trace, in_toto, egress]
    }

    fn paths_mut(&mut self) -> [&mut Option<PathBuf>; Format::ALL.len()] {
        let Forms { json, sarif, html, markdown, junit, code_quality, events, trace, in_toto, egress } = self;
        [json, sarif, html, markdown, junit, code_quality, events, trace, in_toto, egress]
    }

    /// What was not typed, by its variable: `--code-quality` is `BRIG_CODE_QUALITY`.
    pub fn fill(&mut self, path: impl Fn(&str) -> Option<PathBuf>) {
        for (format, typed) in Format::ALL.into_iter().zip(self.paths_mut()) {
            // Also where it was typed: a bad variable should not wait for its day.
            let given = path(&variable(format));
            *typed = typed.take().or(given);
        }
    }
}

/// The variable of a form's option.
fn variable(format: Format) -> String {
    format!("BRIG_{}", format.option().trim_start_matches('-').replace('-', "_").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three lists of the same things, in the same order.
    #[test]
    fn each_form_has_an_option_and_a_variable() {
        let mut forms = Forms::default();
        forms.fill(|variable| Some(PathBuf::from(variable)));
        for (((format, path), name), listed) in forms.outputs().into_iter().zip(NAMES).zip(Format::ALL) {
            assert_eq!((format.option(), format), (format!("--{}", name.replace('_', "-")).as_str(), listed));
            assert_eq!(path, Path::new(&format!("BRIG_{}", name.to_ascii_uppercase())));
            assert!(super::super::variables::NAMES.contains(&path.to_str().unwrap()));
        }
        assert_eq!(forms.outputs().len(), NAMES.len());
        let typed = Forms { trace: Some("t".into()), ..Forms::default() };
        let mut both = typed.clone();
        both.fill(|name| (name == "BRIG_TRACE").then(|| "v".into()));
        assert_eq!(both, typed, "what is typed wins");
    }
}
