//! Exit codes and bad input: what is wrong is told in one readable message, before anything is built, and never by a panic.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::finding::expect_silence;
use crate::place::Place;
use crate::run::{Outcome, bare, cargo, guarded};
use crate::who::Who;

#[test]
fn an_unknown_option_is_a_usage_error() {
    let place = Place::new("honest-run", Who::Myself);
    says(bare(&place, &["--no-such-option", "build"]).go().exits(2), "--no-such-option");
    says(bare(&place, &["--mode", "lenient", "build"]).go().exits(2), "lenient");
    untouched(&place);
}

/// Cargo is asked first: its own word stands, its code is kept, and what was meant is told behind it.
#[test]
fn what_was_meant_for_us_and_went_to_cargo_is_told() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        for (args, hint) in [
            (&["build", "--policy", "ci"][..], Some("`cargo brig --policy ci build`")),
            (&["sugest"], Some("did you mean `cargo brig suggest`?")),
            (&["build", "--no-such-option"], None),
        ] {
            let (plain, brig) = (cargo(&place, args).go(), guarded(&place, &[], args).go());
            assert!(plain.code != 0 && brig.code == plain.code, "{brig}");
            let told = brig.stderr_text();
            let help: Vec<&str> = told.lines().filter(|line| line.starts_with("        Help ")).collect();
            assert_eq!(help.len(), usize::from(hint.is_some()), "{brig}");
            assert!(help.iter().zip(hint).all(|(line, hint)| line.contains(hint)), "{brig}");
        }
        // What cargo understood is nothing to talk about.
        let outcome = guarded(&place, &[], &["check", "--offline"]).go();
        assert!(!outcome.exits(0).stderr_text().contains("        Help "), "{outcome}");
    }
}

#[test]
fn no_arguments_show_how_it_is_used() {
    let place = Place::new("honest-run", Who::Myself);
    let outcome = bare(&place, &[]).go();
    assert!([0, 2].contains(&outcome.code), "{outcome}");
    assert!((outcome.stdout_text() + &outcome.stderr_text()).contains("Usage"), "{outcome}");
    assert!(bare(&place, &["--help"]).go().exits(0).stdout_text().contains("Usage"));
}

#[test]
fn cargo_calls_it_as_a_subcommand() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let report = place.path("report");
        let outcome = bare(&place, &["brig", "--report-dir", report.to_str().unwrap(), "check", "--offline"]).go();
        expect_silence(outcome.exits(0));
    }
}

#[test]
fn outside_a_workspace_cargo_has_the_last_word() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        fs::remove_file(place.workspace().join("Cargo.toml")).unwrap();
        let plain = cargo(&place, &["build", "--offline"]).go();
        let brig = guarded(&place, &[], &["build", "--offline"]).go();
        says(plain.exits(101), "could not find `Cargo.toml`");
        says(brig.exits(101), "could not find `Cargo.toml`");
    }
}

#[test]
fn a_compile_error_is_cargos_own() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        fs::write(place.workspace().join("src/main.rs"), "fn main() { nothing_of_this_name() }").unwrap();
        let brig = guarded(&place, &[], &["build", "--offline"]).go();
        says(brig.exits(101), "nothing_of_this_name");
        expect_silence(&brig);
    }
}

#[test]
fn broken_configuration_is_shown_by_line() {
    let place = Place::new("honest-run", Who::Myself);
    for (text, words) in [
        ("version = 1\nprofile = \n", &["brig.toml:2"][..]),
        ("version = 1\nprofil = \"default\"\n", &["brig.toml:2", "profil", "did you mean", "profile"]),
        ("version = 1\nprofile = \"no-such-profile\"\n", &["no-such-profile"]),
        ("version = 99\n", &["99"]),
        ("version = 1\n[[allow]]\ncrate = \"x@1.0.0\"\nactor = \"build-script\"\nread = [\"/x\"]\nexpires = \"never\"\n", &["reason"]),
    ] {
        fs::write(place.workspace().join("brig.toml"), text).unwrap();
        let outcome = guarded(&place, &[], &["build", "--offline"]).go();
        words.iter().for_each(|word| says(outcome.exits(96), word));
        untouched(&place);
    }
}

#[test]
fn a_missing_configuration_file_is_named() {
    let place = Place::new("honest-run", Who::Myself);
    says(guarded(&place, &["--config", "nowhere/brig.toml"], &["build"]).go().exits(96), "nowhere/brig.toml");
    untouched(&place);
}

#[test]
fn a_report_that_cannot_be_written_is_found_before_the_build() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        for path in ["/dev/null/report.json", "/proc/report.json"] {
            let outcome = guarded(&place, &["--json", path], &["build", "--offline"]).go();
            assert!(![0, 100, 101].contains(&outcome.code), "{outcome}");
            says(&outcome, path);
            untouched(&place);
        }
    }
}

