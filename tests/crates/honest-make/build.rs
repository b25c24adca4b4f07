//! Runs make with the jobserver cargo gave it (`ZOO_JOBS` not set), or with one of its own. Three recipes meet, so three must run at once; and
//! never more, as there are three tokens. Make has nothing to complain about.

use std::env::var;
use std::fs;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=ZOO_JOBS");
    let out = var("OUT_DIR").unwrap();
    for dir in ["running", "arrived"] {
        fs::create_dir_all(format!("{out}/{dir}")).unwrap();
    }
    let here = var("CARGO_MANIFEST_DIR").unwrap();
    let mut make = Command::new("make");
    make.args(["-f", &format!("{here}/Makefile"), &format!("HERE={here}")]).current_dir(&out);
    match var("ZOO_JOBS") {
        Ok(jobs) => make.arg(format!("-j{jobs}")).env_remove("MAKEFLAGS").env_remove("CARGO_MAKEFLAGS"),
        Err(_) => make.env("MAKEFLAGS", var("CARGO_MAKEFLAGS").expect("cargo has a jobserver")),
    };
    let output = make.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{output:?}");
    let most = fs::read_to_string(format!("{out}/most")).unwrap().lines().map(|line| line.trim().parse::<u32>().unwrap()).max();
    println!("zoo: {most:?} at once");
    assert_eq!(most, Some(3));
    for dir in ["running", "arrived"] {
        fs::remove_dir_all(format!("{out}/{dir}")).unwrap();
    }
    fs::remove_file(format!("{out}/most")).unwrap();
}
