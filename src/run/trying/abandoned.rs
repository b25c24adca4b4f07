//! Throw-aways of trials that were killed. In: where temporary directories are. Out: those are gone that are surely ours and nobody's any more.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg, OFlag, open, openat};
use nix::sys::stat::Mode;

use crate::sys::sweep;

/// A name that says nothing: suspects look where they are.
pub const PREFIX: &str = "user-";
const MARK: &str = "trial";
const TEXT: &[u8] = b"made by cargo brig try, which removes it\n";

/// Says of a directory that a trial made it, and, while it is held, that the trial goes on.
pub struct Mark {
    _held: Flock<File>,
}

impl Mark {
    /// # Errors
    /// When it cannot be written or locked.
    pub fn set(directory: &Path) -> io::Result<Mark> {
        let file = File::create_new(directory.join(MARK))?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        // Held before it says anything: what says nothing is nobody's to remove.
        let mut held = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
        held.write_all(TEXT)?;
        Ok(Mark { _held: held })
    }
}

/// Removes them from the directory `of`.
pub fn remove(of: &Path) {
    for entry in fs::read_dir(of).into_iter().flatten().flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        if let Some(directory) = abandoned(of, &entry.file_name()) {
            sweep::empty_directory(directory);
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// A handle of it, if this user made it for a trial, nobody else can reach into it, and the trial is over.
fn abandoned(of: &Path, name: &OsStr) -> Option<OwnedFd> {
    let path = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let parent = open(of, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
    let directory = openat(&parent, name, path, Mode::empty()).ok()?;
    let us = nix::unistd::geteuid().as_raw();
    let ours = |file: &File, mode: u32| file.metadata().is_ok_and(|facts| facts.uid() == us && facts.mode() & 0o777 == mode);
    if !ours(&File::from(directory.try_clone().ok()?), 0o700) {
        return None;
    }
    let read = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let mut mark = File::from(openat(&directory, MARK, read, Mode::empty()).ok()?);
    let mut text = Vec::new();
    let is_ours = mark.metadata().is_ok_and(|facts| facts.is_file()) && ours(&mark, 0o600);
    if !is_ours || Read::by_ref(&mut mark).take(TEXT.len() as u64 + 1).read_to_end(&mut text).is_err() || text != TEXT {
        return None;
    }
    Flock::lock(mark, FlockArg::LockExclusiveNonblock).is_ok().then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_surely_ours_and_over_goes_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, mode: u32| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.join("r/home")).unwrap();
            fs::write(path.join("r/home/file"), "x").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let (over, going, open, other, empty) =
            (make("user-a", 0o700), make("user-b", 0o700), make("user-c", 0o755), make("else-d", 0o700), make("user-e", 0o700));
        for path in [&over, &open, &other] {
            drop(Mark::set(path).unwrap());
        }
        let held = Mark::set(&going).unwrap();
        fs::write(empty.join(MARK), "made by somebody else").unwrap();
        fs::set_permissions(empty.join(MARK), Permissions::from_mode(0o600)).unwrap();
        let outside = make("outside", 0o700);
        drop(Mark::set(&outside).unwrap());
        std::os::unix::fs::symlink(&outside, dir.path().join("user-f")).unwrap();
        std::os::unix::fs::symlink(&outside, over.join("r/link")).unwrap();
        remove(dir.path());
        assert!(!over.exists());
        for kept in [&going, &open, &other, &empty, &outside] {
            assert!(kept.join("r/home/file").exists(), "{kept:?}");
        }
        drop(held);
        remove(dir.path());
        assert!(!going.exists());
    }
}
