//! What a suspect left in its throw-away: files that are new, or are not as they were laid. In: the decoys' root, before and after. Out: a copy of each that
//! cannot be run, with its digest; bounded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::model::sha256::Hashing;

/// Files copied, bytes of one, bytes of all; and entries looked at.
const FILES: usize = 200;
const ONE: u64 = 16 << 20;
const ALL: u64 = 128 << 20;
const LOOKS: usize = 200_000;

/// What tells that a file was touched: device, inode, size, and the time of its last change, which nobody sets.
type Facts = (u64, u64, u64, i64, i64);

/// A look at all files below a directory, but for what cargo keeps: results of builds, and sources.
#[derive(Debug, Default)]
pub struct Look(BTreeMap<PathBuf, Facts>);

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
    pub fn at(root: &Path, without: &[PathBuf]) -> Look {
        let (mut found, mut looks) = (BTreeMap::new(), 0);
        let mut open = vec![root.to_owned()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                looks += 1;
                if looks > LOOKS {
                    return Look(found);
                }
                let path = entry.path();
                let Ok(facts) = entry.metadata() else { continue };
                if facts.is_dir() && !without.contains(&path) {
                    open.push(path);
                } else if facts.is_file() && !without.contains(&path) {
                    found.insert(path, (facts.dev(), facts.ino(), facts.size(), facts.ctime(), facts.ctime_nsec()));
                }
            }
        }
        Look(found)
    }

    /// Does a file lie below this directory?
    pub fn holds(&self, dir: &Path) -> bool {
        self.0.range(dir.to_owned()..).next().is_some_and(|(path, _)| path.starts_with(dir))
    }

    /// Copies what is not as it was `before` into `into`.
    ///
    /// # Errors
    /// When a copy cannot be written. What cannot be read is left out.
    pub fn since(&self, before: &Look, into: &Path) -> Result<Vec<Left>> {
        let (mut left, mut room) = (Vec::new(), ALL);
        let new = self.0.iter().filter(|(path, facts)| before.0.get(*path) != Some(facts)).take(FILES);
        for (path, facts) in new {
            let Ok(file) = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path) else { continue };
            let fits = facts.2 <= ONE.min(room);
            let copy = fits.then(|| name(left.len(), path));
            // What has no room is not read either: that would take as long as the suspect likes.
            let kept = copy.as_ref().map(|name| keep(file, &into.join(name))).transpose()?;
            let (size, sha256) = kept.map_or((facts.2, None), |(size, sha256)| (size, Some(sha256)));
            room = room.saturating_sub(if fits { size } else { 0 });
            left.push(Left { path: path.clone(), size, sha256, changed: before.0.contains_key(path), copy });
        }
        Ok(left)
    }
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
    use std::os::unix::fs::PermissionsExt;

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
        let before = Look::at(&root, &without);
        fs::write(root.join("home/.bashrc"), "laid; evil").unwrap();
        fs::write(root.join("home/drop\n.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(root.join("home/drop\n.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(root.join("target/built"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("home/link")).unwrap();
        let left = Look::at(&root, &without).since(&before, &into).unwrap();
        let told: Vec<_> = left.iter().map(|one| (one.changed, one.copy.as_deref().unwrap())).collect();
        assert_eq!(told, [(true, "001-.bashrc"), (false, "002-drop_.sh")]);
        assert_eq!(left[0].sha256.as_deref(), Some(&*crate::model::sha256::hex(b"laid; evil")));
        let copy = into.join("002-drop_.sh");
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(copy).unwrap(), b"#!/bin/sh\n");
    }
}
