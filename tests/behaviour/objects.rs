//! Places are objects, not names: a home by its second path, and links of a repository to a secret.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::finding::violations;
use crate::place::{Place, brig, toolchain};
use crate::run::{Outcome, cargo, guarded, shell};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];

/// A shell in a mount namespace of its own, in which the place's home is mounted once more; what it then runs.
fn with_second_home(place: &Place, who: Who, program: &str) -> Outcome {
    let second = place.path("second");
    fs::create_dir_all(&second).unwrap();
    let map = if who.is_root() { "-m" } else { "-Urm" };
    let inner = format!("mount --bind {} {} && exec {program}", place.path("home").display(), second.display());
    shell(place, &format!("exec unshare {map} sh -c '{inner}'")).env("SECOND", second).go()
}

/// Says why where nobody of that kind may mount anything here.
fn may_mount(who: Who) -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args([if who.is_root() { "-m" } else { "-Urm" }, "mount", "--bind", "/usr", "/usr"]);
    who.apply(&mut unshare);
    let can = unshare.output().is_ok_and(|output| output.status.success());
    if !can {
        println!("skipped for {who:?}: no mount namespace of one's own can be had");
    }
    can
}

#[test]
fn a_home_by_its_second_path_is_the_home() {
    for who in Who::all().into_iter().filter(|who| may_mount(*who)) {
        let place = Place::new("second-path", who);
        let plain = with_second_home(&place, who, &format!("{}/bin/cargo build --offline", toolchain().display()));
        plain.exits(0);
        let says = |outcome: &Outcome, text: &str| outcome.stderr_text().contains(text);
        assert!(says(&plain, "own output: true") && says(&plain, "key: ") && says(&plain, "start-up file: true"), "{plain}");
        fs::remove_file(place.path("home/.bashrc")).unwrap();
        place.clean();

        let report = place.path("report");
        let outcome = with_second_home(&place, who, &format!("{} --report-dir {} build --offline", brig().display(), report.display()));
        outcome.exits(100);
        assert!(says(&outcome, "own output: true") && says(&outcome, "start-up file: false") && !says(&outcome, "key: "), "{outcome}");
        assert!(!place.path("home/.bashrc").exists(), "{outcome}");
        let rules: Vec<&str> = violations(outcome.report()).filter_map(|finding| finding["rule"].as_str()).collect();
        assert!(rules.contains(&"secret/read") && rules.contains(&"fs/persist"), "{rules:?}\n{outcome}");
    }
}

#[test]
fn links_of_a_repository_to_a_secret_are_refused_before_they_are_read() {
    for who in Who::all() {
        for name in ["Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml", "Cargo.toml"] {
            let place = Place::new("honest-run", who);
            fs::create_dir_all(place.workspace().join(".cargo")).unwrap();
            fs::create_dir_all(place.workspace().join(".git")).unwrap();
            let link = place.workspace().join(name);
            let _ = fs::remove_file(&link);
            symlink(place.path("home/.aws/credentials"), &link).unwrap();
            // A toolchain file is rustup's to read; the control is a toolchain's own cargo.
            if name != "rust-toolchain.toml" {
                let plain = cargo(&place, BUILD).go();
                assert!(plain.code != 0 && plain.stderr_text().contains(&place.canary), "{name}: {plain}");
            }
            let outcome = guarded(&place, &[], BUILD).go();
            outcome.exits(96);
            assert!(outcome.stderr_text().contains("is a link to"), "{outcome}");
            assert!(!outcome.stderr_text().contains(&place.canary), "{outcome}");
        }
    }
}

#[test]
fn a_link_within_the_repository_is_as_ever() {
    let place = Place::new("honest-run", Who::Myself);
    fs::create_dir_all(place.workspace().join(".git")).unwrap();
    cargo(&place, &["generate-lockfile", "--offline"]).go().exits(0);
    fs::create_dir(place.workspace().join("locks")).unwrap();
    fs::rename(place.workspace().join("Cargo.lock"), place.workspace().join("locks/Cargo.lock")).unwrap();
    symlink("locks/Cargo.lock", place.workspace().join("Cargo.lock")).unwrap();
    guarded(&place, &[], BUILD).go().exits(0);
}

/// Tests may write in `/dev/shm`. Where the workspace lies there, that is no leave to write the workspace, nor to move what it lies in.
#[test]
fn a_workspace_in_shared_memory_is_still_the_workspace() {
    const TEST: &str = "#[test]\nfn it() {\n    let here = std::path::Path::new(env!(\"CARGO_MANIFEST_DIR\"));\n    let above = here.parent().unwrap();\n    \
        let done = |what, result: std::io::Result<()>| println!(\"{what} {}\", result.is_ok());\n    \
        done(\"own-segment\", std::fs::write(format!(\"/dev/shm/brig-{}\", std::process::id()), \"x\"));\n    \
        std::fs::remove_file(format!(\"/dev/shm/brig-{}\", std::process::id())).ok();\n    \
        done(\"script\", std::fs::write(here.join(\"build.sh\"), \"true\"));\n    \
        done(\"hook\", std::fs::create_dir_all(here.join(\".git/hooks\")));\n    \
        done(\"artifact\", std::fs::write(here.join(\"target/debug/other\"), \"x\"));\n    \
        done(\"moved\", std::fs::rename(above, above.with_extension(\"moved\")).and_then(|()| std::fs::rename(above.with_extension(\"moved\"), above)));\n}\n";
    let shared = Path::new("/dev/shm");
    for who in Who::all() {
        let mut place = Place::new("honest-run", who);
        fs::remove_dir_all(place.workspace()).unwrap();
        place.write(
            &place.workspace().join("Cargo.toml"),
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
        );
        place.write(&place.workspace().join("src/lib.rs"), TEST);
        place.move_to(shared);
        let test = &["test", "--offline", "--lib", "--", "--nocapture"];
        let done = |outcome: &Outcome| {
            let said = outcome.stdout_text();
            ["own-segment", "script", "hook", "artifact", "moved"].map(|act| said.contains(&format!("{act} true")))
        };
        let plain = cargo(&place, test).go();
        assert_eq!(done(&plain), [true; 5], "{plain}");
        for gone in ["build.sh", "target/debug/other"] {
            fs::remove_file(place.workspace().join(gone)).unwrap();
        }
        fs::remove_dir_all(place.workspace().join(".git")).unwrap();
        let brig = guarded(&place, &[], test).go();
        assert_eq!(done(&brig), [true, false, false, false, false], "as {who:?}\n{brig}");
        let written: Vec<_> = violations(brig.exits(100).report()).collect();
        assert!(written.iter().all(|finding| finding["rule"].as_str().is_some_and(|rule| rule.starts_with("fs/"))), "{written:#?}");
    }
}
