//! `suggest`: the smallest exceptions that would have let the last run be clean. In: the last report. Out: entries for `brig.toml`, each with its evidence; the
//! command that writes them; what is never proposed, and what is granted and was not needed.

use std::fmt::Write as _;

use super::amending::from_findings;
use super::pages::print;
use super::stopped::Stopped;
use super::stored::report_of;
use crate::cli::Options;
use crate::cli::exceptions::Allow;
use crate::cli::reports::Of;
use crate::model::report::{Report, VerdictWord};
use crate::model::{ExceptionState, Exit, Finding, Reach, Severity};
use crate::plan::exceptions::edit::Wish;
use crate::report::{escape, terminal};

/// # Errors
/// Where there is no report to go by.
pub fn suggest(options: &Options, of: &Of) -> Result<Exit, Stopped> {
    let report = report_of(options, of)?;
    print(&text(&report)?)
}

fn text(report: &Report) -> Result<String, Stopped> {
    let loud = || report.findings.iter().filter(|finding| finding.severity > Severity::Info);
    let is_proposed =
        |finding: &&Finding| finding.severity < Severity::Critical && finding.except.as_ref().is_some_and(|except| !except.secret);
    let ids: Vec<String> = loud().filter(is_proposed).map(|finding| finding.id.clone()).collect();
    let mut text = String::new();
    if report.outcome.verdict == VerdictWord::NotRun {
        let command = report.run.command.iter().map(escape::plain).collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "# nothing ran (`{command}`): nothing is known of what it needs, and nothing is proposed");
        if !report.standing.is_empty() {
            let list = Reach { run: None, file: None, ..report.reach.clone() };
            let (list, one) = (list.command("report --list"), list.command("suggest --run ID"));
            let _ = writeln!(
                text,
                "# findings of earlier runs stand: `{}` names the runs, `{}` goes by one",
                escape::ours(&list),
                escape::ours(&one)
            );
        }
        return Ok(text);
    }
    if !ids.is_empty() {
        let typed = Allow { from: ids.clone(), reason: "…".to_owned(), ..Allow::default() };
        for wish in from_findings(report, &typed)? {
            for finding in loud().filter(is_proposed).filter(|finding| is_for(finding, &wish)) {
                let _ = writeln!(text, "# {}", escape::ours(&format!("{}: {}, {}", finding.id, finding.rule.id(), finding.reason)));
            }
            let entry: String = wish.text().trim().lines().map(|line| format!("{}\n", escape::ours(line))).collect();
            let _ = writeln!(text, "{entry}");
        }
        let command = report.reach.writing(&format!("allow --from {} --reason …", ids.join(" ")));
        let _ = writeln!(text, "# `{}` writes this into brig.toml", escape::ours(&command));
    }
    for finding in loud().filter(|finding| !is_proposed(finding)) {
        let why = match &finding.except {
            _ if finding.severity == Severity::Critical => "critical",
            Some(_) => "a secret: to be named by whoever means it",
            None => "no exception reaches it, or whoever did it did something critical besides",
        };
        let _ = writeln!(text, "# not proposed: {}", escape::ours(&format!("{} ({}): {why}", finding.id, finding.rule.id())));
    }
    // Only where everything ran is it known.
    let full = report.coverage.fresh == Some(0) && report.coverage.complete;
    for one in report.exceptions.iter().filter(|one| full && one.state == ExceptionState::Unused) {
        let exception = &one.exception;
        let _ = writeln!(text, "# not needed: {}", escape::ours(&format!("the exception for {} ({})", exception.whom, exception.origin)));
    }
    let kept = terminal::kept_lines(report);
    if !kept.is_empty() {
        text.push_str("# kept without alarm from what failed; whether it failed because of that, nobody can know:\n");
        // Whatever is in them was escaped there.
        kept.iter().for_each(|line| text.push_str(&format!("#   {line}\n")));
    }
    if text.is_empty() {
        let whole = report.outcome.cargo_exit == Some(0) && report.coverage.complete;
        text.push_str(if whole { "# that run needs no exceptions\n" } else { "# that run, as far as it came, needs no exceptions\n" });
    }
    Ok(text)
}

fn is_for(finding: &Finding, wish: &Wish) -> bool {
    finding.except.as_ref().is_some_and(|except| except.whom == wish.whom && except.actor == wish.actor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActorId, Status};
    use crate::report::samples::*;
    use crate::report::{Facts, assemble};

    #[test]
    fn what_was_kept_from_who_failed_is_no_need_of_nothing() {
        let mut material = material();
        let failed = Facts { cargo_exit: Some(101), ..facts() };
        let of = |material: &_| text(&assemble(material, &failed, &Graph)).unwrap();
        assert_eq!(of(&material), "# that run, as far as it came, needs no exceptions\n");
        material.behaviours = vec![did(TESTS, read("/opt/data"), Status::Refused, 2)];
        material.failed = [ActorId(TESTS)].into();
        let said = of(&material);
        assert!(said.starts_with("# kept without alarm from what failed; "), "{said}");
        assert!(said.contains("\n#   tests of `app` 0.1.0 failed, and tried to read `/opt/data` — refused; brig.toml: "), "{said}");
        assert!(said.lines().all(|line| line.starts_with('#')) && !said.contains("needs no exceptions"), "{said}");
    }
}
