//! Which packages a workspace's lock file holds: for denials, exceptions, units. In: `Cargo.lock`, read once. Out: names, versions, sources and checksums;
//! nothing where there is no lock file; an error (exit 96) where there is one that cannot be read.

use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Deserialize;

use crate::plan::document::ConfigError;

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Locked {
    #[serde(default, rename = "package")]
    pub packages: Vec<Package>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub source: Option<String>,
    pub checksum: Option<String>,
}

/// No honest lock file is longer.
const LONGEST: u64 = 64 << 20;

impl Locked {
    /// One that is there and cannot be read here may still be read by cargo: then nobody would know what is in the build. Whoever asks twice asks because cargo
    /// may have written it in between, and is told the same way.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn read(workspace: &Path) -> Result<Option<Locked>, ConfigError> {
        let path = workspace.join("Cargo.lock");
        let wrong = |message: String| ConfigError::unread(&path.display().to_string(), message);
        let unread = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
        // What stands there may be a pipe, which must not make us wait.
        let file = match std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.symlink_metadata().is_err() => return Ok(None),
            Err(error) => return Err(unread(error)),
        };
        let facts = file.metadata().map_err(unread)?;
        if !facts.is_file() {
            return Err(wrong("is no file".into()));
        }
        let mut text = String::new();
        if facts.len() <= LONGEST {
            file.take(LONGEST + 1).read_to_string(&mut text).map_err(unread)?;
        }
        if facts.len().max(text.len() as u64) > LONGEST {
            return Err(wrong(format!("is longer than {} MiB", LONGEST >> 20)));
        }
        let parsed = toml::from_str(&text).map_err(|_| wrong("is no lock file: cargo writes another one where there is none".into()));
        parsed.map(Some)
    }

    /// The packages this holds for.
    pub fn which(&self, is: impl Fn(&str, &str) -> bool) -> Vec<&Package> {
        self.packages.iter().filter(|package| is(&package.name, &package.version)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_of_a_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Locked::read(dir.path()), Ok(None));
        let path = dir.path().join("Cargo.lock");
        let text = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
                    [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"git+y\"\n";
        std::fs::write(&path, text).unwrap();
        let locked = Locked::read(dir.path()).unwrap().unwrap();
        assert_eq!((locked.which(|name, _| name == "a").len(), locked.which(|name, _| name == "b").len()), (1, 2));
        // There, and not understood: never an empty one.
        let wrong = || Locked::read(dir.path()).unwrap_err().message;
        std::fs::write(&path, "<<<<<<< HEAD\n").unwrap();
        assert!(wrong().contains("is no lock file"));
        std::fs::write(&path, b"version = 4 # \xff\n").unwrap();
        assert!(wrong().contains("cannot be read"));
        std::fs::File::create(&path).unwrap().set_len(LONGEST + 1).unwrap();
        assert!(wrong().contains("is longer than 64 MiB"));
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(wrong().contains("cannot be read"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(wrong().contains("is no file"));
    }
}
