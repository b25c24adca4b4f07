//! Coverage: what instrumented programs write as they end lies where plain cargo has it, and nobody is accused of it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::finding::{expect_silence, violations};
use crate::habits::executable;
use crate::honest::{calm, clean};
use crate::place::{Place, toolchain, visit};
use crate::run::{Run, cargo, guarded};
use crate::who::Who;

const FLAG: &str = "-Cinstrument-coverage";

/// Directory and name of each profile, without what is drawn or numbered; they are taken away.
fn profiles(place: &Place) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    visit(place.workspace(), &mut |path| {
        if path.extension() == Some(OsStr::new("profraw")) {
            assert!(fs::metadata(path).unwrap().len() > 0, "{path:?} is empty");
            let name = path.strip_prefix(place.workspace()).unwrap().display().to_string();
            // One per program: how many there are is compared, too.
            let shape = name.replace(|c: char| c.is_ascii_digit(), "");
            let times = found.iter().filter(|known: &&String| known.starts_with(&shape)).count();
            found.insert(format!("{shape} {times}"));
            fs::remove_file(path).unwrap();
        }
    });
    found
}

fn same(dress: impl Fn(Run, &Place) -> crate::run::Outcome, args: &[&str]) {
    for who in Who::all() {
        let place = calm("instrumented", OsStr::new("code"), who);
        dress(cargo(&place, args), &place).exits(0);
        let plain = profiles(&place);
        assert!(plain.len() >= 3, "{plain:?}");
        place.clean();
        let brig = dress(guarded(&place, &[], args).compared(), &place);
        expect_silence(brig.exits(0));
        clean(&brig);
        assert_eq!(profiles(&place), plain, "as {who:?}\n{brig}");
    }
}

const TEST: &[&str] = &["test", "--offline"];

#[test]
fn where_nobody_names_a_file() {
    same(|run, _| run.env("RUSTFLAGS", FLAG).env("RUSTDOCFLAGS", FLAG).go(), TEST);
}

#[test]
fn where_the_user_names_one() {
    let names = |place: &Place| place.workspace().join("target/cov-%p-%4m.profraw");
    same(|run, place| run.env("CARGO_ENCODED_RUSTFLAGS", FLAG).env("LLVM_PROFILE_FILE", names(place)).go(), TEST);
}

/// As cargo-llvm-cov does it: a subcommand that sets both and runs cargo in a target directory of its own.
#[test]
fn where_a_driver_names_one() {
    let bin = Path::new(env!("CARGO_TARGET_TMPDIR")).join("coverage-bin");
    let dress = |run: Run, place: &Place| {
        let script = "shift\nexport RUSTFLAGS=-Cinstrument-coverage LLVM_PROFILE_FILE=\"$PWD/target/zoo-cov/zoo-%p-%2m.profraw\"\n\
                      exec \"$CARGO\" test --offline --target-dir target/zoo-cov";
        executable(place, &bin.join("cargo-zoo-cov"), &format!("#!/bin/sh\n{script}\n"));
        run.env("PATH", format!("{}:{}/bin:/usr/bin:/bin", bin.display(), toolchain().display())).go()
    };
    same(dress, &["zoo-cov"]);
}

/// A repository that names one gets none, and no alarm.
#[test]
fn what_a_repository_names_is_nobodys_word() {
    for who in Who::all() {
        let place = calm("instrumented", OsStr::new("code"), who);
        let text = "[build]\nrustflags = [\"-Cinstrument-coverage\"]\n[env]\nLLVM_PROFILE_FILE = { value = \"by-repository-%p.profraw\", relative = true }\n";
        place.write(&place.workspace().join(".cargo/config.toml"), text);
        place.hand_over();
        cargo(&place, TEST).go().exits(0);
        let plain = profiles(&place);
        assert!(plain.iter().any(|name| name.starts_with("by-repository")), "{plain:?}");
        place.clean();
        let brig = guarded(&place, &[], TEST).compared().go();
        assert_eq!(violations(brig.exits(0).report()).count(), 0, "{brig}");
        // Programs leave profiles in their package, as ever.
        let left = profiles(&place);
        assert!(left.is_subset(&plain), "{left:?}\n{brig}");
    }
}
