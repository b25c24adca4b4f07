//! What is said of exceptions, in each channel; hostile text in them is only text.

use super::*;
use crate::model::exception::Exception;
use crate::model::{ActorKind, Mode};
use crate::report::samples::{Graph, facts, material};
use crate::report::terminal::{Style, Verbosity};
use crate::report::{Format, assemble, terminal};

fn exception(whom: &str, state: ExceptionState, count: u64, days: Option<u64>) -> ExceptionUse {
    let exception = Exception {
        whom: whom.into(),
        actor: ActorKind::BuildScript,
        grants: vec!["connect h.example:443".into()],
        reason: "looked at".into(),
        expires: if days.is_some() || state == ExceptionState::Expired { "2026-01-31".into() } else { "never".into() },
        by: None,
        origin: "brig.toml:4".into(),
        wide: false,
    };
    ExceptionUse { exception, state, count, days, instead: None }
}

fn report(exceptions: Vec<ExceptionUse>) -> Report {
    let mut material = material();
    material.exceptions = exceptions;
    assemble(&material, &facts(), &Graph)
}

fn text(report: &Report, verbosity: Verbosity) -> String {
    let mut out = Vec::new();
    terminal::after(&mut out, report, None, Style { color: false, verbosity, width: None }).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn each_state_is_told_as_it_is() {
    for (one, said) in [
        (exception("x@1.0.0", ExceptionState::Used, 2, None), vec!["stayed inside profile `default`, with 1 exception (`x@1.0.0`)"]),
        (
            exception("x@1.0.0", ExceptionState::Unused, 0, Some(15)),
            vec!["note[policy/unused]: the exception for `x@1.0.0` (build-script, `brig.toml:4`) was not used in this run"],
        ),
        (
            exception("x@1.0.0", ExceptionState::Used, 1, Some(14)),
            vec!["note[policy/expired]: the exception for `x@1.0.0` (build-script, `brig.toml:4`) expires in 14 days (`2026-01-31`)"],
        ),
        (
            exception("x@1.0.0", ExceptionState::Expired, 0, None),
            vec![
                "warning[policy/expired]: the exception for `x@1.0.0` (build-script, `brig.toml:4`) expired on `2026-01-31` and does not count",
            ],
        ),
        (
            exception("x@1.0.0", ExceptionState::Absent, 0, None),
            vec!["note[policy/unused]: the exception for `x@1.0.0`", "no package in Cargo.lock"],
        ),
        (exception("x@1.0.0", ExceptionState::NotReached, 0, None), vec![]),
    ] {
        let state = one.state;
        let out = text(&report(vec![one]), Verbosity::Normal);
        for part in &said {
            assert!(out.contains(part), "{state:?}: no {part} in\n{out}");
        }
        assert_eq!(out.contains("[policy/"), said.iter().any(|part| part.contains("[policy/")), "{state:?}\n{out}");
    }
}

#[test]
fn unused_is_said_after_full_runs_only() {
    let unused = || vec![exception("x@1.0.0", ExceptionState::Unused, 0, None)];
    let mut partly = report(unused());
    partly.coverage.fresh = Some(1);
    let mut failed = report(unused());
    failed.outcome.cargo_exit = Some(101);
    let mut unknown = report(unused());
    unknown.coverage.fresh = None;
    for report in [partly, failed, unknown] {
        assert!(notes(&report).is_empty());
    }
    assert_eq!(notes(&report(unused())).len(), 1);
}

#[test]
fn what_is_wide_is_told_and_changes_no_verdict() {
    let mut wide = exception("x", ExceptionState::Used, 1, None);
    wide.exception.wide = true;
    let report = report(vec![wide, exception("y@1.0.0", ExceptionState::Expired, 0, None)]);
    assert_eq!(report.outcome.exit_code, 0);
    assert_eq!(report.run.mode, Mode::Enforce);
    let out = text(&report, Verbosity::Normal);
    assert!(out.contains("note[policy/too-wide]: the exception for `x`"), "{out}");
    assert!(!text(&report, Verbosity::Quiet).contains("too-wide") && text(&report, Verbosity::Quiet).contains("warning[policy/expired]"));
}

#[test]
fn hostile_text_is_text_in_every_channel() {
    let attack = "</code><script>x</script>\x1b[2K\u{202e}\n::error::y|`";
    let mut hostile = exception(attack, ExceptionState::Used, 1, Some(3));
    hostile.exception.grants = vec![attack.into()];
    (hostile.exception.reason, hostile.exception.origin, hostile.exception.expires) = (attack.into(), attack.into(), attack.into());
    let report = report(vec![hostile]);
    for format in [Format::Html, Format::Markdown, Format::Sarif] {
        let mut out = Vec::new();
        format.write(&report, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("xception"), "{format:?} says nothing of it");
        assert!(!out.contains(['\x1b', '\u{202e}']) && !out.lines().any(|line| line.starts_with("::")), "{format:?}\n{out}");
        let ours = usize::from(format == Format::Html);
        assert!(format == Format::Sarif || out.matches("<script").count() == ours, "{format:?}\n{out}");
    }
    let out = text(&report, Verbosity::Verbose);
    assert!(!out.contains(['\x1b', '\u{202e}']) && !out.lines().any(|line| line.starts_with("::")), "{out}");
}
