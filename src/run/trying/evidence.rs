//! The directory of evidence: the only thing that a trial leaves. In: what was found. Out: reports, a letter, copies of files, what was sent.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::found::Found;
use super::left::Left;
use super::suspect::Suspect;
use super::throwaway::Throwaway;
use super::{letter, lines, proof};
use crate::model::moment;
use crate::report::Format;
use crate::report::json::Output;

/// Where evidence goes that nobody has named a directory for.
const DEFAULT: &str = "brig-evidence";

pub struct Evidence(PathBuf);

impl Evidence {
    /// Makes the directory, which must not be there.
    ///
    /// # Errors
    /// When it is, or cannot be made.
    pub fn begin(wanted: Option<&Path>, suspect: &Suspect, started: u64) -> Result<Evidence> {
        let dir = wanted.map_or_else(
            || Path::new(DEFAULT).join(format!("{}-{}-{}", suspect.name, suspect.version, moment::stamp(started))),
            Path::to_owned,
        );
        ensure!(fs::symlink_metadata(&dir).is_err(), "{} is there already: evidence is never overwritten", dir.display());
        // Whoever has written what lies here may have laid a link where nobody named a directory.
        let is_led = wanted.is_none() && Path::new(DEFAULT).is_symlink();
        ensure!(!is_led, "{DEFAULT} is a link, which is not followed: name a directory with `--evidence`");
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::create_dir(&dir)).with_context(|| format!("make {}", dir.display()))?;
        let evidence = Evidence(dir);
        fs::create_dir(evidence.files()).context("make a directory for files")?;
        Ok(evidence)
    }

    pub fn dir(&self) -> &Path {
        &self.0
    }

    pub fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// # Errors
    /// When something cannot be written: then there is no evidence.
    pub fn keep(&self, found: &Found, throwaway: &Throwaway) -> Result<()> {
        let Found { all, ended, left, .. } = *found;
        for (format, name) in [(Format::Json, "report.json"), (Format::Html, "report.html"), (Format::Markdown, "report.md")] {
            Output::prepare_in(&self.0, name)?.write(|w| format.write(all, w)).with_context(|| format!("write {name}"))?;
        }
        self.write("letter.md", &letter::text(found, throwaway))?;
        if let Some(reached) = found.reached {
            self.write("calls.txt", &reached.text())?;
        }
        if let Some(again) = found.again {
            self.write("replay.txt", &again.text(found.prepared.run.as_ref(), found.whose))?;
        }
        self.write("brig.lock", &lines::lock(all, &found.prepared.suspect))?;
        let sinks = throwaway.sinks();
        proof::keep(ended.iter().zip(sinks.iter().map(|dir| &**dir)), &self.0)?;
        if !left.is_empty() {
            let line = |one: &Left| Some(format!("{}  {}\n", one.sha256.as_ref()?, one.copy.as_ref()?));
            self.write("files/SHA256SUMS", &left.iter().filter_map(line).collect::<String>())?;
        }
        for (number, one) in ended.iter().enumerate().filter(|(_, one)| !one.said.is_empty()) {
            let name = format!("said-{}-{}.txt", number + 1, one.name.replace(' ', "-"));
            Output::prepare_in(&self.0, &name)?.write(|w| w.write_all(&one.said)).with_context(|| format!("write {name}"))?;
        }
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::File::create_new(self.0.join(name))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("write {name}"))
    }
}
