//! The lock of behaviours, `brig.lock`: what a build script and a macro of others did is accepted, an update that does more is told or kept from running, and the
//! file is one that can be merged. The packages lie in a vendored tree in the registry's place.

use std::fs;
use std::path::Path;

use crate::finding::expect_silence;
use crate::place::Place;
use crate::run::{Outcome, Run, bare, cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const FIXTURE: &str = "vendored";
const HEAD: &str = "brig-lock 2\n";

fn does<'a>(run: Run<'a>, acts: &str) -> Run<'a> {
    run.env("ZOO_ACTS", acts).compared()
}

/// `cargo brig baseline …`, about the last run.
fn baseline(place: &Place, words: &[&str]) -> Outcome {
    let report = place.path("home/kept");
    bare(place, &[&["--report-dir", report.to_str().unwrap(), "baseline"], words].concat()).go()
}

/// A run, its report kept where the next one does not write.
fn built(place: &Place, options: &[&str], acts: &str) -> Outcome {
    let outcome = does(guarded(place, options, BUILD), acts).go();
    fs::create_dir_all(place.path("home/kept")).unwrap();
    fs::copy(place.path("report/report.json"), place.path("home/kept/report.json")).unwrap();
    outcome
}

fn lock(place: &Place) -> String {
    fs::read_to_string(place.workspace().join("brig.lock")).unwrap()
}

fn lines(place: &Place) -> Vec<String> {
    let text = lock(place);
    text.split_once(HEAD).unwrap().1.lines().map(str::to_owned).collect()
}

/// The package turns into its next version, with another checksum.
fn update(place: &Place, name: &str, from: &str, to: &str) {
    let dir = place.workspace().join("vendor").join(name);
    let replace = |file: &Path, from: &str, to: &str| fs::write(file, fs::read_to_string(file).unwrap().replace(from, to)).unwrap();
    replace(&dir.join("Cargo.toml"), &format!("\"{from}\""), &format!("\"{to}\""));
    fs::write(
        dir.join(".cargo-checksum.json"),
        format!("{{\"files\":{{}},\"package\":\"{:064x}\"}}", to.len() + usize::from(to.as_bytes()[4])),
    )
    .unwrap();
    cargo(place, &["update", "--offline", "--quiet"]).go().exits(0);
}

/// Rules of all findings with the package each names.
fn rules(outcome: &Outcome) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let findings = outcome.report()["findings"].as_array().into_iter().flatten();
    findings.map(|finding| (text(&finding["rule"]), text(&finding["offender"]["name"]))).collect()
}

fn rule(rule: &str, name: &str) -> (String, String) {
    (rule.to_owned(), name.to_owned())
}

/// Has the script read what it was to read, in the last build it ran in?
pub fn reads(place: &Place) -> bool {
    let scripts = fs::read_dir(place.workspace().join("target/debug/build")).unwrap().flatten();
    let said: Vec<String> = scripts.filter_map(|one| fs::read_to_string(one.path().join("out/reads")).ok()).collect();
    assert_eq!(said.len(), 1, "one script says whether it could: {said:?}");
    said[0] == "true"
}

