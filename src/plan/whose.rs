//! Cargo's configuration as it counts, and whose word each part of it is. In: where cargo starts, the homes, what was typed. Out: [`Words`], the
//! strongest first.
//!
//! The user's are what was typed, the files in cargo's home and in a `.cargo` of the user's home or above it. All others are the repository's: those
//! it brings along, and those nobody can vouch for (`/tmp/.cargo/config.toml`). What a file includes is the word of whoever wrote that file. A home
//! that lies in the repository is none of the user's.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::cargo_files;
use super::reals::real;
use crate::attribute::source::clean;

/// Files read on the way from one to the next.
const FILES: usize = 1_000;

/// Where to look.
pub struct Ground<'a> {
    /// Where cargo starts.
    pub here: &'a Path,
    pub home: Option<&'a Path>,
    pub cargo_home: &'a Path,
    pub workspace: Option<&'a Path>,
    /// Values of `--config`.
    pub typed: &'a [OsString],
}

/// A file, or what was typed in place of one.
#[derive(Debug)]
pub struct Said {
    pub table: Table,
    pub file: PathBuf,
    pub is_users: bool,
}

#[derive(Debug, Default)]
pub struct Words {
    pub said: Vec<Said>,
    /// A file of the repository's that cargo may understand, and we do not: too large, or nothing we read as TOML.
    pub unread: Option<PathBuf>,
}

impl Words {
    pub fn read(ground: &Ground) -> Words {
        let (home, cargo_home) = (ground.home.map(|home| real(home.to_owned())), real(ground.cargo_home.to_owned()));
        let root = repository(ground.workspace.unwrap_or(ground.here), home.as_deref()).or(ground.workspace.map(Path::to_owned));
        let is_users = |file: &Path| {
            let dir = file.parent().unwrap_or(file);
            let above_home = || home.as_ref().is_some_and(|home| dir.parent().is_some_and(|dir| home.starts_with(dir)));
            !root.as_ref().is_some_and(|root| file.starts_with(root)) && (dir == cargo_home || above_home())
        };
        let mut words = Words::default();
        let mut left = FILES;
        // Of several words typed for a key the last counts.
        for typed in ground.typed.iter().rev() {
            match typed.to_str().and_then(|text| text.parse::<Table>().ok()) {
                Some(table) => words.said.push(Said { table, file: "--config".into(), is_users: true }),
                None => words.file(&clean(&ground.here.join(typed)), true, &mut BTreeSet::new(), &mut left),
            }
        }
        // Cargo's home may lie on the way up as well.
        let mut met = BTreeSet::new();
        for file in cargo_files::all(ground.here, &cargo_home).filter(|file| met.insert(file.clone())) {
            words.file(&file, is_users(&file), &mut BTreeSet::new(), &mut left);
        }
        words
    }

    /// A file counts before what it includes; of those the last counts first.
    fn file(&mut self, file: &Path, is_users: bool, seen: &mut BTreeSet<PathBuf>, left: &mut usize) {
        if !seen.insert(file.to_owned()) {
            return;
        }
        let table = cargo_files::read(file).filter(|_| *left > 0);
        let Some(table) = table else {
            if !is_users && file.symlink_metadata().is_ok() {
                self.unread.get_or_insert_with(|| file.to_owned());
            }
            return;
        };
        *left -= 1;
        let dir = file.parent().unwrap_or(Path::new("/"));
        let includes: Vec<PathBuf> = cargo_files::includes(&table).into_iter().map(|path| clean(&dir.join(path))).collect();
        self.said.push(Said { table, file: file.to_owned(), is_users });
        for include in includes.iter().rev() {
            self.file(include, is_users, seen, left);
        }
    }

    /// Does the word that counts for `section.key` come from the user? Nobody's is not the user's.
    pub fn is_users(&self, section: &str, key: &str) -> bool {
        let says = |said: &&Said| said.table.get(section).and_then(Value::as_table).is_some_and(|table| table.contains_key(key));
        self.unread.is_none() && self.said.iter().find(says).is_some_and(|said| said.is_users)
    }
}

