//! Files that look as if they had lain there for long. In: paths below a root, and what they hold. Out: files and directories whose times are
//! spread over the last two years. What is there already stays as it is.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::suspect::decoys::random::Random;

const HOUR: u64 = 3600;
/// Two years.
const OLDEST: u64 = 730 * 24 * HOUR;

pub struct Putting {
    now: SystemTime,
    random: Random,
    /// Directories that were looked at, and for those that were made the time of what came in last.
    dirs: BTreeMap<PathBuf, Option<SystemTime>>,
    pub files: usize,
}

impl Putting {
    /// # Errors
    /// When there are no random numbers.
    pub fn new() -> io::Result<Putting> {
        Ok(Putting { now: SystemTime::now(), random: Random::new()?, dirs: BTreeMap::new(), files: 0 })
    }

    /// A time in the last two years, rather late than early.
    fn drawn(&mut self) -> io::Result<SystemTime> {
        let part = self.random.below(10_000)? as u64;
        Ok(self.ago(HOUR + (OLDEST - 2 * HOUR) / 10_000 * part / 10_000 * part))
    }

    pub fn ago(&self, seconds: u64) -> SystemTime {
        self.now - Duration::from_secs(seconds)
    }

    /// # Errors
    /// With the path that could not be written.
    pub fn put(&mut self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        let time = self.drawn()?;
        self.put_at(path, content, mode, time)
    }

    /// # Errors
    /// With the path that could not be written.
    pub fn put_at(&mut self, path: &Path, content: &[u8], mode: u32, time: SystemTime) -> io::Result<()> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("lay {}: {error}", path.display()));
        if let Some(parent) = path.parent() {
            self.directory(parent).map_err(named)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        let mut file = match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            other => other.map_err(named)?,
        };
        file.write_all(content).map_err(named)?;
        file.set_times(FileTimes::new().set_modified(time).set_accessed(time)).map_err(named)?;
        self.files += 1;
        if let Some(Some(last)) = path.parent().and_then(|parent| self.dirs.get_mut(parent)) {
            *last = (*last).max(time);
        }
        Ok(())
    }

    fn directory(&mut self, dir: &Path) -> io::Result<()> {
        if self.dirs.contains_key(dir) {
            return Ok(());
        }
        if fs::symlink_metadata(dir).is_ok_and(|found| found.is_dir()) {
            self.dirs.insert(dir.to_owned(), None);
            return Ok(());
        }
        if let Some(parent) = dir.parent() {
            self.directory(parent)?;
        }
        let hidden = dir.file_name().is_some_and(|name| matches!(name.as_encoded_bytes(), b".ssh" | b".gnupg" | b".aws"));
        DirBuilder::new().mode(if hidden { 0o700 } else { 0o755 }).create(dir)?;
        let oldest = self.ago(OLDEST);
        self.dirs.insert(dir.to_owned(), Some(oldest));
        Ok(())
    }

    /// Gives every directory that was made the time of the last that came into it.
    ///
    /// # Errors
    /// When a directory was taken away meanwhile.
    pub fn finish(self) -> io::Result<()> {
        let mut dirs = self.dirs;
        // From the deepest up.
        while let Some((dir, last)) = dirs.pop_last() {
            let Some(last) = last else { continue };
            File::open(&dir)?.set_times(FileTimes::new().set_modified(last).set_accessed(last))?;
            if let Some(Some(above)) = dir.parent().and_then(|parent| dirs.get_mut(parent)) {
                *above = (*above).max(last);
            }
        }
        Ok(())
    }
}