#[test]
fn two_forms_in_one_file_are_refused_before_the_build() {
    let place = Place::new("honest-run", Who::Myself);
    let same = "`--json` and `--html` are one file, ";
    says(guarded(&place, &["--html", "../same", "--json", "../same"], &["build"]).go().exits(2), same);
    says(guarded(&place, &["--html", "../same", "--json", "./../same"], &["build"]).go().exits(2), same);
    says(bare(&place, &["demo", "--html", "../same", "--json", "../same"]).go().exits(2), same);
    assert!(!place.path("same").exists());
    untouched(&place);
    guarded(&place, &[], &["build", "--offline"]).go().exits(0);
    let report = place.path("report");
    let again = |forms: &[&str]| bare(&place, &[&["--report-dir", report.to_str().unwrap(), "report"], forms].concat()).go();
    says(again(&["--html", "../same", "--json", "../same"]).exits(2), same);
    says(again(&["--html", "-", "--json", "-"]).exits(2), "both go to stdout");
    assert!(again(&["--html", "-", "--json", "../other"]).exits(0).stdout_text().starts_with("<!"));
}

/// Commands that only read and tell, where there is nothing yet.
#[test]
fn what_is_not_there_is_not_spoken_of_as_if_it_were() {
    let place = Place::new("honest-run", Who::Myself);
    let workspace = place.workspace().to_owned();
    fs::remove_dir_all(&workspace).unwrap();
    place.write(&workspace.join("Cargo.toml"), "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    place.write(&workspace.join("src/lib.rs"), "");
    place.write(&workspace.join("brig.toml"), "version = 1\n[[deny]]\ncrate = 'mac'\nreason = 'phones home'\n");
    cargo(&place, &["generate-lockfile", "--offline"]).go().exits(0);
    let review = bare(&place, &["review"]).go();
    assert!(review.exits(0).stdout_text().starts_with("there is no brig.lock here"), "{review}");
    for spelled in ["mac", "mac@0.1.0", "path#mac", "path#mac@0.1.0"] {
        let shown = bare(&place, &["profile", "show", "--for", spelled]).go();
        let text = shown.exits(0).stdout_text();
        assert!(text.contains("# mac is denied: phones home") && !text.contains("none is known"), "{shown}");
    }
    let none = |spelled: &str| bare(&place, &["profile", "show", "--for", spelled]).go().exits(0).stdout_text();
    assert!(none("nobody").contains("\n# nothing is written for such a package, and none is known: Cargo.lock has none of that name\n"));
    assert!(none("app@2.0.0").contains("none is known: Cargo.lock has `path#app@0.1.0`\n"));
    assert!(!none("app").contains("none is known") && !none("path#app@0.1.0").contains("none is known"));
    says(bare(&place, &["profile", "show", "--for", "a b"]).go().exits(2), "is no package's name");
}

#[test]
fn a_full_disk_is_no_clean_bill() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let outcome = guarded(&place, &["--json", "/dev/full"], &["build", "--offline"]).go();
        assert!(![0, 100, 101].contains(&outcome.code), "the report went nowhere, and the run ends as if all were well\n{outcome}");
        says(&outcome, "/dev/full");
    }
}

#[test]
fn names_with_newlines_and_broken_letters_are_handled_as_cargo_handles_them() {
    for who in Who::all() {
        for name in [&b"line\nbreak\x1b[31m"[..], b"not \xff utf-8"] {
            let place = Place::named("honest-macros", who, OsStr::from_bytes(name));
            fs::remove_file(place.workspace().join(".env")).unwrap();
            let plain = cargo(&place, &["build", "--offline"]).go();
            place.clean();
            let brig = guarded(&place, &[], &["build", "--offline"]).go();
            brig.exits(plain.code);
            assert!(!brig.stderr_text().contains("\x1b[31m") || plain.stderr_text().contains("\x1b[31m"), "a raw escape\n{brig}");
        }
    }
}

#[test]
fn without_cargo_nothing_runs() {
    for who in Who::all() {
        let place = Place::new("honest-run", who);
        let outcome = guarded(&place, &[], &["build", "--offline"]).without("CARGO").env("PATH", place.path("tmp")).go();
        assert!(![0, 100, 101].contains(&outcome.code), "{outcome}");
        says(&outcome, "cargo");
        untouched(&place);
    }
}

#[test]
fn a_tiny_disk_for_target_is_cargos_failure() {
    // A real full disk needs a mount, so root only; an ordinary user's case is `/dev/full` above.
    if !Who::Myself.is_root() {
        return;
    }
    let place = Place::new("honest-run", Who::Myself);
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(place.target()).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("note: no tmpfs can be mounted here, so no disk can be full");
        return;
    }
    let outcome = guarded(&place, &[], &["build", "--offline"]).go();
    let unmounted = Command::new("umount").arg(place.target()).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    outcome.exits(101);
}

#[test]
fn a_workspace_that_cannot_be_written_is_cargos_failure() {
    for who in Who::all().into_iter().filter(|who| !who.is_root()) {
        let place = Place::new("honest-run", who);
        place.hand_over();
        fs::set_permissions(place.workspace(), fs::Permissions::from_mode(0o555)).unwrap();
        let outcome = guarded(&place, &[], &["build", "--offline"]).go();
        fs::set_permissions(place.workspace(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(outcome.code, 0, "{outcome}");
        assert_ne!(outcome.code, 100, "{outcome}");
    }
}

#[track_caller]
fn says(outcome: &Outcome, words: &str) {
    assert!(outcome.stderr_text().contains(words), "does not say `{words}`\n{outcome}");
}

/// Nothing was built.
#[track_caller]
fn untouched(place: &Place) {
    assert!(!place.target().join("debug").exists(), "something was built");
}
