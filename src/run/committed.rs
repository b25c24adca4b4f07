//! The commit that a workspace stands at, by git's own files: git itself is not started before a build, for a repository's settings name programs. In: a
//! directory. Out: its repository, the commit.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::model::{Hostile, Source};

/// Of a file that holds one line.
const LINE: u64 = 4096;
/// Of all references in one file.
const PACKED: u64 = 64 << 20;
/// Links from one reference to the next.
const DEEPEST: usize = 5;

pub struct Repository {
    /// The directory that its files lie in.
    pub root: PathBuf,
    /// Of this worktree.
    own: PathBuf,
    /// Of all worktrees.
    common: PathBuf,
}

impl Repository {
    /// The nearest that a directory lies in; gitrepository-layout(5).
    pub fn around(dir: &Path) -> Option<Repository> {
        let root = dir.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok())?.to_owned();
        let entry = root.join(".git");
        // Of a worktree and of a submodule it is a file.
        let own = if entry.is_dir() { entry } else { root.join(path(line(&entry, LINE)?.strip_prefix(b"gitdir: ")?)) };
        let common = line(&own.join("commondir"), LINE).map_or_else(|| own.clone(), |text| own.join(path(&text)));
        Some(Repository { root, own, common })
    }

    pub fn objects(&self) -> PathBuf {
        self.common.join("objects")
    }

    /// The commit, in hex. None before the first, and where references are kept in a way of which only git knows.
    pub fn head(&self) -> Option<String> {
        let mut text = line(&self.own.join("HEAD"), LINE)?;
        for _ in 0..DEEPEST {
            let Some(name) = text.strip_prefix(b"ref: ") else { return hex(&text) };
            let plain = name.starts_with(b"refs/") && !name.windows(2).any(|pair| pair == b"..");
            let name = path(name.strip_suffix(b"\r").unwrap_or(name)).to_owned();
            let loose = [&self.own, &self.common].into_iter().filter(|_| plain).find_map(|dir| line(&dir.join(&name), LINE));
            match loose {
                Some(next) => text = next,
                None => return self.packed(name.as_os_str().as_bytes()),
            }
        }
        None
    }

    fn packed(&self, name: &[u8]) -> Option<String> {
        let text = read(&self.common.join("packed-refs"), PACKED)?;
        let found = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_suffix(name)?.strip_suffix(b" "));
        found.and_then(hex)
    }
}

/// What is about to be built.
pub fn source(workspace: Option<&Path>) -> Option<Source> {
    let workspace = workspace?;
    let below = |dir: &Path, tree: &Path| dir.strip_prefix(tree).ok().map(Path::to_owned);
    let some = |path: PathBuf| Some(path).filter(|path| !path.as_os_str().is_empty()).map(Hostile::from);
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let member = here.and_then(|here| below(&here, workspace));
    let repository = Repository::around(workspace);
    let commit = repository.as_ref().and_then(Repository::head);
    let within = repository.filter(|_| commit.is_some()).and_then(|repository| below(workspace, &repository.root));
    Some(Source { commit, within: within.and_then(some), outside: member.is_none(), member: member.and_then(some), ..Source::default() })
}

/// A commit's name, SHA-1 or SHA-256.
pub fn hex(text: &[u8]) -> Option<String> {
    let text = text.trim_ascii_end();
    let digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    ([40, 64].contains(&text.len()) && text.iter().all(digit)).then(|| String::from_utf8_lossy(text).into_owned())
}

fn path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn line(file: &Path, most: u64) -> Option<Vec<u8>> {
    read(file, most).map(|text| text.trim_ascii_end().to_owned())
}

/// A regular file of at most so many bytes: nobody is waited for.
fn read(file: &Path, most: u64) -> Option<Vec<u8>> {
    let known = file.metadata().ok().filter(|known| known.is_file() && known.len() <= most)?;
    let mut text = Vec::with_capacity(known.len() as usize);
    File::open(file).ok()?.take(most).read_to_end(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const A: &str = "0123456789abcdef0123456789abcdef01234567";
    const B: &str = "89abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn where_the_head_is() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("repository");
        let put = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let head = |from: &str| Repository::around(&root.join(from)).and_then(|repository| repository.head());
        fs::create_dir_all(root.join("rust/src")).unwrap();
        assert_eq!(head("rust"), None);
        put(".git/HEAD", "ref: refs/heads/main\n");
        assert_eq!(head("rust"), None, "before the first commit");
        put(".git/packed-refs", &format!("# pack-refs with: peeled\n{B} refs/heads/a/main\n{A} refs/heads/main\n^{B}\n"));
        assert_eq!(head("rust/src").as_deref(), Some(A));
        put(".git/refs/heads/main", &format!("{B}\n"));
        assert_eq!(head("rust").as_deref(), Some(B), "the loose one is newer");
        put(".git/HEAD", &format!("{A}\n"));
        assert_eq!(head("").as_deref(), Some(A), "no branch");
        // Another worktree of it.
        put(".git/worktrees/w/HEAD", "ref: refs/heads/main\n");
        put(".git/worktrees/w/commondir", "../..\n");
        put("w/.git", &format!("gitdir: {}\n", root.join(".git/worktrees/w").display()));
        assert_eq!(head("w").as_deref(), Some(B));
        for odd in ["ref: refs/heads/../../x", "ref: HEAD", "nothing", &A[1..], &A.to_uppercase(), "ref: refs/heads/.invalid"] {
            put(".git/HEAD", odd);
            assert_eq!(head(""), None, "{odd}");
        }
        put(".git/HEAD", "ref: refs/heads/x\n");
        put(".git/refs/heads/x", "ref: refs/heads/x\n");
        assert_eq!(head(""), None, "in a circle");
    }
}
