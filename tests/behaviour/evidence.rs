//! What one run found, and the next runs do not look at again: it stays known, in every form, until the same code has run again.

use std::fs;

use serde_json::Value;

use crate::effect::spilled;
use crate::place::Place;
use crate::run::{Outcome, bare, cargo, guarded};
use crate::who::Who;

const THIEF: &str = "fn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    \
    let home = std::path::PathBuf::from(std::env::var(\"HOME\").unwrap());\n    \
    let key = std::fs::read(home.join(\".ssh/id_ed25519\")).unwrap_or_default();\n    \
    std::fs::write(std::path::Path::new(&std::env::var(\"OUT_DIR\").unwrap()).join(\"key\"), key).unwrap();\n}\n";

/// Two thieves: a build script, and a library that waits for a test.
fn place(who: Who) -> Place {
    let place = Place::new("honest-run", who);
    let workspace = place.workspace().to_owned();
    fs::remove_dir_all(&workspace).unwrap();
    let package = |name: &str, more: &str| format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
    let needs = "[dependencies]\nscripted = { path = \"scripted\" }\nwaiting = { path = \"waiting\" }\n[workspace]\n";
    place.write(&workspace.join("Cargo.toml"), &package("app", needs));
    place.write(&workspace.join("src/lib.rs"), "#[test]\nfn it() { waiting::check() }\n#[test]\nfn other() {}\n");
    place.write(&workspace.join("scripted/Cargo.toml"), &package("scripted", ""));
    place.write(&workspace.join("scripted/src/lib.rs"), "");
    place.write(&workspace.join("scripted/build.rs"), THIEF);
    place.write(&workspace.join("waiting/Cargo.toml"), &package("waiting", ""));
    let check = "pub fn check() { println!(\"{}\", std::fs::read_to_string(\".env\").unwrap_or_default()) }\n";
    place.write(&workspace.join("waiting/src/lib.rs"), check);
    place.write(&workspace.join(".env"), &format!("ZOO_SECRET={}-dotenv\n", place.canary));
    place
}

