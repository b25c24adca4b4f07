//! The workspace's `brig.lock`. In: the workspace. Out: the lock, if there is one; or what is wrong with the file (exit 96).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::baseline::Lock;
use crate::plan::document::ConfigError;

pub const NAME: &str = "brig.lock";
/// No honest one is longer.
const LONGEST: u64 = 64 << 20;

pub fn place(workspace: &Path) -> PathBuf {
    workspace.join(NAME)
}

/// # Errors
/// With the line, where it is none of ours; and where something else lies there: what stands for it somewhere else was written by nobody knows whom.
pub fn read(workspace: &Path) -> Result<Option<Lock>, ConfigError> {
    match text(&place(workspace))? {
        None => Ok(None),
        Some(text) => parse(NAME, &text).map(Some),
    }
}

/// What lies there now.
///
/// # Errors
/// As [`read`], but for what stands in it.
pub fn text(path: &Path) -> Result<Option<String>, ConfigError> {
    let wrong = |message: String| Err(ConfigError::whole(&path.display().to_string(), message));
    match std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path) {
        Ok(file) => whole(file, path).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            wrong("is a symbolic link: it must be a file of the workspace's own".into())
        }
        Err(error) => wrong(format!("cannot be read: {error}")),
    }
}

/// All of a file that is open; `path` is what it is called.
///
/// # Errors
/// Where it is no file, is too long, or cannot be read.
pub fn whole(file: File, path: &Path) -> Result<String, ConfigError> {
    let wrong = |message: String| Err(ConfigError::whole(&path.display().to_string(), message));
    let mut text = String::new();
    match file.metadata() {
        Ok(facts) if !facts.is_file() => return wrong("is no file".into()),
        Ok(facts) if facts.len() > LONGEST => return wrong(format!("is longer than {} MiB", LONGEST >> 20)),
        Err(error) => return wrong(format!("cannot be read: {error}")),
        Ok(_) => {}
    }
    match file.take(LONGEST).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => wrong(format!("cannot be read: {error}")),
    }
}

/// # Errors
/// With the line.
pub fn parse(file: &str, text: &str) -> Result<Lock, ConfigError> {
    Lock::read(text).map_err(|wrong| ConfigError { line: wrong.line, ..ConfigError::whole(file, wrong.message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        let path = place(dir.path());
        std::fs::write(&path, "brig-lock 2\n").unwrap();
        assert_eq!(read(dir.path()).unwrap(), Some(Lock::default()));
        std::fs::write(&path, "brig-lock 2\n\n<<<<<<< HEAD\n").unwrap();
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(error.starts_with("brig.lock:3:1: a merge stopped here"), "{error}");
        std::fs::rename(&path, dir.path().join("other")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("other"), &path).unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("is a symbolic link"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("is no file"));
    }
}
