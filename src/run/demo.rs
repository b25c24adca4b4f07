//! `cargo brig demo`: each scene is run by ourselves, as a user would, and its report is read back.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::stopped::Stopped;
use crate::demo::{PORT, Scene, play};
use crate::model::Exit;
use crate::model::report::Report;
use crate::report::json;

/// Ends well when every act of every scene was stopped and blamed on the right crate.
pub fn demo() -> Result<Exit, Stopped> {
    let all_stopped = play(&mut io::stdout(), scene)?;
    let word = if all_stopped {
        "Every act was stopped and blamed on the right crate."
    } else {
        "Not every act was stopped and blamed: see MISSED above."
    };
    let _ = writeln!(io::stdout(), "{word}");
    Ok(if all_stopped { Exit::Success } else { Exit::Violation })
}

fn scene(scene: &Scene, dir: &Path, port: u16) -> Result<Report> {
    let stored = dir.join("demo-report.json");
    let mut command = Command::new(std::env::current_exe().context("find ourselves")?);
    // Nothing of the user's configuration reaches into the demo.
    for name in [
        "BRIG_POLICY",
        "BRIG_MODE",
        "BRIG_CONFIG",
        "BRIG_FRESH",
        "BRIG_REPORT_DIR",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
        "RUSTFLAGS",
    ] {
        command.env_remove(name);
    }
    command.args(["--policy", "default", "--json"]).arg(&stored).args(scene.cargo);
    let status = command.current_dir(dir).env(PORT, port.to_string()).stdin(Stdio::null()).status().context("run ourselves")?;
    if ![Exit::Violation.code(), Exit::Success.code()].map(i32::from).contains(&status.code().unwrap_or(-1)) && !stored.exists() {
        bail!("the scene ended with {status}");
    }
    json::load(&stored)
}