#[test]
fn what_was_accepted_may_be_built_and_an_update_that_does_more_may_not() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        // Plain cargo builds whatever comes.
        does(cargo(&place, BUILD), "exec,read").go().exits(0);
        place.clean();
        // Without a lock nothing is asked for.
        expect_silence(built(&place, &["--policy", "ci"], "exec,read").exits(0));
        let said = baseline(&place, &["accept"]);
        assert!(said.exits(0).stdout_text().starts_with("accepted in brig.lock:\n    given 0.1.0 build-script\n"), "{said}");
        let first = lines(&place);
        let pin = format!("{:064}", 1);
        assert_eq!(
            first,
            [
                format!("given build-script 0.1.0 {pin} ran {}-linux -", std::env::consts::ARCH),
                "given build-script does exec echo".into(),
                "given build-script does read {workspace}/data/one.txt".into(),
                format!("given_macro proc-macro 0.1.0 {pin} ran {}-linux -", std::env::consts::ARCH),
                format!("tool library 0.1.0 {pin}"),
            ],
            "{}",
            lock(&place)
        );
        assert!(baseline(&place, &["check"]).exits(0).stdout_text().contains("2, of which 2 were seen to run; and 1 libraries"));
        place.again();
        expect_silence(built(&place, &["--policy", "ci"], "exec,read").exits(0));
        // An update: nobody has looked at it. Under `ci` it does not run; under `default` it is told.
        update(&place, "given", "0.1.0", "0.1.1");
        place.again();
        let held = does(guarded(&place, &["--policy", "ci"], BUILD), "exec,read,read-more").go();
        assert_eq!(rules(held.exits(102)), [rule("baseline/unaccepted", "given")], "{held}");
        assert!(!held.stderr_text().contains("Compiling"), "{held}");
        for said in [
            "package `given` 0.1.1 runs code at build time that nobody has accepted",
            "its build script: 0.1.0 was accepted (brig.lock)",
            "Stopped 1 build script or macro must be accepted",
        ] {
            assert!(held.stderr_text().contains(said), "no {said}\n{held}");
        }
        fs::copy(place.path("home/kept/report.json"), place.path("home/first.json")).unwrap();
        // Where cargo makes the lock file itself, nobody can tell before: it ends where that code is to run.
        fs::remove_file(place.workspace().join("Cargo.lock")).unwrap();
        let late = does(guarded(&place, &["--policy", "ci"], BUILD), "write").go();
        assert_eq!(rules(late.exits(102)), [rule("baseline/unaccepted", "given")], "{late}");
        assert!(!place.workspace().join("data/made.txt").exists(), "{late}");
        place.again();
        let told = built(&place, &[], "exec,read,read-more");
        assert_eq!(rules(told.exits(0)), [rule("baseline/new", "given")], "{told}");
        for said in [
            "New brig.lock does not hold 1 build script or macro: `given` 0.1.1",
            "note[baseline/new]: build script of `given` 0.1.1",
            "{workspace}/data/two.txt",
            "0.1.0, which was accepted, did not do this",
        ] {
            assert!(told.stderr_text().contains(said), "no {said}\n{told}");
        }
        assert_eq!(baseline(&place, &["diff"]).exits(0).stdout_text(), "+ given build-script does read {workspace}/data/two.txt\n");
        let (one, other) = (place.path("home/first.json"), place.path("home/kept/report.json"));
        let both = bare(&place, &["diff", one.to_str().unwrap(), other.to_str().unwrap()]).go();
        assert_eq!(both.exits(0).stdout_text(), "+ given build-script does read {workspace}/data/two.txt\n");
        let check = baseline(&place, &["check"]);
        assert_eq!(
            check.exits(102).stdout_text(),
            "not accepted: given 0.1.1 build-script (0.1.0 is accepted)\nnew: given build-script does read {workspace}/data/two.txt\n"
        );
        // Accepted: exactly that is added, and the version.
        baseline(&place, &["accept", "given"]).exits(0);
        let second = lines(&place);
        let added: Vec<_> = second.iter().filter(|line| !first.contains(line)).collect();
        assert!(
            added.len() == 2
                && added[0].starts_with("given build-script 0.1.1 ")
                && *added[1] == "given build-script does read {workspace}/data/two.txt",
            "{added:?}"
        );
        place.again();
        expect_silence(built(&place, &["--policy", "ci"], "exec,read,read-more").exits(0));
        // The same version with other contents.
        let checksum = added[0].split(' ').nth(3).unwrap();
        let other = lock(&place).replace(checksum, &"0".repeat(checksum.len()));
        place.write(&place.workspace().join("brig.lock"), &other);
        let check = baseline(&place, &["check"]);
        assert_eq!(check.exits(102).stdout_text(), "not accepted: given 0.1.1 build-script (what was accepted has another checksum)\n");
        let held = built(&place, &["--policy", "ci"], "exec,read,read-more");
        let stderr = held.exits(102).stderr_text();
        assert!(stderr.contains("what was accepted has another checksum (brig.lock)"), "{held}");
        // What it names lets everything run, also where all of it was built before.
        assert!(stderr.contains("`cargo brig --policy default --fresh build`, then `cargo brig baseline accept given`"), "{held}");
        built(&place, &["--policy", "default", "--fresh"], "exec,read,read-more").exits(0);
        assert!(baseline(&place, &["accept", "given"]).exits(0).stdout_text().contains("given 0.1.1 build-script"));
        assert_eq!(lines(&place), second);
    }
}

