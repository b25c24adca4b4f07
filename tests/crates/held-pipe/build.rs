//! Ends at once, and leaves a process behind that keeps this script's standard output open: cargo reads it to its end. `ZOO_HOLD` is how
//! many seconds, a minute at most.

use std::process::{Command, Stdio};

fn main() {
    println!("cargo:rerun-if-env-changed=ZOO_HOLD");
    let hold: u32 = std::env::var("ZOO_HOLD").unwrap_or_default().parse().unwrap_or(0);
    let mut command = Command::new("setsid");
    command.args(["--fork", "sleep", &hold.min(60).to_string()]).stdin(Stdio::null()).stderr(Stdio::null());
    let _ = command.status();
}
