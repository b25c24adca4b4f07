//! The command that a finding prints is worth being followed: it is followed here, and what was refused passes without a finding. Where none would help, none is
//! printed.

use std::fs;

use crate::finding::{expect_silence, violations};
use crate::place::Place;
use crate::run::{Outcome, Run, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

/// The last word is another one each time, so that all of it runs again.
fn does<'a>(place: &Place, run: Run<'a>, (by, case): (&str, &str), time: &str) -> Run<'a> {
    let source = place.workspace().join("src/lib.rs");
    place.write(&source, &format!("//! Needs both. {time}\n\nwriter::write!();\n"));
    run.env("ZOO_WHO", by).env("ZOO_CASE", case).env("ZOO_TIME", time).compared()
}

fn undo(place: &Place) {
    let (workspace, target) = (place.workspace(), place.target());
    for path in [workspace.join("made.txt"), workspace.join("links/one"), target.join("cxxbridge"), workspace.join("brig.toml")] {
        fs::remove_file(path).ok();
    }
    for one in fs::read_dir(target.join("debug/build")).into_iter().flatten().flatten() {
        fs::remove_file(one.path().join("out/made.txt")).ok();
    }
}

fn says(outcome: &Outcome, words: &str) {
    assert!(outcome.stderr_text().contains(words), "no {words}\n{outcome}");
}

#[test]
fn a_command_that_is_printed_helps() {
    for who in Who::all() {
        let place = Place::new("offered", who);
        let report = place.path("report");
        for (case, offered) in [("file", true), ("link", true), ("results", true), ("root", false), ("listing", false)] {
            for by in ["build-script", "proc-macro"] {
                let what = format!("{case} by {by}");
                fs::create_dir_all(place.workspace().join("links")).unwrap();
                says(does(&place, cargo(&place, BUILD), (by, case), &format!("plain {what}")).go().exits(0), "did it");
                undo(&place);
                let refused = does(&place, guarded(&place, &[], BUILD), (by, case), &format!("refused {what}")).go();
                says(refused.exits(100), "could not");
                let finding = violations(refused.report()).next().unwrap().clone();
                assert_eq!(finding["except"].is_object(), offered, "{what}\n{refused}");
                assert_eq!(refused.stderr_text().contains("expected? `cargo"), offered, "{what}\n{refused}");
                if !offered {
                    assert!(!finding["allow"].is_string(), "{what}: {}", finding["allow"]);
                    continue;
                }
                bare(&place, &["--report-dir", report.to_str().unwrap(), "allow", "--from", "F1", "--reason", "looked at"]).go().exits(0);
                let allowed = does(&place, guarded(&place, &[], BUILD), (by, case), &format!("allowed {what}")).go();
                says(allowed.exits(0), "did it");
                expect_silence(&allowed);
                undo(&place);
            }
        }
    }
}