#[test]
fn what_is_done_beyond_the_lock_is_told_and_ends_a_run_that_must_hold_to_it() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        built(&place, &[], "exec").exits(0);
        baseline(&place, &["accept"]).exits(0);
        place.again();
        let told = built(&place, &[], "exec,read");
        assert_eq!(rules(told.exits(0)), [rule("baseline/new", "given")], "{told}");
        assert!(reads(&place), "{told}");
        place.again();
        let files = ["sarif", "html", "markdown"].map(|kind| place.path(&format!("report/other.{kind}")));
        let words = ["--sarif", "--html", "--markdown"];
        let mut options = vec!["--policy", "ci"];
        options.extend(words.into_iter().zip(&files).flat_map(|(word, file)| [word, file.to_str().unwrap()]));
        // Here it is refused, and what was accepted is not.
        let held = built(&place, &options, "exec,read");
        assert_eq!(rules(held.exits(102)), [rule("baseline/new", "given")], "{held}");
        assert!(!reads(&place), "{held}");
        let finding = &held.report()["findings"][0];
        assert_eq!(
            (&finding["status"], &finding["baseline"], &held.report()["outcome"]["verdict"]),
            (&"refused".into(), &"new".into(), &"unaccepted".into()),
            "{held}"
        );
        assert_eq!(finding["evidence"].as_array().map(Vec::len), Some(1), "{held}");
        for said in [
            "error[baseline/new]: build script of `given` 0.1.0 tried to read `{workspace}/data/one.txt` — refused",
            "= how   build-script-build; build_script_build::main at ",
            "= note  brig.lock: `given` 0.1.0 did not do this when it was accepted",
            "Unaccepted 1 act of 1 crate that brig.lock does not hold; refused; cargo finished all the same",
        ] {
            assert!(held.stderr_text().contains(said), "no {said}\n{held}");
        }
        for file in &files {
            assert!(fs::read_to_string(file).unwrap().contains("baseline/new"), "{file:?}");
        }
        // In any profile, where it is typed.
        place.again();
        let held = built(&place, &["--locked-behaviour"], "exec,read");
        assert!(!reads(&place), "{}", held.exits(102));
        // Seen to be refused, it can be accepted; and then it may.
        baseline(&place, &["accept", "given"]).exits(0);
        assert!(lines(&place).contains(&"given build-script does read {workspace}/data/one.txt".to_owned()), "{}", lock(&place));
        place.again();
        let may = built(&place, &["--policy", "ci"], "exec,read");
        expect_silence(may.exits(0));
        assert!(reads(&place), "{may}");
        // A violation outranks it, and says that it is new. What is critical is not accepted.
        place.again();
        let worse = built(&place, &["--policy", "ci"], "exec,secret,connect");
        let found = worse.exits(100).report()["findings"].as_array().unwrap().clone();
        let of = |rule: &str| found.iter().find(|finding| finding["rule"] == rule).unwrap_or_else(|| panic!("no {rule}\n{worse}"));
        assert_eq!(
            (&of("secret/read")["baseline"], &of("secret/then-network")["severity"]),
            (&"new".into(), &"critical".into()),
            "{worse}"
        );
        let never = |words: &[&str]| {
            let said = baseline(&place, words);
            assert!(said.exits(2).stderr_text().contains("is critical, and never accepted"), "{said}");
        };
        never(&["accept"]);
        // So no finding says that it could be.
        for finding in found.iter().filter(|finding| finding["rule"] == "baseline/new") {
            assert!(finding["advice"].to_string().contains("nothing of it can be accepted"), "{worse}");
        }
        // Nor does it get there unseen, when nothing of it runs.
        fs::remove_file(place.workspace().join("brig.lock")).unwrap();
        built(&place, &[], "exec,secret,connect").exits(0);
        for words in [&["accept", "given"][..], &["accept", "--all"], &["accept"]] {
            never(words);
        }
        assert!(!place.workspace().join("brig.lock").exists());
        let prune = baseline(&place, &["prune"]);
        assert!(prune.exits(2).stderr_text().contains("help: `cargo brig baseline accept` writes one"), "{prune}");
        assert!(baseline(&place, &["diff"]).exits(0).stdout_text().starts_with("there is no brig.lock here"));
    }
}

