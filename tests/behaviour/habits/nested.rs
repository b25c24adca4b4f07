//! Who else starts cargo: external subcommands, build scripts, tests.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;

use super::{done, habit, place};
use crate::honest::calm;
use crate::place::{Place, copy_program, toolchain};
use crate::run::{cargo, guarded};
use crate::who::Who;

const CARGO_ZOO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crates/cargo-zoo/main.rs");

/// The subcommand of ours, installed where `cargo install` puts it.
fn install_zoo(place: &Place) {
    let source = place.path("run/cargo-zoo.rs");
    std::fs::copy(CARGO_ZOO, &source).unwrap();
    let program = place.path("home/.cargo/bin/cargo-zoo");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    let rustc = toolchain().join("bin/rustc");
    let command = [rustc.to_str().unwrap(), "--edition=2024", "-o", program.to_str().unwrap(), source.to_str().unwrap()];
    done(place, &place.path("run"), &command);
}

#[test]
fn a_subcommand_that_runs_tests_one_by_one() {
    for who in Who::all() {
        let place = place(who);
        install_zoo(&place);
        habit(&place, "cargo zoo", &["zoo", "--offline"]).says("runs: exit status: 0");
        // A test that steals is as confined as ever.
        let thief = "#[test]\nfn steals() {\n    let key = std::fs::read_to_string(std::env::var(\"HOME\").unwrap() + \"/.ssh/id_ed25519\");\n    \
                     eprintln!(\"zoo: {key:?}\");\n}\n";
        place.write(&place.workspace().join("app/tests/thief.rs"), thief);
        let plain = cargo(&place, &["zoo", "--offline"]).go();
        assert!(plain.stderr_text().contains(&place.canary), "{plain}");
        let brig = guarded(&place, &[], &["zoo", "--offline"]).go();
        assert!(!brig.exits(100).stderr_text().contains(&place.canary), "{brig}");
    }
}

#[test]
fn nextest_itself() {
    let Some(nextest) = on_path("cargo-nextest") else {
        // Straight to stderr: the test harness would swallow `eprintln!`, and a case that did not run must be heard of.
        writeln!(std::io::stderr(), "note: no cargo-nextest is installed here, so only our own subcommand was tried").ok();
        return;
    };
    for who in Who::all() {
        let place = place(who);
        let program = place.path("home/.cargo/bin/cargo-nextest");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        copy_program(&nextest, &program);
        habit(&place, "cargo nextest", &["nextest", "run", "--offline", "--no-input-handler"]).same();
        habit(&place, "cargo nextest list", &["nextest", "list", "--offline"]).says("runs");
    }
}

pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file());
    found.and_then(|path| path.canonicalize().ok())
}

#[test]
fn cargo_in_build_scripts_and_tests() {
    for who in Who::all() {
        let place = calm("honest-nested", OsStr::new("code"), who);
        habit(&place, "a build script's cargo", &["run", "--offline"]).says("helped");
        habit(&place, "a test's cargo", &["test", "--offline"]).says("test compiles ... ok");
        let project = place.target().join("tests/trybuild/app");
        assert!(project.is_dir());
    }
}
