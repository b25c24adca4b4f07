//! As `curl-sys` does: preprocesses against a header that lies in the output directory of another crate, which told it where.

use std::process::Command;

fn main() {
    let include = std::env::var("DEP_ZOO_ANSWER_INCLUDE").unwrap();
    let text = std::fs::read_to_string(format!("{include}/answer.h")).unwrap();
    let seen = Command::new("cc").args(["-E", "-P", "-include", "answer.h", "probe.c", "-I"]).arg(include).output().unwrap();
    assert!(seen.status.success() && text.contains("42"));
    println!("cargo:warning=preprocessed: {}", String::from_utf8_lossy(&seen.stdout).trim());
}