/// The crates whose findings stand from earlier runs, with their numbers.
fn standing(outcome: &Outcome) -> Vec<(String, String)> {
    let all = outcome.report()["standing"].as_array().cloned().unwrap_or_default();
    let findings = all.iter().flat_map(|one| one["findings"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings.map(|finding| (text(&finding["id"]), text(&finding["offender"]["name"]))).collect()
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
}

/// Commands about the report, as they were printed: each finds it.
fn pasted(place: &Place, told: &str) {
    let printed: Vec<&str> =
        told.split('`').filter(|text| text.starts_with("cargo brig ")).filter(|text| !text.contains("--fresh")).collect();
    assert!(!printed.is_empty(), "{told}");
    for command in printed {
        let words: Vec<&str> = command.split(' ').skip(2).collect();
        bare(place, &words).go().exits(0);
    }
}

/// Each act once, before cargo has come to its end; what is found is the same.
#[test]
fn acts_are_told_as_they_happen() {
    for who in Who::all() {
        let place = place(who);
        let live = guarded(&place, &["--live"], &["test", "--offline"]).go();
        let told = live.exits(100).stderr_text();
        let lines = ["Refused build script of `scripted` 0.1.0", "(on its stack: `waiting`, `app`) tried to read `"];
        let at = lines.map(|line| told.find(line).unwrap_or_else(|| panic!("not {line:?}\n{live}")));
        // Cargo's last word, and the report.
        let (finished, report) = (told.find("Doc-tests").expect("cargo's own words"), told.find("error[secret/read]").expect("the report"));
        assert!(at[0] < finished && at[1] < report && finished < report, "{live}");
        assert_eq!(told.matches(" tried to read `").count(), 2 + told[report..].matches(" tried to read `").count(), "{live}");
        assert!(told.contains(".env` [secret/read]\n"), "{live}");
        let silent = guarded(&place, &["-q"], &["test", "--offline"]).env("BRIG_LIVE", "1").go();
        assert!(!silent.stderr_text().contains("[secret/read]\n"), "{silent}");
    }
}

#[test]
fn no_later_run_erases_it() {
    for who in Who::all() {
        let control = place(who);
        let plain = cargo(&control, &["test", "--offline", "--", "--nocapture"]).go();
        assert!(spilled(&control, plain.exits(0)).len() > 1, "plain cargo: the keys are not stolen\n{plain}");

        let place = place(who);
        let report_dir = place.path("report");
        let report_dir = report_dir.to_str().unwrap();
        let found = guarded(&place, &[], &["test", "--offline"]).go();
        assert_eq!(found.exits(100).report()["findings"].as_array().unwrap().len(), 2, "{found}");
        let both = named(&[("F1", "scripted"), ("F2", "waiting")]);

        // Nothing runs: because all is fresh, because cargo cannot, because it does something else.
        let log = place.path("run/log.sarif");
        let page = place.path("run/page.html");
        let options = ["--sarif", log.to_str().unwrap(), "--html", page.to_str().unwrap()];
        for (args, code) in [(&["build", "--offline"][..], 0), (&["test", "--offline", "--no-run"], 0), (&["buidl"], 101)] {
            let warm = guarded(&place, &options, args).go();
            assert_eq!(warm.exits(code).report()["outcome"]["verdict"], "not-run", "{warm}");
            assert_eq!(standing(&warm), both, "{warm}");
            let told = warm.stderr_text();
            assert!(told.contains("Standing 2 findings of 2 crates") && told.contains("explain F1"), "{warm}");
            pasted(&place, &told);
            let log: Value = serde_json::from_slice(&fs::read(&log).unwrap()).unwrap();
            let run = &log["runs"][0];
            assert_eq!(run["results"].as_array().unwrap().len(), 2, "{log:#}");
            assert_eq!(run["invocations"][0]["executionSuccessful"], false, "{log:#}");
            let notes = run["invocations"][0]["toolExecutionNotifications"].to_string();
            assert!(notes.contains("nothing ran") && notes.contains("2 findings from the run of"), "{notes}");
            assert!(fs::read_to_string(&page).unwrap().contains("did not run again since"), "{warm}");
        }
        let explained = bare(&place, &["--report-dir", report_dir, "explain", "F1"]).go();
        let text = explained.exits(0).stdout_text();
        assert!(text.contains("build script of `scripted` 0.1.0 tried to read `{home}/.ssh/id_ed25519`"), "{explained}");

        // Some of it runs again: one test that is not the thief's, then all tests.
        let part = guarded(&place, &[], &["test", "--offline", "other"]).go();
        assert_eq!(part.exits(0).report()["outcome"]["verdict"], "clean", "{part}");
        assert_eq!(standing(&part), both, "{part}");
        place.write(&place.workspace().join("waiting/src/lib.rs"), "pub fn check() {}\n");
        let tests = guarded(&place, &[], &["test", "--offline"]).go();
        assert_eq!(standing(tests.exits(0)), named(&[("F1", "scripted")]), "{tests}");
        // The script runs again, and steals no more.
        place.write(&place.workspace().join("scripted/build.rs"), "fn main() {}\n");
        let honest = guarded(&place, &[], &["build", "--offline"]).go();
        assert_eq!(standing(honest.exits(0)), [], "{honest}");

        // All of them are kept, and each can be shown.
        let list = bare(&place, &["--report-dir", report_dir, "report", "--list"]).go();
        let list = list.exits(0).stdout_text();
        assert_eq!(list.lines().count(), 7, "{list}");
        let oldest = list.lines().last().unwrap();
        assert!(oldest.contains("violation") && oldest.contains("cargo test --offline: 2 findings"), "{list}");
        let id = oldest.split(' ').next().unwrap();
        let again = bare(&place, &["--report-dir", report_dir, "report", "--run", id, "--json", "-"]).go();
        let again: Value = serde_json::from_slice(&again.exits(0).stdout).unwrap();
        assert_eq!(again["findings"], found.report()["findings"]);
        let none = bare(&place, &["--report-dir", report_dir, "report", "--run", "../report"]).go();
        assert!(none.exits(2).stderr_text().contains("there is no run `../report`"), "{none}");
    }
}

/// A package that has left the lock file runs no more: nobody needs to look at it.
/// A repository may bring files along that look like reports: the newest by its name, and nothing was found.
#[test]
fn no_file_of_the_repository_takes_it_back() {
    for who in Who::all() {
        let place = place(who);
        let found = guarded(&place, &[], &["test", "--offline"]).go();
        let both = named(&[("F1", "scripted"), ("F2", "waiting")]);
        let mut forged = found.exits(100).report().clone();
        let id = "99999999-999999";
        forged["run"]["id"] = id.into();
        (forged["findings"], forged["standing"]) = (Value::Array(vec![]), Value::Array(vec![]));
        let directory = place.path("report");
        place.write(&directory.join("runs").join(id).with_extension("json"), &forged.to_string());
        for args in [&["init", "-q"][..], &["add", "runs/99999999-999999.json"]] {
            let mut git = std::process::Command::new("git");
            place.environment(&mut git);
            place.who.apply(&mut git);
            assert!(git.args(args).current_dir(&directory).status().unwrap().success());
        }
        for _ in 0..2 {
            let warm = guarded(&place, &[], &["build", "--offline"]).go();
            assert_eq!(standing(warm.exits(0)), both, "{warm}");
        }
        // What git does not keep is a run's.
        fs::remove_dir_all(directory.join(".git")).unwrap();
        fs::rename(directory.join("runs").join(id).with_extension("json"), directory.join("runs/99999999-999999-99.json")).unwrap();
        let warm = guarded(&place, &[], &["build", "--offline"]).go();
        assert_eq!(standing(warm.exits(0)), [], "{warm}");
    }
}

#[test]
fn who_left_the_build_is_let_go() {
    let place = place(Who::Myself);
    guarded(&place, &[], &["build", "--offline"]).go().exits(100);
    let manifest = place.workspace().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap().replace("scripted = { path = \"scripted\" }\n", "");
    place.write(&manifest, &text);
    fs::remove_dir_all(place.workspace().join("scripted")).unwrap();
    let without = guarded(&place, &[], &["build", "--offline"]).go();
    assert_eq!(standing(without.exits(0)), [], "{without}");
}

/// Every step of a job has one summary, whatever runs in it: Brig is not alone there.
#[test]
fn the_summary_of_a_job_is_added_to() {
    for who in Who::all() {
        let place = place(who);
        let summary = place.path("run/summary");
        let path = summary.to_str().unwrap();
        place.write(&summary, "# Before\n");
        guarded(&place, &["--markdown", path], &["test", "--offline"]).env("GITHUB_STEP_SUMMARY", path).go().exits(100);
        let text = fs::read_to_string(&summary).unwrap();
        assert!(text.starts_with("# Before\n\n## Brig: violation\n"), "{text}");
        // By another name, by the variable, and when a report is shown again.
        let other = place.workspace().join("../../run/summary");
        let warm = guarded(&place, &[], &["build", "--offline"]).env("GITHUB_STEP_SUMMARY", path).env("BRIG_MARKDOWN", other.as_os_str());
        warm.go().exits(0);
        let args = ["--report-dir", place.path("report").to_str().unwrap(), "report", "--markdown", path].map(str::to_owned);
        let again = bare(&place, &args.each_ref().map(String::as_str)).env("GITHUB_STEP_SUMMARY", path).go();
        again.exits(0);
        let text = fs::read_to_string(&summary).unwrap();
        assert_eq!((text.matches("# Before").count(), text.matches("## Brig: ").count()), (1, 3), "{text}");
        // Any other file is the report and nothing else.
        let own = place.path("run/own.md");
        place.write(&own, "# Before\n");
        let options = ["--markdown", own.to_str().unwrap()];
        guarded(&place, &options, &["build", "--offline"]).env("GITHUB_STEP_SUMMARY", path).go().exits(0);
        assert!(fs::read_to_string(&own).unwrap().starts_with("## Brig: "));
    }
}
