//! The files that configure cargo: where they lie, and what they include (the Cargo Book, "Configuration"). In: directories, files. Out: paths, tables.
//! A repository writes some of them: none is waited for, and none is read without an end.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::attribute::source::read_text;

/// Bytes of one. A larger one is nobody's.
const LONGEST: u64 = 1 << 20;

/// The file of a `.cargo` directory, or of cargo's home. As in cargo, the older name wins where both are there.
pub fn of(dir: &Path) -> Option<PathBuf> {
    ["config", "config.toml"].map(|name| dir.join(name)).into_iter().find(|file| file.is_file())
}

/// All that count where cargo starts in `here`, the nearest first, the one in its home last.
pub fn all(here: &Path, cargo_home: &Path) -> impl Iterator<Item = PathBuf> {
    let dirs = here.ancestors().map(|dir| dir.join(".cargo")).chain([cargo_home.to_owned()]);
    dirs.filter_map(|dir| of(&dir))
}

/// What cannot be read or understood says nothing here: cargo itself will tell.
pub fn read(file: &Path) -> Option<Table> {
    read_text(file, LONGEST)?.parse().ok()
}

/// `include = "x"`, or a list of such and of tables with a `path`; relative to the directory of the file.
pub fn includes(table: &Table) -> Vec<&str> {
    let all = match table.get("include") {
        Some(Value::Array(all)) => all.as_slice(),
        one => one.map(std::slice::from_ref).unwrap_or_default(),
    };
    all.iter().filter_map(|value| value.get("path").unwrap_or(value).as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_first_and_the_older_name_before_the_newer() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for file in ["a/.cargo/config.toml", "a/b/.cargo/config", "a/b/.cargo/config.toml", "home/config.toml"] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), "").unwrap();
        }
        std::fs::create_dir_all(root.join("a/c/.cargo/config.toml")).unwrap();
        let found = |here: &str| -> Vec<PathBuf> {
            all(&root.join(here), &root.join("home")).filter_map(|file| file.strip_prefix(root).ok().map(Path::to_owned)).collect()
        };
        assert_eq!(found("a/b"), ["a/b/.cargo/config", "a/.cargo/config.toml", "home/config.toml"].map(PathBuf::from));
        assert_eq!(found("a/c"), ["a/.cargo/config.toml", "home/config.toml"].map(PathBuf::from));
    }

    #[test]
    fn what_is_included_however_it_is_written() {
        for (text, expected) in [
            ("include = \"x\"", &["x"][..]),
            ("include = { path = \"x\", optional = true }", &["x"]),
            ("include = [\"x\", { path = \"y\" }, 1]", &["x", "y"]),
            ("[env]\ninclude = \"x\"", &[]),
        ] {
            assert_eq!(includes(&text.parse().unwrap()), expected, "{text}");
        }
    }
}
