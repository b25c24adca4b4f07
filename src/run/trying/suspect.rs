//! The suspect, once it lies in the throw-away: what it is called, where its source is, what is known of where it came from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use toml::Table;

use super::named::{is_name, is_version};

#[derive(Clone, Debug)]
pub struct Suspect {
    pub name: String,
    pub version: String,
    /// SHA-256 of its `.crate` file, in hex.
    pub checksum: Option<String>,
    /// Where it came from, for people.
    pub from: String,
    /// A copy of its source, as a workspace of its own, or in one.
    pub dir: PathBuf,
    /// The root of that workspace.
    pub root: PathBuf,
}

/// Name and version, by its manifest.
///
/// # Errors
/// When that says neither, or says them oddly.
pub fn read(dir: &Path) -> Result<(String, String)> {
    let manifest = manifest(dir)?;
    let package =
        manifest.get("package").and_then(toml::Value::as_table).context("its Cargo.toml has no [package]: name a directory that is one")?;
    let text = |key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let name = text("name").context("its Cargo.toml has no name")?;
    // `version.workspace = true`, or none.
    let version = text("version").unwrap_or_else(|| "0.0.0".to_owned());
    ensure!(is_name(&name) && is_version(&version), "its Cargo.toml names it {name:?} {version:?}");
    Ok((name, version))
}

/// Is there anything that others could depend on?
pub fn has_library(dir: &Path) -> bool {
    dir.join("src/lib.rs").is_file() || manifest(dir).is_ok_and(|manifest| manifest.contains_key("lib"))
}

pub fn manifest(dir: &Path) -> Result<Table> {
    let path = dir.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).context("read its Cargo.toml")?;
    text.parse().context("read its Cargo.toml")
}

/// The package of this name, and of this version if one is named, in a lock file: version and checksum. Of several the newest that is listed last.
pub fn locked(lock: &Path, name: &str, version: Option<&str>) -> Option<(String, Option<String>)> {
    let table: Table = std::fs::read_to_string(lock).ok()?.parse().ok()?;
    let packages = table.get("package")?.as_array()?;
    let of = |package: &toml::Value, key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let is_it = |package: &&toml::Value| {
        of(package, "name").as_deref() == Some(name) && version.is_none_or(|version| of(package, "version").as_deref() == Some(version))
    };
    let found = packages.iter().rfind(is_it)?;
    Some((of(found, "version").filter(|version| is_version(version))?, of(found, "checksum")))
}
