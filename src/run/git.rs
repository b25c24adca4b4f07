//! Git on the objects of a repository, with none of its settings, hooks, filters and attributes: those name programs. It reads, writes nothing, and reaches
//! nobody (see `plan::own_calls`). In: a repository, a commit. Out: what it holds, and the files' bytes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::committed::{Repository, hex};
use crate::model::Hostile;
use crate::plan::own_calls;

/// Where systems have it. The user's `PATH` may lead into the repository.
const PROGRAMS: [&str; 4] = ["/usr/bin/git", "/usr/local/bin/git", "/bin/git", "/run/current-system/sw/bin/git"];
/// Entries of one commit, and bytes of a listing.
const MOST: usize = 200_000;
const LISTING: u64 = 256 << 20;

pub struct Git {
    program: PathBuf,
    /// A repository of our own, which has no objects.
    dir: TempDir,
    objects: PathBuf,
    commit: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Program,
    Link,
    /// A commit of another repository.
    Module,
}

/// One file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the top of the repository.
    pub path: Hostile,
    pub kind: Kind,
    /// Name of the object.
    pub id: String,
    pub size: u64,
}

impl Git {
    /// # Errors
    /// Where git is not installed.
    pub fn over(repository: &Repository, commit: &str) -> Result<Git> {
        let program = PROGRAMS.iter().map(PathBuf::from).find(|program| program.is_file()).context("git is not installed")?;
        let commit = hex(commit.as_bytes()).context("no name of a commit")?;
        let dir = tempfile::tempdir().context("make a directory for git")?;
        let format = if commit.len() == 64 { "[extensions]\n\tobjectFormat = sha256\n" } else { "" };
        let config = format!("[core]\n\trepositoryformatversion = {}\n\tbare = true\n{format}", u8::from(!format.is_empty()));
        std::fs::create_dir_all(dir.path().join("refs")).context("make a repository")?;
        for (name, text) in [("HEAD", "ref: refs/heads/none\n"), ("config", &config)] {
            std::fs::write(dir.path().join(name), text).context("make a repository")?;
        }
        let objects = repository.objects().canonicalize().context("look for the objects of the repository")?;
        Ok(Git { program, dir, objects, commit })
    }

    fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = own_calls::command(&self.program, &[], &["/".into()])?;
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("HOME", "/nonexistent"), ("LC_ALL", "C"), ("GIT_CONFIG_GLOBAL", "/dev/null")] {
            command.env(name, value);
        }
        for name in ["GIT_CONFIG_NOSYSTEM", "GIT_NO_LAZY_FETCH", "GIT_NO_REPLACE_OBJECTS"] {
            command.env(name, "1");
        }
        command.env("GIT_DIR", self.dir.path()).env("GIT_OBJECT_DIRECTORY", &self.objects).current_dir("/");
        command.args(words).stdout(Stdio::piped());
        Ok(command)
    }

    /// All files of the commit, by their paths.
    ///
    /// # Errors
    /// When the commit is not there, or holds something that no work tree could have.
    pub fn files(&self) -> Result<Vec<Entry>> {
        let mut child = self.command(&["ls-tree", "-r", "-z", "-l", "--full-tree", &self.commit])?.spawn().context("start git")?;
        let mut text = Vec::new();
        child.stdout.take().context("hear git")?.take(LISTING).read_to_end(&mut text).context("hear git")?;
        ensure!(child.wait().context("wait for git")?.success(), "the commit {} is not in this repository", self.commit);
        let entries: Vec<Entry> =
            text.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(entry).collect::<Option<_>>().context("an odd commit")?;
        ensure!(entries.len() < MOST, "the commit holds more than {MOST} files");
        Ok(entries)
    }

    /// Whoever hands out the bytes of files, one after the other.
    ///
    /// # Errors
    /// When git cannot be started.
    pub fn contents(&self) -> Result<Contents> {
        let mut child = self.command(&["cat-file", "--batch"])?.stdin(Stdio::piped()).spawn().context("start git")?;
        let (asks, tells) = (child.stdin.take().context("speak to git")?, child.stdout.take().context("hear git")?);
        Ok(Contents { child, asks: Some(asks), tells: BufReader::new(tells) })
    }
}

/// `100644 blob 9dae…     123\tsrc/lib.rs`, git-ls-tree(1).
fn entry(line: &[u8]) -> Option<Entry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (facts, path) = (std::str::from_utf8(&line[..tab]).ok()?, &line[tab + 1..]);
    let [mode, _, id, size] = facts.split_ascii_whitespace().collect::<Vec<_>>()[..] else { return None };
    let kind = match mode {
        "100644" | "100664" => Kind::File,
        "100755" => Kind::Program,
        "120000" => Kind::Link,
        "160000" => Kind::Module,
        _ => return None,
    };
    let fits = |part: &[u8]| !part.is_empty() && part != b"." && part != b".." && !part.eq_ignore_ascii_case(b".git");
    let path = Some(path).filter(|path| path.split(|byte| *byte == b'/').all(fits))?;
    Some(Entry {
        path: Hostile::from(path),
        kind,
        id: hex(id.as_bytes())?,
        size: if kind == Kind::Module { 0 } else { size.parse().ok()? },
    })
}

pub struct Contents {
    child: Child,
    asks: Option<ChildStdin>,
    tells: BufReader<ChildStdout>,
}

impl Contents {
    /// # Errors
    /// When the object is not there: of repositories that were not fetched whole.
    pub fn of(&mut self, entry: &Entry) -> Result<Vec<u8>> {
        let asks = self.asks.as_mut().context("speak to git")?;
        asks.write_all(format!("{}\n", entry.id).as_bytes()).and_then(|()| asks.flush()).context("speak to git")?;
        let mut head = String::new();
        self.tells.by_ref().take(4096).read_line(&mut head).context("hear git")?;
        let mut facts = head.split_ascii_whitespace().skip(1);
        let (kind, size) = (facts.next(), facts.next().and_then(|size| size.parse::<u64>().ok()));
        let (Some("blob"), Some(size)) = (kind, size) else { bail!("an object of the commit is missing: {}", head.trim()) };
        ensure!(size == entry.size, "an object of the commit has another size than it should");
        let mut bytes = vec![0; usize::try_from(size).context("an object is too large")?];
        self.tells.read_exact(&mut bytes).context("hear git")?;
        let mut end = [0];
        self.tells.read_exact(&mut end).context("hear git")?;
        Ok(bytes)
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        // It ends when nobody asks it any more.
        drop(self.asks.take());
        let _ = self.child.wait();
    }
}

/// A path of a repository as one of this machine's.
pub fn at(root: &Path, entry: &Entry) -> PathBuf {
    root.join(entry.path.as_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_listing() {
        let id = "9daeafb9864cf43055ae93beb0afd6c7d144bfa4";
        let of = |mode: &str, path: &str| entry(format!("{mode} blob {id}      12\t{path}").as_bytes());
        let known = Entry { path: "a b/ü".into(), kind: Kind::Program, id: id.into(), size: 12 };
        assert_eq!(of("100755", "a b/ü"), Some(known));
        let module = entry(format!("160000 commit {id}       -\tvendor/x").as_bytes()).unwrap();
        assert_eq!((module.kind, module.size), (Kind::Module, 0));
        for odd in ["../x", "a/../x", "/x", "a//b", ".git/config", "a/.GIT/hooks/x", "", "."] {
            assert_eq!(of("100644", odd), None, "{odd}");
        }
        assert_eq!(of("040000", "a"), None);
    }
}
