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
    /// A copy of its source, as a workspace of its own.
    pub dir: PathBuf,
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

/// Crates of macros among its direct dependencies that a line of its own exports again. `sources`: where those of registries lie, each in a directory of its
/// name and version.
pub fn exported_macros(dir: &Path, sources: &[PathBuf]) -> Vec<String> {
    let Ok(table) = manifest(dir) else { return Vec::new() };
    let is_macro = |at: &Path| {
        let library = manifest(at).ok().and_then(|manifest| manifest.get("lib").cloned());
        library.and_then(|library| library.get("proc-macro")?.as_bool()).unwrap_or(false)
    };
    let lies = |name: &str, wanted: &toml::Value| match wanted.get("path").and_then(toml::Value::as_str) {
        Some(path) => is_macro(&dir.join(path)),
        None => sources.iter().flat_map(std::fs::read_dir).flatten().flatten().any(|entry| {
            let found = entry.file_name();
            let version = found.to_str().and_then(|found| found.strip_prefix(name)?.strip_prefix('-')).unwrap_or_default();
            version.starts_with(|c: char| c.is_ascii_digit()) && is_macro(&entry.path())
        }),
    };
    let text = text_below(&dir.join("src"));
    let exports = |known: &str| {
        let known = known.replace('-', "_");
        [format!("pub use {known}"), format!("pub use ::{known}"), format!("pub extern crate {known}")]
            .iter()
            .any(|line| text.contains(line))
    };
    let wanted = table.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten();
    let package = |known: &str, wanted: &toml::Value| wanted.get("package").and_then(toml::Value::as_str).unwrap_or(known).to_owned();
    wanted
        .filter(|(known, wanted)| exports(known) && lies(&package(known, wanted), wanted))
        .map(|(known, wanted)| package(known, wanted))
        .collect()
}

/// Of its sources, as far as that is reasonable.
fn text_below(dir: &Path) -> String {
    const MOST: usize = 16 << 20;
    let (mut text, mut open) = (String::new(), vec![dir.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.path().extension().is_some_and(|end| end == "rs") && text.len() < MOST => {
                    text.push_str(&String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()));
                }
                _ => {}
            }
        }
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_of_others_that_are_exported_again() {
        let place = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = place.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let proc_macro = "[package]\nname = \"x\"\n[lib]\nproc-macro = true\n";
        write(
            "x/Cargo.toml",
            "[package]\nname = \"x\"\n[dependencies]\nx-derive = \"1\"\nown = \"1\"\nlib = \"1\"\nnear = { path = \"near\" }\n",
        );
        write("x/src/deep/mod.rs", "#[doc(inline)]\npub use x_derive::Derive;\npub use ::lib::f;\nuse own::O;\npub extern crate near;\n");
        write("x/near/Cargo.toml", proc_macro);
        for (dir, text) in [("x-derive-1.0.2", proc_macro), ("own-1.0.0", proc_macro), ("lib-1.0.0", "[package]\nname = \"lib\"\n")] {
            write(&format!("registry/{dir}/Cargo.toml"), text);
        }
        let found = |sources: &[PathBuf]| exported_macros(&place.path().join("x"), sources);
        assert_eq!(found(&[place.path().join("registry")]), ["near", "x-derive"]);
        assert_eq!(found(&[]), ["near"]);
    }
}
