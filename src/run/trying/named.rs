//! Which suspect is meant. In: what was typed. Out: a crate of the registry, an archive, a directory or a git revision; or a misuse.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail, ensure};

use crate::cli::trying::Try;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Of the default registry. Without a version the newest.
    Registry {
        name: String,
        version: Option<String>,
    },
    /// A `.crate` file.
    Archive(PathBuf),
    Directory(PathBuf),
    Git {
        url: String,
        rev: String,
        name: Option<String>,
    },
}

impl Named {
    /// # Errors
    /// When it names nothing.
    pub fn read(wish: &Try) -> Result<Named> {
        let text = wish.what.as_deref();
        if let (Some(url), Some(rev)) = (&wish.git, &wish.rev) {
            let name = text.map(|text| text.to_str().filter(|name| is_name(name)).ok_or_else(|| anyhow!("{text:?} is no name of a crate")));
            ensure!(!url.starts_with('-') && rev.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c)), "no revision: {rev:?}");
            return Ok(Named::Git { url: url.clone(), rev: rev.clone(), name: name.transpose()?.map(str::to_owned) });
        }
        let Some(text) = text else { bail!("no crate was named") };
        Named::of(text)
    }

    /// One that is no revision.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn of(text: &OsStr) -> Result<Named> {
        let path = Path::new(text);
        if path.extension().is_some_and(|end| end == "crate") {
            ensure!(path.is_file(), "{} is no file", path.display());
            return Ok(Named::Archive(path.to_owned()));
        }
        let text = text.to_string_lossy();
        if text.contains('/') || matches!(&*text, "." | "..") {
            ensure!(path.join("Cargo.toml").is_file(), "there is no Cargo.toml in {}", path.display());
            return Ok(Named::Directory(path.to_owned()));
        }
        let (name, version) = text.split_once('@').map_or((&*text, None), |(name, version)| (name, Some(version)));
        ensure!(is_name(name), "{name:?} is no name of a crate");
        ensure!(version.is_none_or(is_version), "{:?} is no version", version.unwrap_or_default());
        Ok(Named::Registry { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

/// As cargo has it, and nothing that means something in a manifest.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.len() <= 64 && !text.starts_with('-') && text.chars().all(plain)
}

pub fn is_version(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".+-".contains(c);
    text.starts_with(|c: char| c.is_ascii_digit()) && text.len() <= 64 && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_one_of_four() {
        let of = |text: &str| Named::read(&Try { what: Some(text.into()), ..Try::default() });
        let registry = |name: &str, version: Option<&str>| Named::Registry { name: name.into(), version: version.map(str::to_owned) };
        assert_eq!(of("itoa").unwrap(), registry("itoa", None));
        assert_eq!(of("time-sync@0.1.0-rc.1+x").unwrap(), registry("time-sync", Some("0.1.0-rc.1+x")));
        for wrong in ["", "a b", "x@", "x@\"1\"", "-x", "x.crate", "./nowhere", "x\"", "é"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        assert_eq!(of(here).unwrap(), Named::Directory(here.into()));
        let git = Try { git: Some("https://example.org/x".into()), rev: Some("0a1b".into()), ..Try::default() };
        assert_eq!(Named::read(&git).unwrap(), Named::Git { url: "https://example.org/x".into(), rev: "0a1b".into(), name: None });
        assert!(Named::read(&Try { rev: Some("a\nb".into()), ..git }).is_err());
    }
}
