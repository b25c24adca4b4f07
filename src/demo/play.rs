//! Plays the demo: writes the workspace, opens the listener, has each scene run behind Brig's walls, and tells what came of it. How a
//! scene is run is the conductor's business and is handed in.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::expect::{SCENES, Scene, check};
use super::sink::Sink;
use super::workspace::write;
use crate::model::report::Report;

/// Tells the story on `out`. `run` gets a scene, the workspace's directory and the port that belongs into [`super::PORT`].
/// Quietly, only what was missed is told. Answers whether every act was stopped and blamed on the right crate.
///
/// # Errors
/// When the stage cannot be set, or a scene cannot be run at all.
pub fn play(out: &mut dyn Write, quiet: bool, mut run: impl FnMut(&Scene, &Path, u16) -> Result<Report>) -> Result<bool> {
    let dir = tempfile::Builder::new().prefix("brig-demo-").tempdir().context("make a directory for the demo")?;
    write(dir.path()).context("set the stage")?;
    let sink = Sink::start().context("listen on loopback")?;
    let mut unmet = Vec::new();
    for scene in SCENES {
        if !quiet {
            writeln!(out, "\n== {}\n   cargo brig {}", scene.title, scene.cargo.join(" "))?;
        }
        let report = run(scene, dir.path(), sink.port).with_context(|| format!("run the scene `{}`", scene.title))?;
        let missed = check(scene, &report, &sink);
        // Look-alikes have one story.
        let mut stories: Vec<(&str, &str, Vec<&str>)> = Vec::new();
        for expected in scene.expected.iter().filter(|expected| !quiet && expected.met(&report)) {
            let (kind, story) = (expected.kind.name(), expected.story);
            match stories.last_mut() {
                Some((last, same, culprits)) if (*last, *same) == (kind, story) => culprits.push(expected.culprit),
                _ => stories.push((kind, story, vec![expected.culprit])),
            }
        }
        for (kind, story, culprits) in stories {
            writeln!(out, "     stopped  {} ({kind}): {story}", culprits.join(", "))?;
        }
        for miss in &missed {
            writeln!(out, "      MISSED  {miss}")?;
        }
        unmet.extend(missed);
    }
    let heard = if sink.was_told() { "the canary" } else { "no secret" };
    if !quiet {
        writeln!(out, "\nThe listener that plays the thieves' host heard {heard} ({} bytes in all).", sink.heard().len())?;
    }
    Ok(unmet.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_that_finds_nothing_is_no_success() {
        let mut told = Vec::new();
        let nothing = |_: &Scene, dir: &Path, _| {
            assert!(dir.join(".env").is_file());
            Ok(super::super::expect::report_of(&[]))
        };
        assert!(!play(&mut told, false, nothing).unwrap());
        let told = String::from_utf8(told).unwrap();
        assert!(told.contains("MISSED") && told.contains("chrono_anchor"), "{told}");
        assert!(play(&mut Vec::new(), false, |scene, _, _| Ok(super::super::expect::report_of(scene.expected))).unwrap());
    }
}
