//! Compiled build scripts, made once for all trials: what a trial is about is what they do when they run. In: the fixtures. Out: a target
//! directory with their programs, none of which has ever run, for each trial to begin with. Macros, libraries and tests are not among it:
//! they act while something is compiled, or are few.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::fixture::{At, Fixture, WORKSPACE};
use crate::place::Place;
use crate::run::cargo;
use crate::who::Who;

/// Calls the compiler, and takes from a build script the right to be run.
const WRAPPER: &str = r#"#!/bin/sh
"$@" || exit
script= dir=
while [ $# -gt 0 ]; do
    case $1 in
        --crate-name) case $2 in build_script_*) script=$2 ;; esac ;;
        --out-dir) dir=$2 ;;
    esac
    shift
done
[ -z "$script" ] || chmod -x "$dir/$script"-*
"#;

pub struct Seed {
    /// The place it was made in; nothing of it but its target directory counts.
    place: Place,
}

impl Seed {
    pub fn of(fixtures: &[&Fixture]) -> Seed {
        let place = Place::new(WORKSPACE, Who::all()[0]);
        let wrapper = place.path("run/wrapper");
        place.write(&wrapper, WRAPPER);
        make_runnable(&wrapper);
        let scripts = fixtures.iter().filter(|one| one.says.at == At::Build && one.says.actor == "build-script");
        let packages: Vec<&str> = scripts.flat_map(|one| ["-p", &one.name]).collect();
        if !packages.is_empty() {
            // Each stops where its script is to be run.
            let outcome =
                cargo(&place, &[&["build", "--keep-going", "--offline"], &packages[..]].concat()).env("RUSTC_WRAPPER", wrapper).go();
            let told = outcome.stderr_text();
            assert!(!told.contains("error[") && !told.contains("could not compile"), "a fixture does not compile:\n{outcome}");
        }
        Seed { place }
    }

    /// Begins a target directory with it. All of it is as old as its youngest file, and younger than the sources.
    pub fn lay(&self, target: &Path) {
        let now = SystemTime::now();
        copy(&self.place.target(), target, now);
    }
}

fn copy(from: &Path, to: &Path, now: SystemTime) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).expect("read what was made").map(Result::unwrap) {
        let (at, to) = (entry.path(), to.join(entry.file_name()));
        // Cargo's notes on the compiler are about the wrapped one.
        if entry.file_type().unwrap().is_dir() {
            copy(&at, &to, now);
        } else if entry.file_name() != ".rustc_info.json" {
            fs::copy(&at, &to).unwrap();
            if is_script(&at) {
                make_runnable(&to);
            }
            fs::File::options().append(true).open(&to).and_then(|file| file.set_modified(now)).unwrap();
        }
    }
}

/// `build/PACKAGE-HASH/build-script-NAME`, and its first name `build_script_NAME-HASH`.
fn is_script(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().replace('_', "-");
    name.starts_with("build-script-")
        && path.extension().is_none()
        && path.parent().and_then(Path::parent).is_some_and(|dir| dir.ends_with("build"))
}

fn make_runnable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
