//! Which packages a workspace's lock file holds: for denials, and for exceptions whose package is gone. In: `Cargo.lock`. Out: names, versions
//! and sources; nothing where there is no lock file, or none that can be read.

use std::path::Path;

use serde::Deserialize;

use crate::plan::document::ConfigError;

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Locked {
    #[serde(default, rename = "package")]
    pub packages: Vec<Package>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub source: Option<String>,
    pub checksum: Option<String>,
}

/// No honest lock file is longer.
const LONGEST: u64 = 64 << 20;

impl Locked {
    /// One that is there and cannot be read here may still be read by cargo: then nobody would know what is in the build.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn check(workspace: &Path) -> Result<(), ConfigError> {
        let path = workspace.join("Cargo.lock");
        let wrong = |message: String| Err(ConfigError::whole(&path.display().to_string(), message));
        match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return wrong(format!("cannot be read: {error}")),
            Ok(facts) if !facts.is_file() => return wrong("is no file".into()),
            Ok(facts) if facts.len() > LONGEST => return wrong(format!("is longer than {} MiB", LONGEST >> 20)),
            Ok(_) => {}
        }
        match Locked::read(workspace) {
            Some(_) => Ok(()),
            None => wrong("is no lock file: cargo writes another one where there is none".into()),
        }
    }

    pub fn read(workspace: &Path) -> Option<Locked> {
        let path = workspace.join("Cargo.lock");
        let size = path.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        let text = (size <= LONGEST).then(|| std::fs::read_to_string(path).ok())??;
        toml::from_str(&text).ok()
    }

    /// The packages this holds for.
    pub fn which(&self, is: impl Fn(&str, &str) -> bool) -> Vec<&Package> {
        self.packages.iter().filter(|package| is(&package.name, &package.version)).collect()
    }

    /// Are there packages of the same name and version from several places? Then a name says nothing.
    pub fn is_ambiguous(&self, is: impl Fn(&str, &str) -> bool) -> bool {
        let found = self.which(is);
        found.iter().enumerate().any(|(at, one)| found[..at].iter().any(|other| (&one.name, &one.version) == (&other.name, &other.version)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_of_a_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Locked::read(dir.path()), None);
        let text = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
                    [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n[[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"git+y\"\n";
        std::fs::write(dir.path().join("Cargo.lock"), text).unwrap();
        let locked = Locked::read(dir.path()).unwrap();
        assert_eq!(locked.which(|name, _| name == "a").len(), 1);
        assert!(locked.is_ambiguous(|name, _| name == "b") && !locked.is_ambiguous(|name, _| name == "a"));
        assert!(Locked::check(dir.path()).is_ok());
        std::fs::write(dir.path().join("Cargo.lock"), "<<<<<<< HEAD\n").unwrap();
        assert_eq!(Locked::read(dir.path()), None);
        assert!(Locked::check(dir.path()).unwrap_err().message.contains("is no lock file"));
        std::fs::File::create(dir.path().join("Cargo.lock")).unwrap().set_len(LONGEST + 1).unwrap();
        assert!(Locked::check(dir.path()).unwrap_err().message.contains("is longer than 64 MiB"));
        std::fs::remove_file(dir.path().join("Cargo.lock")).unwrap();
        assert!(Locked::check(dir.path()).is_ok());
    }
}
