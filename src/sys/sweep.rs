//! Takes away what others have left in a directory of ours, whatever they did to it: modes that shut everybody out, names of any bytes,
//! trees deeper than any path is long. Everything is done by handle and no link is followed, so that nothing else can be meant.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::files::{self, AT_FDCWD};

const DIRECTORY: i32 = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
/// Entries looked at in all: whoever still lives and makes new ones does not keep us.
const MOST: usize = 1 << 22;

/// Empties the directory at `path`, as far as that can be done.
pub fn empty(path: &Path) {
    let Ok(name) = CString::new(path.as_os_str().to_owned().into_vec()) else { return };
    if let Ok(root) = files::openat(AT_FDCWD, &name, DIRECTORY, 0) {
        Sweep { root, steps: 0, moved: 0 }.sweep();
    }
}

/// Empties the directory of this handle, likewise.
pub fn empty_directory(directory: OwnedFd) {
    Sweep { root: directory, steps: 0, moved: 0 }.sweep();
}

/// Removes what is at `path`, and all that is in it.
pub fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| {
        empty(path);
        fs::remove_dir(path)
    });
}

struct Sweep {
    root: OwnedFd,
    steps: usize,
    /// How many directories were moved up.
    moved: usize,
}

impl Sweep {
    /// Never deeper than one level: a directory in a directory is moved up first, where its turn comes.
    fn sweep(&mut self) {
        open_up(self.root.as_fd());
        loop {
            let before = self.steps;
            for name in names(self.root.as_fd()) {
                if self.remove(&name) {
                    self.steps += 1;
                }
                if self.steps >= MOST {
                    return;
                }
            }
            // What could not be removed in a whole round will not be in the next.
            if self.steps == before {
                return;
            }
        }
    }

    /// Removes an entry of the root, or moves some of what is in it up. Did that change anything?
    fn remove(&mut self, name: &CString) -> bool {
        let root = self.root.as_fd();
        if files::unlink(root, name, 0).is_ok() || files::unlink(root, name, libc::AT_REMOVEDIR).is_ok() {
            return true;
        }
        let Ok(directory) = files::openat(root, name, DIRECTORY, 0) else { return false };
        open_up(directory.as_fd());
        let mut changed = false;
        for inside in names(directory.as_fd()) {
            let gone = files::unlink(directory.as_fd(), &inside, 0).is_ok()
                || files::unlink(directory.as_fd(), &inside, libc::AT_REMOVEDIR).is_ok()
                || self.move_up(directory.as_fd(), &inside);
            (changed, self.steps) = (changed || gone, self.steps + usize::from(gone));
            if self.steps >= MOST {
                return changed;
            }
        }
        files::unlink(self.root.as_fd(), name, libc::AT_REMOVEDIR).is_ok() || changed
    }

    fn move_up(&mut self, from: BorrowedFd, name: &CString) -> bool {
        // Its own entry `..` changes, for which it must be writable (rename(2)).
        if let Ok(directory) = files::openat(from, name, DIRECTORY, 0) {
            open_up(directory.as_fd());
        }
        self.moved += 1;
        let fresh = CString::new(format!(".swept-{}-{}", std::process::id(), self.moved)).expect("no NUL in it");
        files::rename(from, name, self.root.as_fd(), &fresh, libc::RENAME_NOREPLACE).is_ok()
    }
}

/// Lets us list and change a directory of ours.
fn open_up(directory: BorrowedFd) {
    // A handle has no mode to change, what it leads to has.
    if let Ok(path) = CString::new(format!("/proc/self/fd/{}", directory.as_raw_fd())) {
        let _ = files::chmod(AT_FDCWD, &path, 0o700);
    }
}

fn names(directory: BorrowedFd) -> Vec<CString> {
    let list = || -> io::Result<Vec<CString>> {
        let entries = fs::read_dir(format!("/proc/self/fd/{}", directory.as_raw_fd()))?;
        Ok(entries.flatten().filter_map(|entry| CString::new(entry.file_name().into_vec()).ok()).collect())
    };
    list().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nothing_stays_and_nothing_else_goes() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("kept"), "x").unwrap();
        let root = dir.path().join("root");
        for name in ["shut/inner/deeper", "full/a/b/c", "plain"] {
            fs::create_dir_all(root.join(name)).unwrap();
            fs::write(root.join(name).join("file"), "x").unwrap();
        }
        std::os::unix::fs::symlink(other.path(), root.join("full/a/link")).unwrap();
        std::os::unix::fs::symlink(other.path(), root.join("link")).unwrap();
        for name in ["shut/inner/deeper", "shut/inner", "shut", "full/a"] {
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o000)).unwrap();
        }
        fs::set_permissions(&root, fs::Permissions::from_mode(0o500)).unwrap();
        empty(&root);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
        remove(&root);
        assert!(!root.exists());
        assert!(other.path().join("kept").exists());
    }

    /// No path leads to its end, no stack or table of descriptors would hold it.
    #[test]
    fn depth_costs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        let open = |at: BorrowedFd, name: &std::ffi::CStr| files::openat(at, name, DIRECTORY, 0).unwrap();
        let mut at = open(AT_FDCWD, &CString::new(root.to_str().unwrap()).unwrap());
        for _ in 0..5000 {
            files::make_directory(at.as_fd(), c"deeper", 0o700).unwrap();
            at = open(at.as_fd(), c"deeper");
        }
        remove(&root);
        assert!(!root.exists());
    }
}
