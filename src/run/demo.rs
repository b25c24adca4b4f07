//! `cargo brig demo`: each scene is run by ourselves, as a user would, and its report is read back. What was typed for the report holds for all
//! scenes together: each goes on in the same report directory, so that what one found stands in the next, and the last one's has all of it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::stopped::Stopped;
use crate::cli::{ColorChoice, Options, variables};
use crate::demo::{PORT, Scene, play};
use crate::model::Exit;
use crate::model::report::Report;
use crate::report::{Format, json};

/// Ends well when every act of every scene was stopped and blamed on the right crate.
pub fn demo(options: &Options) -> Result<Exit, Stopped> {
    let asked = asked(options).map_err(Stopped::usage)?;
    let mut number = 0;
    let run = |it: &Scene, dir: &Path, port: u16| {
        number += 1;
        scene(it, (dir, number), port, options, &asked)
    };
    let all_stopped = play(&mut io::stdout(), options.quiet, run)?;
    let word = if all_stopped {
        "Every act was stopped and blamed on the right crate."
    } else {
        "Not every act was stopped and blamed: see MISSED above."
    };
    let _ = writeln!(io::stdout(), "{word}");
    if options.report_dir.is_none() && !options.quiet {
        let _ = writeln!(io::stdout(), "The workspaces it played in are gone: commands as those above are for a run of your own.");
    }
    Ok(if all_stopped { Exit::Success } else { Exit::Violation })
}

/// The words that hold for each scene. Scenes run elsewhere: paths are made whole.
fn asked(options: &Options) -> Result<Vec<OsString>> {
    let mut words: Vec<OsString> = Vec::new();
    for (format, path) in options.outputs() {
        let option = match format {
            Format::Json => "--json",
            Format::Sarif => "--sarif",
            Format::Html => "--html",
            Format::Markdown => "--markdown",
        };
        words.extend([option.into(), whole(path)?.into()]);
    }
    if let Some(directory) = &options.report_dir {
        words.extend(["--report-dir".into(), whole(directory)?.into()]);
    }
    let color = options.color.map(|color| match color {
        ColorChoice::Auto => "auto",
        ColorChoice::Always => "always",
        ColorChoice::Never => "never",
    });
    words.extend(color.iter().flat_map(|color| ["--color".into(), OsString::from(color)]));
    let switches = [("--quiet", options.quiet), ("--verbose", options.verbose), ("--allow-degraded", options.allow_degraded)];
    words.extend(switches.iter().filter(|(_, on)| *on).map(|(switch, _)| OsString::from(switch)));
    Ok(words)
}

fn whole(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("find {}", path.display()))
}

fn scene(scene: &Scene, (dir, number): (&Path, u32), port: u16, options: &Options, asked: &[OsString]) -> Result<Report> {
    let mut command = Command::new(std::env::current_exe().context("find ourselves")?);
    // Nothing of the user's configuration reaches into the demo; what it is to heed is said.
    for name in variables::NAMES.into_iter().chain(["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RUSTFLAGS"]) {
        command.env_remove(name);
    }
    command.args(["--policy", "default"]).args(asked);
    let report_dir = match &options.report_dir {
        Some(directory) => whole(directory)?,
        None => {
            // For one report of all scenes; where none was asked for, each scene is told by itself.
            let number = if options.outputs().is_empty() { number } else { 0 };
            let directory = dir.join(format!("report-{number}"));
            command.arg("--passing").arg("--report-dir").arg(&directory);
            directory
        }
    };
    let stored = report_dir.join("report.json");
    match std::fs::remove_file(&stored) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("remove the last scene's report {}", stored.display()));
        }
        _ => {}
    }
    command.args(scene.cargo);
    let status = command.current_dir(dir).env(PORT, port.to_string()).stdin(Stdio::null()).status().context("run ourselves")?;
    if ![Exit::Violation.code(), Exit::Success.code()].map(i32::from).contains(&status.code().unwrap_or(-1)) && !stored.exists() {
        bail!("the scene ended with {status}");
    }
    json::load(&stored)
}
