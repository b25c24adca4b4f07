//! The report as a file. In: a `&Report` and a path that was tried before the build. Out: pretty-printed JSON, complete or not there at
//! all; and back, with an error that tells a cut-off file from a foreign one.
//!
//! The build may have planted anything by the time the report is written. So the directory is held by descriptor from before the build,
//! the new file is created exclusively under a fresh name, and it takes its place by rename, which replaces a link and follows none.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::UnlinkatFlags;

use super::written::written;
use crate::model::report::{Report, SCHEMA, SCHEMA_BEFORE};

/// Larger files are not reports of ours: everything in a report is capped.
const LARGEST: u64 = 1 << 30;

/// The JSON Schema of what is written, for whoever wants to check a report.
pub const JSON_SCHEMA: &str = include_str!("schema.json");

/// The one stable form: a line for each act, process and finding, always in the same order, `end` last.
pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    super::inert::lines(&written(report), w)
}

/// Where a file will go. Made before the build, so that a bad path fails first.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    directory: OwnedFd,
    name: std::ffi::OsString,
    /// Others write to it, too: what they wrote stays.
    shared: bool,
}

impl Output {
    /// Checks that a file can be made at `path`, and holds its directory.
    ///
    /// # Errors
    /// The directory is missing or not writable, or something other than a regular file stands at `path`.
    pub fn prepare(path: &Path) -> Result<Output> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::open(path, parent, OFlag::empty(), false)
    }

    /// The same for a file that others write to as well, one after the other: what is written comes at its end.
    ///
    /// # Errors
    /// As for [`Output::prepare`].
    pub fn prepare_shared(path: &Path) -> Result<Output> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::open(path, parent, OFlag::empty(), true)
    }

    /// The same for our own report directory, which is made if it is missing and must not be a symbolic link.
    pub fn prepare_in(directory: &Path, name: &str) -> Result<Output> {
        std::fs::create_dir_all(directory).with_context(|| format!("create report directory `{}`", directory.display()))?;
        Self::open(&directory.join(name), directory, OFlag::O_NOFOLLOW, false)
    }

    fn open(path: &Path, parent: &Path, flags: OFlag, shared: bool) -> Result<Output> {
        let shown = path.display();
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_RDONLY | flags;
        let directory = nix::fcntl::open(parent, flags, Mode::empty())
            .with_context(|| format!("open directory `{}` for report `{shown}`", parent.display()))?;
        let name = path.file_name().with_context(|| format!("report path `{shown}` names no file"))?.to_owned();
        Self::tried(Output { path: path.to_owned(), directory, name, shared })
    }

    /// The same in a directory that is held already; `path` is how it is called.
    ///
    /// # Errors
    /// As for [`Output::prepare`].
    pub fn at(path: PathBuf, directory: OwnedFd, name: std::ffi::OsString) -> Result<Output> {
        Self::tried(Output { path, directory, name, shared: false })
    }

    fn tried(output: Output) -> Result<Output> {
        let called = output.path.clone();
        let shown = called.display();
        // Renaming over a device or a link would replace the thing itself (`/dev/null`, `/dev/stdout`).
        match output.stat(&output.name) {
            Ok(there) => ensure!(is_file(&there), "report path `{shown}` exists and is not a regular file"),
            Err(nix::Error::ENOENT) => {}
            Err(error) => return Err(error).with_context(|| format!("look at report path `{shown}`")),
        }
        if output.shared {
            output.end().with_context(|| format!("open `{shown}`"))?;
            return Ok(output);
        }
        let (temporary, _) = output.create().with_context(|| format!("create a file beside `{shown}`"))?;
        output.remove(&temporary);
        Ok(output)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same name in the same directory, by whatever way.
    ///
    /// # Errors
    /// When a directory cannot be looked at.
    pub fn is_same(&self, other: &Output) -> Result<bool> {
        let directory = |output: &Output| fstat(&output.directory).map(|there| (there.st_dev, there.st_ino));
        Ok(self.name == other.name && directory(self)? == directory(other)?)
    }

    /// Writes the file whole or not at all; an earlier one stays until the new one is complete. Not synced: what a crash of the machine
    /// may take is a record of a build whose results cargo does not sync either, and a sync costs more than a build that does nothing.
    pub fn write(&self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let shown = self.path.display();
        if self.shared {
            return self.add(content).with_context(|| format!("write report `{shown}`"));
        }
        let (temporary, file) = self.create().with_context(|| format!("create a file beside `{shown}`"))?;
        let written = self.fill(file, content).and_then(|file| self.put(&temporary, &file));
        if written.is_err() {
            self.remove(&temporary);
        }
        written.with_context(|| format!("write report `{shown}`"))
    }

    /// After what is there, in one piece.
    fn add(&self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let mut file = self.end()?;
        let mut text = if file.metadata()?.len() > 0 { b"\n".to_vec() } else { Vec::new() };
        content(&mut text)?;
        Ok(file.write_all(&text)?)
    }

    /// The file, at its end; a link or pipe in its place is refused.
    fn end(&self) -> Result<File> {
        let flags = OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = nix::fcntl::openat(&self.directory, self.name.as_os_str(), flags, Mode::from_bits_truncate(0o666))?;
        ensure!(is_file(&fstat(&file)?), "it is not a regular file");
        Ok(File::from(file))
    }

    fn fill(&self, file: File, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<File> {
        let mut buffered = BufWriter::new(file);
        content(&mut buffered)?;
        Ok(buffered.into_inner().map_err(io::IntoInnerError::into_error)?)
    }

    fn put(&self, temporary: &str, file: &File) -> Result<()> {
        let ours = fstat(file)?;
        nix::fcntl::renameat(&self.directory, temporary, &self.directory, self.name.as_os_str())?;
        let there = self.stat(&self.name)?;
        ensure!((there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino), "another process replaced the file while it was written");
        Ok(())
    }

    /// A new file nobody else has a name for, readable as the user's umask says.
    fn create(&self) -> Result<(String, File)> {
        for attempt in 0..100u32 {
            let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos());
            let bytes = [self.name.as_bytes(), &seed.to_le_bytes(), &std::process::id().to_le_bytes(), &attempt.to_le_bytes()].concat();
            let name = format!(".brig-{}.tmp", crate::model::digest::hex(&bytes));
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
            match nix::fcntl::openat(&self.directory, name.as_str(), flags, Mode::from_bits_truncate(0o666)) {
                Ok(fd) => return Ok((name, File::from(fd))),
                Err(nix::Error::EEXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bail!("no free name for a temporary file")
    }

    fn remove(&self, name: &str) {
        // Nothing more can be done about a temporary file that will not go.
        let _ = nix::unistd::unlinkat(&self.directory, name, UnlinkatFlags::NoRemoveDir);
    }

    fn stat(&self, name: &std::ffi::OsStr) -> nix::Result<FileStat> {
        fstatat(&self.directory, name, AtFlags::AT_SYMLINK_NOFOLLOW)
    }
}

fn is_file(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
}

/// Reads a stored report.
///
/// # Errors
/// The file cannot be read, is cut off, is no report, or is one of another version.
pub fn load(path: &Path) -> Result<Report> {
    // A pipe that nobody writes to must not be waited for.
    let shown = path.display();
    let meta = std::fs::metadata(path).with_context(|| format!("read report `{shown}`"))?;
    ensure!(meta.is_file(), "`{shown}` is not a regular file");
    load_open(File::open(path).with_context(|| format!("read report `{shown}`"))?, path)
}

/// The same of a file that is open; `path` is how it is called.
///
/// # Errors
/// As for [`load`].
pub fn load_open(file: File, path: &Path) -> Result<Report> {
    let shown = path.display();
    let meta = file.metadata().with_context(|| format!("read report `{shown}`"))?;
    ensure!(meta.is_file(), "`{shown}` is not a regular file");
    ensure!(meta.len() <= LARGEST, "`{shown}` is too large for a report");
    // As it comes, without the text of it in memory: that is as much again as the report.
    let whole: Option<Report> = serde_json::from_reader(BufReader::with_capacity(1 << 16, &file).take(LARGEST)).ok();
    if let Some(report) = whole.filter(|report| is_known(&report.schema) && report.end) {
        return Ok(Report { schema: SCHEMA.to_owned(), ..report });
    }
    // What it is instead takes a closer look.
    let mut text = Vec::new();
    (&file).rewind().and_then(|()| file.take(LARGEST).read_to_end(&mut text)).with_context(|| format!("read report `{shown}`"))?;
    parse(&text).with_context(|| format!("read report `{shown}`"))
}

fn is_known(schema: &str) -> bool {
    [SCHEMA, SCHEMA_BEFORE].contains(&schema)
}

pub(crate) fn parse(text: &[u8]) -> Result<Report> {
    /// Just enough to say what a file is before all of it is understood.
    #[derive(serde::Deserialize)]
    struct Outline {
        schema: Option<String>,
        end: Option<bool>,
    }
    ensure!(!text.is_empty(), "the file is empty: the run that should have written it was cut off");
    let outline: Outline = serde_json::from_slice(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => anyhow::anyhow!("the file is cut off: {error}"),
        _ => anyhow::anyhow!("not a report of cargo-brig: {error}"),
    })?;
    match outline.schema.as_deref() {
        Some(schema) if is_known(schema) => {}
        Some(other) => bail!("schema {other:?} is not {SCHEMA:?}, the one this version reads"),
        None => bail!("not a report of cargo-brig: it has no `schema`"),
    }
    ensure!(outline.end == Some(true), "the file is cut off: its end mark is missing");
    let report: Report = serde_json::from_slice(text).context("not as the schema says")?;
    Ok(Report { schema: SCHEMA.to_owned(), ..report })
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