/// The root of the repository that `start` lies in: git's, or, without it, the last manifest above. Nothing where that would hold the user's home:
/// whoever keeps a home under git is no stranger there.
pub fn repository(start: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let start = real(start.to_owned());
    let root = start.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok());
    let root = root.or_else(|| start.ancestors().filter(|dir| dir.join("Cargo.toml").symlink_metadata().is_ok()).last());
    root.filter(|root| !home.is_some_and(|home| home.starts_with(root))).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for (file, text) in files {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), text).unwrap();
        }
        (dir, root)
    }

    fn words(root: &Path, cargo_home: &str, typed: &[OsString]) -> Words {
        let (here, home) = (root.join("home/code/ws"), root.join("home"));
        Words::read(&Ground { here: &here, home: Some(&home), cargo_home: &root.join(cargo_home), workspace: Some(&here), typed })
    }

    #[test]
    fn whose_word_counts() {
        let (_dir, root) = lay(&[
            ("home/code/.git/HEAD", ""),
            ("home/code/.cargo/config.toml", "include = ['more.toml', 'most.toml']\n[net]\na = 1"),
            ("home/code/.cargo/more.toml", "[net]\na = 2\nb = 2\nc = 2"),
            ("home/code/.cargo/most.toml", "[net]\nc = 3"),
            ("home/.cargo/config.toml", "[net]\na = 4\nd = 4\ne = 4"),
            ("home/code/ws/Cargo.toml", ""),
        ]);
        let found = words(&root, "home/.cargo", &["net.e=5".into()]);
        let files: Vec<_> = found.said.iter().map(|said| (said.file.file_name().unwrap().to_str().unwrap(), said.is_users)).collect();
        assert_eq!(files, [("--config", true), ("config.toml", false), ("most.toml", false), ("more.toml", false), ("config.toml", true)]);
        for (key, is_users) in [("a", false), ("b", false), ("c", false), ("d", true), ("e", true), ("f", false)] {
            assert_eq!(found.is_users("net", key), is_users, "{key}");
        }
    }

    #[test]
    fn a_home_in_the_repository_and_a_file_nobody_vouches_for_are_not_the_users() {
        let (_dir, root) = lay(&[
            (".cargo/config.toml", "[net]\na = 1"),
            ("home/code/.git/HEAD", ""),
            ("home/code/.cargo/config.toml", "[net]\nb = 1"),
            ("home/code/ws/Cargo.toml", ""),
        ]);
        let found = words(&root, "home/code/.cargo", &[]);
        // Above the home: whoever keeps the machine wrote it.
        assert!(found.is_users("net", "a") && !found.is_users("net", "b"), "{found:?}");
        let (here, home) = (root.join("home/code/ws"), root.join("elsewhere"));
        let ground = Ground { here: &here, home: Some(&home), cargo_home: &home.join(".cargo"), workspace: Some(&here), typed: &[] };
        assert!(Words::read(&ground).is_users("net", "a"));
        let ground = Ground { home: Some(Path::new("/nowhere")), ..ground };
        assert!(!Words::read(&ground).is_users("net", "a"));
    }

    #[test]
    fn what_is_not_understood_is_nobodys_word() {
        let (_dir, root) = lay(&[
            ("home/code/ws/Cargo.toml", ""),
            ("home/code/ws/.cargo/config.toml", &format!("[net]\na = 1\n#{}", "x".repeat(1 << 20))),
            ("home/.cargo/config.toml", "[net]\na = 2\n"),
        ]);
        let found = words(&root, "home/.cargo", &[]);
        assert!(found.unread.is_some() && !found.is_users("net", "a"), "{found:?}");
        std::fs::write(root.join("home/code/ws/.cargo/config.toml"), "include = [{ path = 'none.toml', optional = true }]").unwrap();
        let found = words(&root, "home/.cargo", &[]);
        assert!(found.unread.is_none() && found.is_users("net", "a"), "{found:?}");
    }
}
