//! Honest builds: nothing is alarmed about, nothing breaks, and what they make is byte for byte what plain cargo makes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::effect::spilled;
use crate::finding::expect_silence;
use crate::place::{Place, visit};
use crate::run::{Outcome, cargo, guarded};
use crate::who::Who;

#[test]
fn build_scripts_with_every_honest_habit() {
    same_by_default("honest-scripts", OsStr::new("code"), &["build"], 0);
}

#[test]
fn a_workspace_with_spaces_and_letters_beyond_ascii() {
    same("honest-scripts", OsStr::new("mit Leerzeichen, Ümläuten & 漢字"), &["build"], 0);
}

#[test]
fn macros_that_read_their_package() {
    same_by_default("honest-macros", OsStr::new("code"), &["build"], 0);
}

#[test]
fn check_and_doc() {
    same("honest-macros", OsStr::new("code"), &["check"], 0);
    same("honest-macros", OsStr::new("code"), &["doc"], 0);
}

#[test]
fn release_with_cargos_own_options() {
    same("honest-macros", OsStr::new("code"), &["build", "--release", "-p", "app", "--message-format=short", "-j2"], 0);
}

#[test]
fn tests_with_servers_children_and_doctests() {
    same_by_default("honest-tests", OsStr::new("code"), &["test"], 0);
}

/// What the kernel does to whoever calls it: terminals, limits, sandboxes of one's own, signals, credentials.
#[test]
fn what_is_done_to_a_caller() {
    same("honest-caller", OsStr::new("code"), &["test"], 0);
}

#[test]
fn a_single_test_by_name() {
    same("honest-tests", OsStr::new("code"), &["test", "--lib", "temporary"], 0);
}

#[test]
fn run_passes_streams_and_the_exit_code() {
    for who in Who::all() {
        for (last, code) in [("0", 0), ("7", 7), ("abort", 134)] {
            let place = calm("honest-run", OsStr::new("code"), who);
            let args = ["run", "--offline", "--", last];
            let plain = cargo(&place, &args).input(b"heard\n").go();
            let brig = guarded(&place, &[], &args).input(b"heard\n").go();
            assert_eq!(plain.stdout_text(), "HEARD\n", "{plain}");
            assert_eq!(brig.stdout, plain.stdout, "standard output belongs to cargo\n{brig}");
            assert_eq!(plain.code, if last == "abort" { plain.code } else { code }, "{plain}");
            brig.exits(plain.code);
            expect_silence(&brig);
        }
    }
}

#[test]
fn intermediate_results_in_a_directory_of_their_own() {
    for who in Who::all() {
        for (fixture, args) in [("honest-scripts", ["build", "--offline"]), ("honest-tests", ["test", "--offline"])] {
            let place = calm(fixture, OsStr::new("code"), who);
            let built = place.path("home/built");
            let go = |run: crate::run::Run<'_>| run.env("CARGO_BUILD_BUILD_DIR", &built).go();
            go(cargo(&place, &args)).exits(0);
            let made = outputs(&built);
            fs::remove_dir_all(&built).unwrap();
            place.clean();
            let brig = go(guarded(&place, &[], &args));
            expect_silence(brig.exits(0));
            clean(&brig);
            assert_eq!(made, outputs(&built), "not as plain cargo makes them\n{brig}");
        }
    }
}

#[test]
fn examples_and_benches() {
    same("honest-run", OsStr::new("code"), &["run", "--example", "hello"], 0);
    same("honest-run", OsStr::new("code"), &["bench"], 0);
}

#[test]
fn install_puts_the_program_where_it_was_told() {
    for who in Who::all() {
        let place = calm("honest-run", OsStr::new("code"), who);
        let root = place.path("home/installed");
        let args = ["install", "--offline", "--path", ".", "--root", root.to_str().unwrap()];
        let brig = guarded(&place, &[], &args).go();
        expect_silence(brig.exits(0));
        assert!(root.join("bin/app").is_file(), "{brig}");
    }
}