/// "Did not run" is not "did nothing".
#[test]
fn a_unit_that_did_not_run_keeps_its_lines_and_one_that_never_ran_is_named() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        built(&place, &[], "exec").exits(0);
        baseline(&place, &["accept"]).exits(0);
        let before = lock(&place);
        // Warm: nothing ran.
        built(&place, &[], "exec").exits(0);
        assert!(baseline(&place, &["accept"]).exits(0).stdout_text().starts_with("brig.lock holds all of it already"), "{before}");
        assert_eq!(lock(&place), before);
        assert!(baseline(&place, &["diff"]).exits(0).stdout_text().starts_with("none of the code that brig.lock is about ran"));
        let report = place.path("home/kept");
        let suggested = bare(&place, &["--report-dir", report.to_str().unwrap(), "suggest"]).go();
        assert!(suggested.exits(0).stdout_text().starts_with("# nothing ran (`cargo build --offline`): "), "{suggested}");
        // Only by name, without a run: and the lock says so.
        fs::remove_file(place.workspace().join("brig.lock")).unwrap();
        let said = baseline(&place, &["accept"]);
        let text = said.exits(0).stdout_text();
        assert!(text.starts_with("wrote brig.lock; nothing is accepted in it yet\nnot accepted, as none of it ran"), "{said}");
        assert_eq!(lines(&place).len(), 0);
        baseline(&place, &["accept", "given"]).exits(0);
        assert!(lines(&place)[0].starts_with("given build-script 0.1.0 ") && lines(&place)[0].ends_with(" unseen - -"), "{}", lock(&place));
        let held = guarded(&place, &["--policy", "ci"], BUILD).go();
        assert_eq!(rules(held.exits(102)), [rule("baseline/unaccepted", "given_macro")], "{held}");
        let unknown = baseline(&place, &["accept", "nobody"]);
        assert!(unknown.exits(2).stderr_text().contains("`nobody`: no package of that name"), "{unknown}");
    }
}

/// Debug or release, warm or cold, another directory: the same lines.
#[test]
fn two_builds_of_the_same_code_give_the_same_lines() {
    let mut all = Vec::new();
    for who in Who::all() {
        for profile in [&["build", "--offline"][..], &["build", "--offline", "--release"], &["test", "--offline"]] {
            let place = Place::new(FIXTURE, who);
            does(guarded(&place, &[], profile), "exec,read,write,connect").go();
            fs::create_dir_all(place.path("home/kept")).unwrap();
            fs::copy(place.path("report/report.json"), place.path("home/kept/report.json")).unwrap();
            baseline(&place, &["accept"]).exits(0);
            all.push(lines(&place));
        }
    }
    assert!(all[0].iter().any(|line| line == "given build-script does write {workspace}/data/made.txt"), "{:#?}", all[0]);
    assert!(all[0].iter().any(|line| line == "given build-script does connect tcp loopback:*"), "{:#?}", all[0]);
    all.iter().for_each(|lines| assert_eq!(*lines, all[0]));
}

#[test]
fn what_is_wrong_with_the_file_is_said_and_nothing_is_written_over_it() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        built(&place, &[], "exec").exits(0);
        let file = place.workspace().join("brig.lock");
        for (text, said) in [
            ("", "brig.lock:1:1: `brig-lock 2` is missing: the file is empty or cut off"),
            ("brig-lock 9\n", "brig.lock:1:1: unknown version `9`"),
            (
                "brig-lock 1\n<<<<<<< HEAD\ngiven build-script does exec a\n=======\n>>>>>>> b\n",
                "brig.lock:2:1: a merge stopped here: every line stands for itself",
            ),
            ("brig-lock 1\ngiven cook does exec a\n", "brig.lock:2:1: unknown kind of actor `cook`"),
        ] {
            fs::write(&file, text).unwrap();
            assert!(guarded(&place, &[], BUILD).compared().go().exits(96).stderr_text().contains(said), "{text}");
            assert!(baseline(&place, &["accept"]).exits(96).stderr_text().contains(said), "{text}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        // A link to what somebody else wrote.
        fs::remove_file(&file).unwrap();
        place.write(&place.path("home/other.lock"), "brig-lock 1\n");
        std::os::unix::fs::symlink(place.path("home/other.lock"), &file).unwrap();
        assert!(guarded(&place, &[], BUILD).compared().go().exits(96).stderr_text().contains("is a symbolic link"));
        baseline(&place, &["accept"]).exits(96);
        assert_eq!(fs::read_to_string(place.path("home/other.lock")).unwrap(), "brig-lock 1\n");
        fs::remove_file(&file).unwrap();
        // What another workspace, or another lock file, was about is accepted by nobody.
        let none = guarded(&place, &["--locked-behaviour"], BUILD).compared().go();
        assert!(none.exits(102).stderr_text().contains("there is no brig.lock here"), "{none}");
        assert!(baseline(&place, &["check"]).exits(102).stderr_text().contains("there is no brig.lock here"));
        // Pruned: what Cargo.lock does not hold any more.
        fs::write(
            &file,
            "brig-lock 2\nunlinked library 1.0.0 00\ngone build-script 1.0.0 00 ran x -\ngone build-script does exec a\ngiven build-script 0.0.9 00 ran x -\n",
        )
        .unwrap();
        assert_eq!(
            baseline(&place, &["prune"]).exits(0).stdout_text(),
            "taken out of brig.lock:\n    given 0.0.9 build-script\n    gone 1.0.0 build-script\n    unlinked 1.0.0 library\n"
        );
        assert_eq!(lines(&place).len(), 0);
    }
}

