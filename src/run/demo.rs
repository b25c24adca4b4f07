//! `cargo brig demo`: each scene is run by ourselves, as a user would, and its report is read back. What was typed for the report holds for all
//! scenes together: their reports are joined into one.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::outputs::{add_own, all_asked};
use super::stopped::Stopped;
use super::streams::Heedless;
use crate::cli::{ColorChoice, Options, variables};
use crate::demo::{PORT, Scene, play};
use crate::model::Exit;
use crate::model::report::Report;
use crate::report::joined::joined;
use crate::report::json::Output;
use crate::report::{Format, escape, json};

/// Ends well when every act of every scene was stopped and blamed on the right crate.
pub fn demo(options: &Options) -> Result<Exit, Stopped> {
    // Before the scenes: a bad path fails first.
    let outputs = outputs(options).map_err(Stopped::usage)?;
    let (words, mut number, mut reports) = (words(options), 0, Vec::new());
    let run = |it: &Scene, dir: &Path, port: u16| {
        number += 1;
        let report = scene(it, (dir, number), port, &words)?;
        reports.push(report.clone());
        Ok(report)
    };
    let mut stdout = Heedless(io::stdout());
    let all_stopped = play(&mut stdout, options.quiet, run)?;
    if let Some(report) = joined(reports, &["cargo", "brig", "demo"]) {
        for (format, output) in &outputs {
            output.write(|w| format.write(&report, w))?;
        }
    }
    let page = outputs.iter().find(|(format, _)| *format == Format::Html).map(|(_, output)| output.path());
    if let Some(page) = page.filter(|_| !options.quiet) {
        writeln!(stdout, "The report of all scenes: {}", escape::ours(&page.to_string_lossy())).context("write to stdout")?;
    }
    let word = if all_stopped {
        "Every act was stopped and blamed on the right crate."
    } else {
        "Not every act was stopped and blamed: see MISSED above."
    };
    writeln!(stdout, "{word}").context("write to stdout")?;
    if options.report_dir.is_none() && !options.quiet {
        writeln!(stdout, "The workspaces it played in are gone: commands as those above are for a run of your own.")
            .context("write to stdout")?;
    }
    Ok(if all_stopped { Exit::Success } else { Exit::Violation })
}

/// Where the report of all scenes goes.
fn outputs(options: &Options) -> Result<Vec<(Format, Output)>> {
    let (mut outputs, _) = all_asked(options)?;
    if let Some(directory) = &options.report_dir {
        add_own(&mut outputs, directory)?;
    }
    Ok(outputs)
}

/// What holds for each scene.
fn words(options: &Options) -> Vec<OsString> {
    let color = options.color.map(|color| match color {
        ColorChoice::Auto => "auto",
        ColorChoice::Always => "always",
        ColorChoice::Never => "never",
    });
    let mut words: Vec<OsString> = color.iter().flat_map(|color| ["--color".into(), OsString::from(color)]).collect();
    let switches = [("--quiet", options.quiet), ("--verbose", options.verbose), ("--allow-degraded", options.allow_degraded)];
    words.extend(switches.iter().filter(|(_, on)| *on).map(|(switch, _)| OsString::from(switch)));
    words
}

fn scene(scene: &Scene, (dir, number): (&Path, u32), port: u16, words: &[OsString]) -> Result<Report> {
    let mut command = Command::new(std::env::current_exe().context("find ourselves")?);
    // Nothing of the user's configuration reaches into the demo; what it is to heed is said.
    for name in variables::NAMES.into_iter().chain(["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RUSTFLAGS"]) {
        command.env_remove(name);
    }
    // Each scene is told by itself.
    let report_dir = dir.join(format!("report-{number}"));
    command.args(["--policy", "default", "--passing", "--report-dir"]).arg(&report_dir).args(words).args(scene.cargo);
    let stored = report_dir.join("report.json");
    let status = command.current_dir(dir).env(PORT, port.to_string()).stdin(Stdio::null()).status().context("run ourselves")?;
    if ![Exit::Violation.code(), Exit::Success.code()].map(i32::from).contains(&status.code().unwrap_or(-1)) && !stored.exists() {
        bail!("the scene ended with {status}");
    }
    json::load(&stored)
}
