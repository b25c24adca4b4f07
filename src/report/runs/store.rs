//! Where reports are kept: the last ones of a report directory, each in a file `runs/ID.json`. In: that directory, held from before the build.
//! Out: names of runs, their reports.
//!
//! What lies there may have been planted by whoever writes to the repository: a name that is not one of ours is not looked at, no link is followed,
//! nothing is removed but files of such names.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::UnlinkatFlags;

use super::super::json::{self, Output};
use crate::model::report::Report;
use crate::model::{Hostile, moment};

/// So many of the last reports are kept, and those that a kept finding comes from.
pub const KEPT: usize = 10;

/// A run's name: when it began, and which of several that began within this second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    stamp: String,
    number: u32,
}

impl Id {
    /// Only what we make ourselves is a name: 20261129-105507, 20261129-105507-2.
    pub fn parse(text: &str) -> Option<Id> {
        let (stamp, number) = text.split_at_checked(15)?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_stamp = stamp.split_once('-').is_some_and(|(day, time)| day.len() == 8 && digits(day) && digits(time));
        let number = match number.strip_prefix('-') {
            None if number.is_empty() => 1,
            Some(number) if digits(number) && !number.starts_with('0') => number.parse().ok().filter(|number| *number > 1)?,
            _ => return None,
        };
        is_stamp.then(|| Id { stamp: stamp.to_owned(), number })
    }

    /// Later than every other, whatever the clock says: what is newest must be told by the name alone.
    fn next(started: u64, newest: Option<&Id>) -> Id {
        let now = Id { stamp: moment::stamp(started), number: 1 };
        match newest {
            Some(newest) if *newest >= now => Id { stamp: newest.stamp.clone(), number: newest.number.saturating_add(1) },
            _ => now,
        }
    }

    fn file(&self) -> String {
        format!("{self}.json")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            1 => f.write_str(&self.stamp),
            number => write!(f, "{}-{number}", self.stamp),
        }
    }
}

/// The kept reports of one report directory.
#[derive(Debug)]
pub struct Runs {
    path: PathBuf,
    directory: OwnedFd,
    /// Is this one of the repository's own files? No run has written that.
    is_repositorys: fn(&Path) -> bool,
}

impl Runs {
    /// Makes the place for them, which must not be a link.
    ///
    /// # Errors
    /// When it cannot be made, or written to.
    pub fn prepare(report_dir: &Path) -> Result<Runs> {
        let path = report_dir.join("runs");
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("make the directory of reports `{}`", path.display()));
            }
            _ => {}
        }
        let runs = Runs::open(report_dir)?.ok_or_else(|| anyhow!("there is no `{}`", path.display()))?;
        runs.output("prepared").map(|_| runs)
    }

    /// Takes none for a report of an earlier run that the repository brings along: whoever writes that would take back what was found.
    pub fn distrusting(self, is_repositorys: fn(&Path) -> bool) -> Runs {
        Runs { is_repositorys, ..self }
    }

    /// Those that are there; `None` where none was ever kept.
    ///
    /// # Errors
    /// When something else is in their place.
    pub fn open(report_dir: &Path) -> Result<Option<Runs>> {
        let path = report_dir.join("runs");
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_RDONLY;
        match nix::fcntl::open(&path, flags, Mode::empty()) {
            Ok(directory) => Ok(Some(Runs { path, directory, is_repositorys: |_| false })),
            Err(nix::Error::ENOENT) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("open the directory of reports `{}`", path.display())),
        }
    }

    /// Newest first.
    pub fn ids(&self) -> Result<Vec<Id>> {
        let held = format!("/proc/self/fd/{}", self.directory.as_raw_fd());
        let entries = std::fs::read_dir(held).with_context(|| format!("read the directory of reports `{}`", self.path.display()))?;
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut ids: Vec<Id> = names.filter_map(|name| Id::parse(name.to_str()?.strip_suffix(".json")?)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    /// # Errors
    /// When it is not there, or no report.
    pub fn load(&self, id: &Id) -> Result<Report> {
        let shown = self.path.join(id.file());
        let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_RDONLY | OFlag::O_NONBLOCK;
        let opened = nix::fcntl::openat(self.directory.as_fd(), id.file().as_str(), flags, Mode::empty());
        let file = opened.with_context(|| format!("read report `{}`", shown.display()))?;
        json::load_open(file.into(), &shown)
    }

    /// The newest report of this workspace that can be read.
    pub fn newest(&self, workspace: Option<&Hostile>) -> Option<Report> {
        let own = self.ids().ok()?.into_iter().filter(|id| !(self.is_repositorys)(&self.path.join(id.file())));
        let reports = own.filter_map(|id| self.load(&id).ok());
        reports.into_iter().find(|report| report.run.workspace.as_ref() == workspace)
    }

    /// A name for a run that began then.
    pub fn name(&self, started: u64) -> Result<Id> {
        Ok(Id::next(started, self.ids()?.first()))
    }

    /// Keeps a report under its name, and lets the oldest go.
    ///
    /// # Errors
    /// When it cannot be written. That an old one will not go is none.
    pub fn keep(&self, report: &Report) -> Result<()> {
        let id = Id::parse(&report.run.id).ok_or_else(|| anyhow!("the run has no name"))?;
        self.output(&id.file())?.write(|w| json::write(report, w))?;
        let needed: Vec<Id> = report.standing.iter().filter_map(|standing| Id::parse(&standing.run)).collect();
        for old in self.ids()?.into_iter().skip(KEPT).filter(|old| !needed.contains(old)) {
            let _ = nix::unistd::unlinkat(self.directory.as_fd(), old.file().as_str(), UnlinkatFlags::NoRemoveDir);
        }
        Ok(())
    }

    fn output(&self, name: &str) -> Result<Output> {
        Output::at(self.path.join(name), self.directory.try_clone()?, name.into())
    }
}

/// The run of this name.
///
/// # Errors
/// When it is no name of a run, or of none that is kept.
pub fn named(report_dir: &Path, name: &str) -> Result<Report> {
    let unknown = || anyhow!("there is no run `{}`\n  help: `cargo brig report --list` names them", name.escape_debug());
    let Some(id) = Id::parse(name) else { bail!(unknown()) };
    let runs = Runs::open(report_dir)?.ok_or_else(unknown)?;
    if !runs.ids()?.contains(&id) {
        bail!(unknown());
    }
    runs.load(&id)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