#[test]
fn gits_token_is_hidden_and_git_still_works() {
    for who in Who::all() {
        let place = Place::new("git-token", who);
        repository(&place);
        place.hand_over();
        let config = place.workspace().join(".git/config");
        let mut text = fs::read_to_string(&config).unwrap();
        text.push_str(&format!("[http \"https://forge.invalid/\"]\n\textraheader = AUTHORIZATION: basic {}-git\n", place.canary));
        fs::write(&config, text).unwrap();
        let plain = cargo(&place, &["build", "--offline"]).go();
        assert!(!spilled(&place, plain.exits(0)).is_empty(), "plain cargo must show the token\n{plain}");
        place.clean();
        let brig = guarded(&place, &[], &["build", "--offline"]).go();
        expect_silence(brig.exits(0));
        assert!(spilled(&place, &brig).is_empty(), "the token is in {:?}\n{brig}", spilled(&place, &brig));
        let said = outputs(&place.target()).into_values().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(said.into_iter().any(|text| text.contains("zoo: described v1.0")), "git describe fails\n{brig}");
    }
}

/// Runs plain cargo and Brig in the same place and compares everything that comes out.
fn same(fixture: &str, name: &OsStr, args: &[&str], code: i32) {
    Who::all().into_iter().for_each(|who| compare(&calm(fixture, name, who), args, code));
}

/// The same, with incremental compilation, as everybody has it who has not turned it off.
fn same_by_default(fixture: &str, name: &OsStr, args: &[&str], code: i32) {
    Who::all().into_iter().for_each(|who| compare(&calm(fixture, name, who).incremental(), args, code));
}

fn compare(place: &Place, args: &[&str], code: i32) {
    let who = place.who;
    let args: Vec<&str> = args.iter().copied().chain(["--offline"]).collect();
    let plain = cargo(place, &args).go();
    plain.exits(code);
    let made = outputs(&place.target());
    fs::rename(place.target(), place.path("plain-target")).unwrap();
    place.clean();
    let brig = guarded(place, &[], &args).go();
    brig.exits(code);
    expect_silence(&brig);
    clean(&brig);
    let spilled = spilled(place, &brig);
    assert!(spilled.is_empty(), "the canary is in {spilled:?}\n{brig}");
    let remade = outputs(&place.target());
    let differing: Vec<_> = made.keys().chain(remade.keys()).filter(|path| made.get(*path) != remade.get(*path)).collect();
    assert!(differing.is_empty(), "as {who:?}, not as plain cargo makes them: {differing:?}\n{brig}");
}

pub fn clean(brig: &Outcome) {
    assert_eq!(brig.report()["outcome"]["verdict"], "clean", "{brig}");
    assert_eq!(brig.report()["coverage"]["complete"], true, "{brig}");
}

/// A place without a `.env`: honest code is silent about one that is not there. With git, because honest code asks it.
pub fn calm(fixture: &str, name: &OsStr, who: Who) -> Place {
    let place = Place::named(fixture, who, name);
    fs::remove_file(place.workspace().join(".env")).unwrap();
    repository(&place);
    place
}

/// What build scripts said and wrote, by path below target.
fn outputs(target: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut outputs = BTreeMap::new();
    visit(target, &mut |path| {
        let below = path.strip_prefix(target).unwrap();
        let kept = below.components().any(|part| part.as_os_str() == "out") || path.file_name().is_some_and(|name| name == "output");
        if kept && path.is_file() {
            outputs.insert(below.to_path_buf(), fs::read(path).unwrap_or_default());
        }
    });
    outputs
}

/// Makes the workspace a git repository with one tagged commit.
pub fn repository(place: &Place) {
    place.write(&place.workspace().join(".gitignore"), "target\nCargo.lock\n");
    place.hand_over();
    for args in [&["init", "-q", "-b", "trunk"][..], &["add", "."], &["commit", "-q", "-m", "first"], &["tag", "v1.0"]] {
        let mut git = Command::new("git");
        place.environment(&mut git);
        place.who.apply(&mut git);
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "zoo").env(format!("GIT_{role}_EMAIL"), "zoo@invalid");
            git.env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
        }
        let output = git.args(args).output().expect("run git");
        assert!(output.status.success(), "git {args:?}: {output:?}");
    }
}
