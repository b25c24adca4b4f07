//! Leaves a process behind that has its own session, outlives the build, and acts two seconds later.

use std::process::{Command, Stdio};

fn main() {
    let later = format!("sleep 2; : > '{}/zoo-survived'", std::env::var("OUT_DIR").unwrap());
    let mut command = Command::new("setsid");
    command.args(["--fork", "sh", "-c", &later]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = command.status();
}
