//! What a suspect left in its throw-away: files that are new, or are not as they were laid. In: the decoys' trees, before and after. Out: a copy of each that
//! cannot be run, with its digest; bounded, and what was beyond the bounds.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::model::sha256::Hashing;
use crate::report::wording::count;

/// Files copied, bytes of one, bytes of all; and entries looked at.
const FILES: usize = 200;
const ONE: u64 = 16 << 20;
const ALL: u64 = 128 << 20;
const LOOKS: usize = 200_000;

/// What tells that a file was touched: device, inode, size, and the time of its last change, which nobody sets.
type Facts = (u64, u64, u64, i64, i64);

/// A look at all files below a directory, but for what cargo keeps: results of builds, and sources.
#[derive(Debug, Default)]
pub struct Look {
    files: BTreeMap<PathBuf, Facts>,
    /// What could not be looked at, or was not any more.
    pub unseen: usize,
}

/// What was found of one's doing.
#[derive(Debug, Default)]
pub struct Leavings {
    pub kept: Vec<Left>,
    /// What is not known, or not kept, as people are told.
    pub gaps: Vec<String>,
}

/// One that is new, or was changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Left {
    /// Where it lay.
    pub path: PathBuf,
    pub size: u64,
    /// Of what was copied.
    pub sha256: Option<String>,
    /// It was laid there, and is another one now.
    pub changed: bool,
    /// The name of the copy; none where there was no room for one.
    pub copy: Option<String>,
}

impl Look {
    pub fn at(trees: &[PathBuf], without: &[PathBuf]) -> Look {
        let (mut look, mut looks) = (Look::default(), 0);
        let mut open = trees.to_vec();
        while let Some(dir) = open.pop() {
            let Some(entries) = opened(&dir, |dir| fs::read_dir(dir)) else {
                look.unseen += 1;
                continue;
            };
            for entry in entries {
                looks += 1;
                let (Ok(entry), true) = (entry, looks <= LOOKS) else {
                    look.unseen += 1;
                    break;
                };
                let path = entry.path();
                // Of a directory that can be listed and not entered nothing more is known.
                let Some(facts) = opened(&dir, |_| entry.metadata()) else {
                    look.unseen += 1;
                    continue;
                };
                if facts.is_dir() && !without.contains(&path) {
                    open.push(path);
                } else if facts.is_file() && !without.contains(&path) {
                    look.files.insert(path, (facts.dev(), facts.ino(), facts.size(), facts.ctime(), facts.ctime_nsec()));
                }
            }
        }
        look
    }

    /// Does a file lie below this directory?
    pub fn holds(&self, dir: &Path) -> bool {
        self.files.range(dir.to_owned()..).next().is_some_and(|(path, _)| path.starts_with(dir))
    }

    /// Copies what is not as it was `before` into `into`.
    ///
    /// # Errors
    /// When a copy cannot be written.
    pub fn since(&self, before: &Look, into: &Path) -> Result<Leavings> {
        let (mut left, mut room, mut unread) = (Leavings::default(), ALL, self.unseen);
        let mut new = self.files.iter().filter(|(path, facts)| before.files.get(*path) != Some(facts));
        for (path, facts) in new.by_ref().take(FILES) {
            let read = |path: &Path| File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
            let Some(file) = opened(path, read) else {
                unread += 1;
                continue;
            };
            let fits = facts.2 <= ONE.min(room);
            let copy = fits.then(|| name(left.kept.len(), path));
            // What has no room is not read either: that would take as long as the suspect likes.
            let kept = copy.as_ref().map(|name| keep(file, &into.join(name))).transpose()?;
            let (size, sha256) = kept.map_or((facts.2, None), |(size, sha256)| (size, Some(sha256)));
            room = room.saturating_sub(if fits { size } else { 0 });
            left.kept.push(Left { path: path.clone(), size, sha256, changed: before.files.contains_key(path), copy });
        }
        let (more, large) = (new.count() as u64, left.kept.iter().filter(|one| one.copy.is_none()).count() as u64);
        let mut gap = |number: u64, what: &str, why: &str| left.gaps.extend((number > 0).then(|| format!("{} {why}", count(number, what))));
        gap(more, "file", "more that it made or changed, of which no copy is kept");
        gap(large, "file", "that it made or changed, and for whose copy there is no room");
        gap(unread as u64, "place", "that it made, at least, which cannot be read, or lies too deep for that");
        Ok(left)
    }
}

