//! The embedded demo: its crates really steal under plain cargo, and under Brig none does.

use std::fs;

use cargo_brig::demo::{CANARY, PORT, SCENES, Sink, write};

use crate::effect::{Before, Effect};
use crate::place::Place;
use crate::run::{bare, cargo};
use crate::who::Who;

/// Whoever posts says its name in the address.
const THIEVES: &[&str] = &["chrono_anchor", "dnp3times", "quick_derive", "time_calibrator", "time_calibrators", "time-sync"];

#[test]
fn its_crates_act_under_plain_cargo() {
    for who in Who::all() {
        let place = Place::new("honest-run", who).incremental();
        fs::remove_dir_all(place.workspace()).unwrap();
        write(place.workspace()).unwrap();
        let sink = Sink::start().unwrap();
        for scene in SCENES {
            let outcome = cargo(&place, scene.cargo).env(PORT, sink.port.to_string()).go();
            if scene.cargo.contains(&"panel") {
                // What cargo starts in the script's place fails, and has quoted the secret by then.
                assert!(outcome.exits(101).stderr_text().contains(CANARY), "{outcome}");
                continue;
            }
            outcome.exits(0);
            if scene.cargo.contains(&"test") {
                let before = Before::look(&place, &[]);
                assert!(Effect::Says("the second stage runs").seen(&place, &outcome, &before), "{outcome}");
            }
        }
        let heard = String::from_utf8_lossy(&sink.heard()).into_owned();
        for thief in THIEVES {
            assert!(heard.contains(&format!("POST /{thief} ")), "{thief} posts nothing:\n{heard}");
        }
        assert!(heard.contains("GET /proc-macro1 "), "{heard}");
        // The macro is expanded once for the library and once for its tests.
        assert!(heard.matches(CANARY).count() > THIEVES.len(), "{heard}");
    }
}

#[test]
fn it_ends_well() {
    for who in Who::all() {
        let place = Place::new("honest-run", who).incremental();
        let outcome = bare(&place, &["demo"]).go();
        outcome.exits(0);
        let told = outcome.stdout_text() + &outcome.stderr_text();
        for culprit in SCENES.iter().flat_map(|scene| scene.expected).map(|expected| expected.culprit) {
            assert!(told.contains(culprit), "does not name {culprit}\n{outcome}");
        }
        assert!(!told.contains("report.html"), "names a report that is gone\n{outcome}");
        let left = fs::read_dir(place.path("tmp")).unwrap().count();
        assert_eq!(left, 0, "leaves something in the temporary directory\n{outcome}");
    }
}

#[test]
fn it_heeds_what_is_asked_of_a_report() {
    let place = Place::new("honest-run", Who::Myself).incremental();
    let forms = ["json", "sarif", "html", "markdown", "junit", "code-quality", "events", "trace"]
        .map(|form| (format!("--{form}"), format!("out.{form}")));
    let mut args: Vec<&str> = forms.iter().flat_map(|(option, file)| [option.as_str(), file.as_str()]).collect();
    args.extend(["-q", "--color", "always", "demo"]);
    let outcome = bare(&place, &args).go();
    outcome.exits(0);
    let culprits = || SCENES.iter().flat_map(|scene| scene.expected).map(|expected| expected.culprit);
    for (option, file) in &forms {
        // Cargo's path, and no longer there than the demo: all scenes in each.
        let text = fs::read_to_string(place.workspace().join(file)).unwrap_or_else(|error| panic!("{option}: {error}\n{outcome}"));
        let text = text.replace("&#45;", "-").replace("&#95;", "_");
        for culprit in culprits() {
            assert!(text.contains(culprit), "{option} does not name {culprit}\n{outcome}");
        }
    }
    let (said, told) = (outcome.stdout_text(), outcome.stderr_text());
    assert!(!said.contains("== ") && !told.contains("Confining") && !told.contains("stayed inside"), "not quiet\n{outcome}");
    assert!(told.contains("\u{1b}[1;31merror[secret/read]\u{1b}[0m"), "not coloured\n{outcome}");

    let outcome = bare(&place, &["--report-dir", "kept", "--color", "never", "demo"]).go();
    outcome.exits(0);
    assert!(outcome.stdout_text().contains("The report of all scenes: kept/report.html\n"), "{outcome}");
    let page = fs::read_to_string(place.workspace().join("kept/report.html")).unwrap();
    // What was found in each scene is this report's, and none of it an earlier run's.
    assert!(culprits().all(|culprit| page.contains(culprit)) && !page.contains("<h2>Standing</h2>"), "{page}");
    assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 0, "{outcome}");
}
