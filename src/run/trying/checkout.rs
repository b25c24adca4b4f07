//! A commit laid in the throw-away as plain files. In: a repository, a commit. Out: its files and those of its links that stay inside; nothing that looks like a
//! secret of the user's, nothing of other repositories; what is not there is told. No filter, hook or attribute has a say.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::judge::{Places, SecretLists, Secrets};
use crate::run::committed::Repository;
use crate::run::git::{Entry, Git, Kind, at};
use crate::run::uncommitted::POINTER;

/// Bytes of all files together, and of the files themselves.
const MOST: u64 = 2 << 30;
const FILES: usize = 100_000;

/// What is not as in the commit.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Files that look like secrets, from the top.
    pub secrets: Vec<PathBuf>,
    pub links: usize,
    /// Other repositories that it names.
    pub modules: usize,
    /// Files that are kept elsewhere (git LFS).
    pub pointers: usize,
}

/// Lays it into `into`, which must not be there.
///
/// # Errors
/// When the commit is not in the repository, not all of it is, or it is too large.
pub fn lay(repository: &Repository, commit: &str, into: &Path) -> Result<Missing> {
    let git = Git::over(repository, commit)?;
    let files = git.files()?;
    let size = files.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.size));
    ensure!(size <= MOST && files.len() <= FILES, "the commit holds more than {} MiB or {FILES} files", MOST >> 20);
    let secrets = Secrets::compile(&Places::default(), &SecretLists::default()).map_err(anyhow::Error::msg)?;
    alone(&files)?;
    let mut contents = git.contents()?;
    let (mut missing, mut links) = (Missing::default(), Vec::new());
    fs::create_dir(into).with_context(|| format!("make {}", into.display()))?;
    for entry in &files {
        let path = at(into, entry);
        // As if it lay at the top of all: what looks like a secret does so by its own names.
        if secrets.class_of(&[b"/", entry.path.as_bytes()].concat()).is_some() {
            missing.secrets.push(entry.path.as_path().to_owned());
            continue;
        }
        match entry.kind {
            Kind::Module => missing.modules += 1,
            Kind::Link => links.push((path, contents.of(entry)?)),
            Kind::File | Kind::Program => {
                let bytes = contents.of(entry)?;
                missing.pointers += usize::from(bytes.starts_with(POINTER));
                write(&path, &bytes, entry)?;
            }
        }
    }
    // Nothing is written any more: no link leads us anywhere.
    for (path, target) in links {
        let target = Path::new(std::ffi::OsStr::from_bytes(&target));
        let depth = path.strip_prefix(into).map_or(0, |below| below.components().count() - 1);
        let made = stays(target, depth) && fs::create_dir_all(path.parent().unwrap_or(into)).and_then(|()| symlink(target, &path)).is_ok();
        missing.links += usize::from(!made);
    }
    Ok(missing)
}

/// Each path once, and none that is a directory of another: git makes no such tree, and a link in it would lead us elsewhere.
///
/// # Errors
/// With the path that is not.
fn alone(files: &[Entry]) -> Result<()> {
    let mut paths = HashSet::new();
    for entry in files {
        let path = entry.path.as_path();
        ensure!(paths.insert(path), "the commit holds {} twice", path.display());
    }
    for entry in files {
        let above = entry.path.as_path().ancestors().skip(1).find(|dir| paths.contains(dir));
        ensure!(above.is_none(), "the commit holds {} as a file and as a directory", above.unwrap_or(Path::new("")).display());
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], entry: &Entry) -> Result<()> {
    let mode = if entry.kind == Kind::Program { 0o755 } else { 0o644 };
    let parent = path.parent().context("a file without a directory")?;
    fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
    let made = fs::File::options().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| file.write_all(bytes));
    made.with_context(|| format!("make {}", path.display()))
}

/// Does a link in a directory so far below the top stay below it, through whatever other links that stay? Only ways up come first, and not too many.
fn stays(target: &Path, depth: usize) -> bool {
    let mut parts = target.components().peekable();
    let mut up = 0;
    while parts.next_if(|part| matches!(part, Component::ParentDir | Component::CurDir)).is_some_and(|part| {
        up += usize::from(part == Component::ParentDir);
        true
    }) {}
    up <= depth && parts.all(|part| matches!(part, Component::Normal(name) if !name.eq_ignore_ascii_case(".git")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_git_does_not_make() {
        let entry = |path: &str| Entry { path: path.into(), kind: Kind::File, id: String::new(), size: 0 };
        let is_fine = |paths: &[&str]| alone(&paths.iter().map(|path| entry(path)).collect::<Vec<_>>()).is_ok();
        assert!(is_fine(&["a", "ab/c", "b/a", "b/ab"]));
        assert!(!is_fine(&["a", "b", "a"]));
        assert!(!is_fine(&["a", "a/b"]));
        assert!(!is_fine(&["a/b/c/d", "x", "a/b"]));
    }

    #[test]
    fn links_that_stay() {
        for (target, depth, stays_in) in [
            ("b", 0, true),
            ("b/c/d", 0, true),
            ("../b", 1, true),
            ("./../../b", 2, true),
            ("..", 1, true),
            ("../b", 0, false),
            ("../../b", 1, false),
            ("b/../c", 3, false),
            ("/etc", 9, false),
            ("../.git/config", 1, false),
        ] {
            assert_eq!(stays(Path::new(target), depth), stays_in, "{target} {depth}");
        }
    }
}
