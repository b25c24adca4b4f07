//! What git keeps of a repository: the names in its index. In: a directory. Out: real paths in lower case, or nothing where that cannot be
//! known. Read before a program could have written anything, and only names: the format is gitformat-index(5), versions 2 to 4.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::judge::records::Tracked;

/// No index is larger: two million files.
const LARGEST: u64 = 256 << 20;
/// Nor a file that says where else a repository lies.
const LINE: u64 = 64 << 10;
/// Bytes of an entry before its name: what stat said, a SHA-1, flags.
const HEAD: usize = 62;
/// Bit of the flags of version 3 that says two more bytes follow.
const EXTENDED: u8 = 0x40;
/// Length of the checksum behind everything.
const SUM: usize = 20;

/// The files of the repository that `directory` lies in. Where there is no repository, or its index is of a kind not read here (split,
/// sparse, SHA-256), nobody knows.
pub fn of(directory: &Path) -> Tracked {
    let (root, git) = directory.ancestors().find_map(|dir| Some((dir, repository(dir)?)))?;
    let index = git.join("index");
    // What is no file may have no end.
    let known = index.metadata().ok()?;
    if !known.is_file() || known.len() > LARGEST {
        return None;
    }
    let root = root.as_os_str().as_bytes();
    let names = names(&std::fs::read(index).ok()?)?;
    Some(names.into_iter().map(|name| [root, b"/", &name].concat().to_ascii_lowercase()).collect::<HashSet<_>>())
}

/// Does git keep this file, or something in whose place a directory above it lies (another repository, a link)? By its real name.
pub fn is_kept(file: &Path) -> bool {
    let Some((directory, name)) = file.parent().and_then(|dir| dir.canonicalize().ok()).zip(file.file_name()) else { return false };
    let Some(names) = of(&directory) else { return false };
    let file = directory.join(name).into_os_string().into_encoded_bytes().to_ascii_lowercase();
    Path::new(OsStr::from_bytes(&file)).ancestors().any(|path| names.contains(path.as_os_str().as_bytes()))
}

/// `.git` itself, or where a file of that name says it is (worktrees, submodules).
fn repository(directory: &Path) -> Option<PathBuf> {
    let git = directory.join(".git");
    let kind = git.symlink_metadata().ok()?;
    if kind.is_dir() {
        return Some(git);
    }
    if !git.metadata().is_ok_and(|known| known.is_file() && known.len() <= LINE) {
        return None;
    }
    let text = std::fs::read(git).ok()?;
    let path = text.strip_prefix(b"gitdir: ")?.trim_ascii_end();
    Some(directory.join(OsStr::from_bytes(path)))
}

fn names(index: &[u8]) -> Option<Vec<Vec<u8>>> {
    let word = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?));
    let (version, count) = (word(4)?, word(8)?);
    if index.get(..4)? != b"DIRC" || !(2..=4).contains(&version) {
        return None;
    }
    let (mut at, mut names, mut before) = (12, Vec::new(), Vec::new());
    for _ in 0..count {
        // A directory stands for all in it where an index is sparse.
        if word(at + 24)? & 0o170_000 == 0o040_000 {
            return None;
        }
        let head = HEAD + if version > 2 && index.get(at + HEAD - 2)? & EXTENDED != 0 { 2 } else { 0 };
        let mut from = at + head;
        if version == 4 {
            let (cut, length) = offset(index.get(from..)?)?;
            before.truncate(before.len().checked_sub(cut)?);
            from += length;
        } else {
            before.clear();
        }
        let length = index.get(from..)?.iter().position(|byte| *byte == 0)?;
        before.extend_from_slice(&index[from..from + length]);
        names.push(before.clone());
        at = if version == 4 { from + length + 1 } else { at + (head + length + 8) / 8 * 8 };
    }
    // What stands behind the entries: a split index keeps most of them elsewhere.
    let mut rest = index.get(at..index.len().checked_sub(SUM)?)?;
    while !rest.is_empty() {
        let size = u32::from_be_bytes(rest.get(4..8)?.try_into().ok()?) as usize;
        if rest.get(..4)? == b"link" {
            return None;
        }
        rest = rest.get(8 + size..)?;
    }
    Some(names)
}

/// How many bytes of the name before are dropped, as git writes it; and how many bytes say so.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = usize::from(bytes.first()? & 0x7f);
    let mut length = 1;
    while bytes[length - 1] & 0x80 != 0 {
        value = value.checked_add(1)?.checked_mul(128)? + usize::from(bytes.get(length)? & 0x7f);
        length += 1;
    }
    Some((value, length))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, args: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args).current_dir(directory);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env_remove("GIT_DIR");
        let output = git.output().expect("git is installed");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn the_names_git_writes_in_each_version() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        git(&root, &["init", "-q"]);
        std::fs::create_dir_all(root.join("Deep/er")).unwrap();
        let files = ["a", "Deep/er/notes.json", "Deep/er/notes.txt", "Deep/with a long name that is not short at all.txt", "z"];
        files.iter().for_each(|file| std::fs::write(root.join(file), "x").unwrap());
        std::fs::write(root.join("untracked"), "x").unwrap();
        git(&root, &["add", "a", "Deep", "z"]);
        let expected: HashSet<Vec<u8>> = files.iter().map(|file| root.join(file).as_os_str().as_bytes().to_ascii_lowercase()).collect();
        for version in ["2", "3", "4"] {
            git(&root, &["update-index", "--index-version", version]);
            // Version 3 is written only where an entry needs it.
            git(&root, &["add", "-N", "untracked"]);
            let mut expected = expected.clone();
            expected.insert(root.join("untracked").as_os_str().as_bytes().to_ascii_lowercase());
            assert_eq!(of(&root.join("Deep")), Some(expected), "version {version}");
        }
        git(&root, &["update-index", "--split-index"]);
        assert_eq!(of(&root), None);
    }

    #[test]
    fn what_is_no_index_tells_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(of(dir.path()), None);
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        for text in [&b""[..], b"DIRC", b"DIRC\0\0\0\x02\xff\xff\xff\xff", b"DIRC\0\0\0\x09\0\0\0\0aaaaaaaaaaaaaaaaaaaa"] {
            std::fs::write(dir.path().join(".git/index"), text).unwrap();
            assert_eq!(of(dir.path()), None);
        }
        std::fs::write(dir.path().join(".git/index"), b"DIRC\0\0\0\x02\0\0\0\0aaaaaaaaaaaaaaaaaaaa").unwrap();
        assert_eq!(of(dir.path()), Some(HashSet::new()));
        // Nobody is waited for.
        let pipe = |path: &str| {
            let path = dir.path().join(path);
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path));
            nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
            assert_eq!(of(dir.path()), None);
            std::fs::remove_file(&path).unwrap();
        };
        pipe(".git/index");
        pipe(".git");
    }
}
