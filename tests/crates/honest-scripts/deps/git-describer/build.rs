//! As `vergen` and `built` do: asks git where the sources stand, and whether anything was changed.

use std::process::Command;

fn main() {
    let described = git(&["describe", "--always", "--dirty", "--tags"]);
    println!("cargo:rustc-env=ZOO_DESCRIBED={described}");
    println!("cargo:warning=branch {}", git(&["rev-parse", "--abbrev-ref", "HEAD"]));
    println!("cargo:rerun-if-changed=../../.git/HEAD");
}

fn git(args: &[&str]) -> String {
    let output = Command::new("git").args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}
