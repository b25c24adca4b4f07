//! Works in the temporary directory, talks to a child through pipes, runs a shell, and looks for a program that is not there.

use std::io::Write;
use std::process::{Command, Stdio};

fn main() {
    let dir = std::env::temp_dir().join(format!("temp-user-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("a"), "text").unwrap();
    std::fs::rename(dir.join("a"), dir.join("b")).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    let mut child = Command::new("sh").arg("-c").arg("tr a-z A-Z").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"piped").unwrap();
    let output = child.wait_with_output().unwrap();
    let missing = Command::new("zoo-no-such-program").status().is_err();
    println!("cargo:warning={} {missing}", String::from_utf8_lossy(&output.stdout));
}