/// A script that was accepted is not the same with another library in it; and an update that was let in unseen does no more than its predecessor.
#[test]
fn a_library_that_changed_and_an_update_that_turns_do_nothing_new() {
    for who in Who::all() {
        let place = Place::new(FIXTURE, who);
        built(&place, &[], "exec").exits(0);
        baseline(&place, &["accept"]).exits(0);
        let first = lock(&place);
        update(&place, "tool", "0.1.0", "0.1.1");
        place.clean();
        does(cargo(&place, BUILD), "exec,read").go().exits(0);
        assert!(reads(&place), "plain cargo");
        place.clean();
        let held = built(&place, &["--policy", "ci"], "exec,read");
        assert_eq!(rules(held.exits(102)), [rule("baseline/unaccepted", "tool")], "{held}");
        assert!(held.stderr_text().contains("linked into the build script of `given`: 0.1.0 was accepted (brig.lock)"), "{held}");
        assert!(!held.stderr_text().contains("Compiling"), "{held}");
        let check = baseline(&place, &["check"]);
        let told = "not accepted: tool 0.1.1 library, linked into the build script of `given` (0.1.0 is accepted)\n";
        assert_eq!(check.exits(102).stdout_text(), told);
        let said = built(&place, &[], "exec");
        assert!(
            said.exits(0).stderr_text().contains("brig.lock does not hold 1 library that is linked into code of a build: `tool` 0.1.1"),
            "{said}"
        );
        baseline(&place, &["accept"]).exits(0);
        assert!(lock(&place).contains("\ntool library 0.1.1 ") && !lock(&place).contains("tool library 0.1.0 "), "{}", lock(&place));
        // A lock of before there were libraries holds none.
        let older: String = first
            .replace(HEAD, "brig-lock 1\n")
            .lines()
            .filter(|line| !line.contains(" library "))
            .map(|line| format!("{line}\n"))
            .collect();
        let newer = lock(&place);
        place.write(&place.workspace().join("brig.lock"), &older);
        let held = does(guarded(&place, &["--policy", "ci"], BUILD), "exec").go();
        assert!(held.exits(102).stderr_text().contains("that file is of an older form, which holds no libraries"), "{held}");
        assert!(baseline(&place, &["accept"]).exits(0).stdout_text().contains("    tool 0.1.1 library\n"));
        assert_eq!(lock(&place), newer);
        // The script's own update, accepted by its name alone: what it does more is refused, and told with nothing else.
        update(&place, "given", "0.1.0", "0.1.1");
        place.again();
        built(&place, &["--policy", "ci"], "exec,read").exits(102);
        baseline(&place, &["accept", "given"]).exits(0);
        let held = built(&place, &["--policy", "ci"], "exec,read");
        assert_eq!(rules(held.exits(102)), [rule("baseline/new", "given")], "{held}");
        let evidence = held.report()["findings"][0]["evidence"].as_array().unwrap();
        assert!(evidence.len() == 1 && evidence[0]["path"] == "{workspace}/data/one.txt", "{held}");
        assert!(!reads(&place), "{held}");
    }
}
