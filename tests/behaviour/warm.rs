//! What cargo keeps about the compiler in a target directory (`.rustc_info.json`), as an earlier build has left it: asking anew is two more
//! starts of rustc in each run, half of the time of a small one. In: nothing. Out: a target directory with that and cargo's tag in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::place::toolchain;

/// The files of a target directory that say nothing about what is built.
const KEPT: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

/// Makes `target` as a build of something else would leave it.
pub fn lay(target: &Path) {
    static LEFT: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
    let left = LEFT.get_or_init(|| {
        let dir = tempfile::tempdir().expect("make a temporary directory");
        let package = dir.path().join("nothing");
        fs::create_dir_all(package.join("src")).unwrap();
        fs::write(package.join("Cargo.toml"), "[package]\nname = \"nothing\"\nversion = \"0.1.0\"\nedition = \"2024\"\n").unwrap();
        fs::write(package.join("src/lib.rs"), "").unwrap();
        // As `Place::environment` has it: what cargo keeps, it keeps for this compiler, found this way.
        let mut cargo = Command::new(toolchain().join("bin/cargo"));
        cargo.env_clear().env("PATH", format!("{}/bin:/usr/bin:/bin", toolchain().display())).env("HOME", dir.path());
        let output = cargo.args(["check", "--offline"]).current_dir(&package).output().expect("run cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        KEPT.map(|name| (name.into(), fs::read(package.join("target").join(name)).expect("cargo leaves it"))).into()
    });
    fs::create_dir_all(target).unwrap();
    left.iter().for_each(|(name, bytes)| fs::write(target.join(name), bytes).unwrap());
}