/// Looks at what is ours once more where its mode forbids that: whoever made it meant to hide it. Nobody runs there any more, and it is no link.
fn opened<T>(path: &Path, look: impl Fn(&Path) -> io::Result<T>) -> Option<T> {
    look(path)
        .or_else(|error| {
            let facts = fs::symlink_metadata(path)?;
            if error.kind() != io::ErrorKind::PermissionDenied || facts.is_symlink() {
                return Err(error);
            }
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
            look(path)
        })
        .ok()
}

/// What follows of its own name is plain.
fn name(number: usize, path: &Path) -> String {
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let plain: String = own.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).take(60).collect();
    format!("{:03}-{plain}", number + 1)
}

fn keep(mut from: File, to: &Path) -> Result<(u64, String)> {
    let make = File::options().write(true).create_new(true).mode(0o600).open(to);
    let mut to = make.with_context(|| format!("make {}", to.display()))?;
    let (mut digest, mut size, mut buffer) = (Hashing::default(), 0, vec![0; 64 << 10]);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        digest.add(&buffer[..length]);
        size += length as u64;
        io::Write::write_all(&mut to, &buffer[..length]).context("keep a copy")?;
        // One that grows while it is read.
        if size > 2 * ONE {
            break;
        }
    }
    Ok((size, digest.hex()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_changed_files_are_kept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (root, into) = (dir.path().join("r"), dir.path().join("into"));
        fs::create_dir_all(root.join("target")).unwrap();
        fs::create_dir_all(root.join("home")).unwrap();
        fs::create_dir(&into).unwrap();
        for file in ["home/.env", "home/.bashrc"] {
            fs::write(root.join(file), "laid").unwrap();
        }
        let without = [root.join("target")];
        let trees = [root.clone()];
        let before = Look::at(&trees, &without);
        fs::write(root.join("home/.bashrc"), "laid; evil").unwrap();
        fs::write(root.join("home/drop\n.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(root.join("home/drop\n.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(root.join("target/built"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("home/link")).unwrap();
        fs::create_dir(root.join("home/shut")).unwrap();
        fs::write(root.join("home/shut/hidden"), "stage two").unwrap();
        for (path, mode) in [("home/shut/hidden", 0o000), ("home/shut", 0o000)] {
            fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
        }
        let Leavings { kept: left, gaps } = Look::at(&trees, &without).since(&before, &into).unwrap();
        let told: Vec<_> = left.iter().map(|one| (one.changed, one.copy.as_deref().unwrap())).collect();
        assert_eq!(told, [(true, "001-.bashrc"), (false, "002-drop_.sh"), (false, "003-hidden")]);
        assert!(gaps.is_empty(), "{gaps:?}");
        assert_eq!(left[0].sha256.as_deref(), Some(&*crate::model::sha256::hex(b"laid; evil")));
        let copy = into.join("002-drop_.sh");
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(copy).unwrap(), b"#!/bin/sh\n");
    }

    #[test]
    fn what_cannot_be_kept_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (root, into) = (dir.path().join("r"), dir.path().join("into"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir(&into).unwrap();
        let trees = [root.clone()];
        let before = Look::at(&trees, &[]);
        for number in 0..FILES + 3 {
            fs::write(root.join(format!("many-{number:03}")), "x").unwrap();
        }
        File::create(root.join("large")).unwrap().set_len(ONE + 1).unwrap();
        // Deeper than any path is long.
        let mut at = root.join("deep");
        while at.as_os_str().len() < 4000 {
            at.push("d".repeat(200));
        }
        fs::create_dir_all(&at).unwrap();
        let handle = nix::fcntl::open(&at, nix::fcntl::OFlag::O_DIRECTORY, nix::sys::stat::Mode::empty()).unwrap();
        nix::sys::stat::mkdirat(&handle, "e".repeat(200).as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let Leavings { kept, gaps } = Look::at(&trees, &[]).since(&before, &into).unwrap();
        assert_eq!(kept.len(), FILES);
        assert_eq!(gaps.len(), 3, "{gaps:?}");
        assert!(gaps[0].starts_with("4 files more") && gaps[1].starts_with("1 file that") && gaps[2].starts_with("1 place "), "{gaps:?}");
    }
}
