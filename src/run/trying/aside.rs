//! A workspace's own settings for cargo while what it needs is fetched: only where packages come from, since the rest names programs. In: directories that cargo
//! would read them in. Out: the same, and afterwards as they were.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::settings;

/// Of both in one directory cargo heeds the first, and warns of the other.
const NAMES: [&str; 2] = ["config", "config.toml"];
/// What they are written to meanwhile.
const REDUCED: &str = NAMES[1];

/// Settings that were put aside, each with the name it had: as [`hide`] has them.
#[derive(Default)]
pub struct Aside(Vec<(PathBuf, PathBuf)>);

impl Aside {
    /// Of `from` and all above it, up to `top`. Nobody runs there.
    ///
    /// # Errors
    /// When one cannot be renamed.
    pub fn put(top: &Path, from: &Path) -> Result<Aside> {
        let mut aside = Aside::default();
        for dir in from.ancestors().take_while(|dir| dir.starts_with(top)) {
            let hidden = hide(dir)?;
            if let Some((kept, file)) = hidden.first() {
                fs::write(file.with_file_name(REDUCED), reduce(kept).to_string()).context("write cargo's settings")?;
            }
            aside.0.extend(hidden);
        }
        Ok(aside)
    }

    /// # Errors
    /// When one cannot be renamed.
    pub fn restore(self) -> Result<()> {
        for (_, file) in &self.0 {
            let _ = fs::remove_file(file.with_file_name(REDUCED));
        }
        for (kept, file) in &self.0 {
            fs::rename(kept, file).with_context(|| format!("put back {}", file.display()))?;
        }
        Ok(())
    }
}

/// Names the settings for cargo in a directory so that no cargo reads them: the name each has now, and the one it had.
///
/// # Errors
/// When one cannot be renamed.
pub fn hide(dir: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let dir = dir.join(".cargo");
    ensure!(!dir.is_symlink(), "a link stands in the place of {}: it is not followed", dir.display());
    let mut hidden = Vec::new();
    for name in NAMES {
        let (file, kept) = (dir.join(name), dir.join(format!("{name}.not-heeded")));
        if file.symlink_metadata().is_ok() {
            fs::rename(&file, &kept).with_context(|| format!("lay aside {}", file.display()))?;
            hidden.push((kept, file));
        }
    }
    Ok(hidden)
}

/// What is taken in place of a package comes from somewhere, too.
fn reduce(file: &Path) -> toml::Table {
    let mut table = settings::read(file);
    let all = fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok()).unwrap_or_default();
    table.extend(all.into_iter().filter(|(name, _)| name == "patch"));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_packages_come_from_is_heeded_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("app");
        let text = "[build]\nrustc-wrapper = \"./wrap\"\n[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n";
        for file in ["app/.cargo/config.toml", "app/a/b/.cargo/config", "app/other/.cargo/config.toml", ".cargo/config.toml"] {
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        // The one that cargo does not heed.
        fs::write(top.join("a/b/.cargo/config.toml"), "[source.crates-io]\nreplace-with = \"other\"\n").unwrap();
        let read = |file: &str| fs::read_to_string(dir.path().join(file)).unwrap_or_default();
        let aside = Aside::put(&top, &top.join("a/b")).unwrap();
        for file in ["app/.cargo/config.toml", "app/a/b/.cargo/config.toml"] {
            assert!(!read(file).contains("wrap") && read(file).contains("directory = \"vendor\""), "{file}: {}", read(file));
        }
        assert_eq!(read("app/a/b/.cargo/config"), "");
        assert_eq!((read("app/other/.cargo/config.toml"), read(".cargo/config.toml")), (text.into(), text.into()));
        aside.restore().unwrap();
        assert_eq!((read("app/.cargo/config.toml"), read("app/a/b/.cargo/config")), (text.into(), text.into()));
        assert!(read("app/a/b/.cargo/config.toml").contains("replace-with = \"other\""));
        assert_eq!(read("app/.cargo/config") + &read("app/.cargo/config.toml.not-heeded"), "");
    }
}
