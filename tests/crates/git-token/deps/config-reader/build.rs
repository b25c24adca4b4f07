//! Reads git's configuration, where CI leaves its token, and asks git where the sources stand, which must still work.

use std::process::Command;

fn main() {
    println!("zoo: config {:?}", std::fs::read_to_string("../../.git/config").unwrap_or_default());
    println!("zoo: asked {}", git(&["config", "--get-regexp", "http"]));
    println!("zoo: described {}", git(&["describe", "--always", "--tags"]));
}

fn git(args: &[&str]) -> String {
    let output = Command::new("git").args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}
