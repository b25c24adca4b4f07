//! A stored report that nobody of ours wrote: what fuzzing found in it, one by one.

use super::samples::*;
use super::*;
use crate::model::report::Report;
use crate::model::{Act, ActorId, ActorKind, Hostile, Rule, Severity, Status};

fn forged(change: impl FnOnce(&mut Report)) -> Report {
    let mut material = stolen_env();
    material.behaviours = vec![did(BUILD, Act::Create { path: "/x".into() }, Status::Allowed, 2)];
    material.breaches.push(breach(RUSTC, 902, read("/home/u/.ssh/id"), Rule::SecretRead, Severity::High));
    let mut report = assemble(&material, &facts(), &Graph);
    change(&mut report);
    report
}

/// In every form there is.
fn shown(report: &Report) -> String {
    let mut out = Vec::new();
    for format in Format::ALL {
        format.write(report, &mut out).unwrap();
    }
    let style = terminal::Style { color: false, verbosity: terminal::Verbosity::Verbose, width: None };
    terminal::before(&mut out, &report.run, &report.enforcement, style).unwrap();
    terminal::after(&mut out, report, None, style).unwrap();
    markdown::annotations(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_role_is_one_of_ours_or_none() {
    let report = forged(|report| {
        for actor in &mut report.actors {
            (actor.kind, actor.role) = (ActorKind::Program, Some("tests of <script>\n::error::x\x1b[2K".into()));
        }
    });
    let mut page = Vec::new();
    html::write(&report, &mut page).unwrap();
    assert_eq!(String::from_utf8(page).unwrap().matches("<script>").count(), 1, "besides our own");
    let shown = shown(&report);
    assert!(!shown.contains('\x1b') && !shown.lines().any(|line| line.starts_with("::error::")), "{shown}");
    assert!(shown.contains("program of `quickfetch-sys`"));
}

#[test]
fn macros_that_host_each_other_lead_in_no_circle() {
    let report = forged(|report| {
        let ids: Vec<ActorId> = report.actors.iter().map(|actor| actor.id).collect();
        for (at, actor) in report.actors.iter_mut().enumerate() {
            (actor.kind, actor.host) = (ActorKind::ProcMacro, Some(ids[(at + 1) % ids.len()]));
        }
    });
    assert!(shown(&report).contains("proc-macro `quickfetch-sys` 0.3.2 tried to read"));
}

#[test]
fn counts_beyond_counting_stay_at_the_end() {
    let report = forged(|report| {
        report.processes_truncated = u64::MAX;
        report.findings.iter_mut().for_each(|finding| finding.truncated = u64::MAX);
        report.run.mode = crate::model::Mode::Observe;
        report.findings.iter_mut().for_each(|finding| finding.status = Status::Observed);
    });
    assert!(shown(&report).contains("and 18446744073709551615 more"));
}

#[test]
fn json_that_is_shown_commands_nobody() {
    let report = forged(|report| {
        report.tool.name = "\u{9b}2K##[error]x".into();
        report.findings[0].fingerprint = "\u{202e}##[add-path]/tmp".into();
        report.run.command.push(Hostile::from("\u{2066}\u{7f}"));
    });
    let shown = shown(&report);
    assert!(!shown.contains("##[") && !shown.contains(['\u{9b}', '\u{202e}', '\u{2066}', '\u{7f}']), "{shown}");
    let mut stored = Vec::new();
    json::write(&report, &mut stored).unwrap();
    assert_eq!(json::parse(&stored).unwrap(), report);
}
