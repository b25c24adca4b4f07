//! Git on the objects of a repository, with none of its settings, hooks, filters and attributes: those name programs. It reads, writes nothing, and reaches
//! nobody (see `plan::own_calls`). In: a repository, a commit. Out: what it holds, and the files' bytes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::committed::{Repository, hex};
use crate::model::Hostile;
use crate::plan::own_calls;
use crate::sys::walled::{PATIENCE, Running, Timed};

/// Where systems have it. The user's `PATH` may lead into the repository.
const PROGRAMS: [&str; 4] = ["/usr/bin/git", "/usr/local/bin/git", "/bin/git", "/run/current-system/sw/bin/git"];
/// Entries of one commit, and bytes of a listing.
const MOST: usize = 200_000;
const LISTING: u64 = 256 << 20;
/// Bytes of one file: all of it is in memory at once, and little of it need be in the repository.
const ONE: u64 = 256 << 20;

pub struct Git {
    program: PathBuf,
    /// A repository of our own, which has no objects.
    dir: TempDir,
    objects: PathBuf,
    commit: String,
    patience: Duration,
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
        Ok(Git { program, dir, objects, commit, patience: PATIENCE })
    }

    /// That may take so long: what is not said by then is not known. A repository may hold what nobody ever comes to the end of.
    pub fn within(self, patience: Duration) -> Git {
        Git { patience, ..self }
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
        let mut command = self.command(&["ls-tree", "-r", "-z", "-l", "--full-tree", &self.commit])?;
        let text = listing(&mut command, self.patience, LISTING)?;
        let text = text.with_context(|| format!("the commit {} is not in this repository", self.commit))?;
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
        let mut command = self.command(&["cat-file", "--batch"])?;
        let mut running = Running::start(command.stdin(Stdio::piped()), self.patience).context("start git")?;
        let (asks, tells) = (running.stdin().context("speak to git")?, running.stdout().context("hear git")?);
        Ok(Contents { asks, tells: BufReader::new(tells), _running: running })
    }
}

/// What it says, if it ends well.
///
/// # Errors
/// Where it says more than `most` bytes, or does not end in time.
fn listing(command: &mut Command, patience: Duration, most: u64) -> Result<Option<Vec<u8>>> {
    let mut running = Running::start(command, patience).context("start git")?;
    let mut text = Vec::new();
    running.stdout().context("hear git")?.take(most + 1).read_to_end(&mut text).context("hear git")?;
    ensure!(text.len() as u64 <= most, "the commit's list of files is larger than {} MiB", most >> 20);
    Ok(running.wait().context("wait for git")?.success().then_some(text))
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
    asks: ChildStdin,
    tells: BufReader<Timed<ChildStdout>>,
    _running: Running,
}

impl Contents {
    /// # Errors
    /// When the object is not there: of repositories that were not fetched whole.
    pub fn of(&mut self, entry: &Entry) -> Result<Vec<u8>> {
        let asked = self.asks.write_all(format!("{}\n", entry.id).as_bytes());
        asked.and_then(|()| self.asks.flush()).context("speak to git")?;
        let mut head = String::new();
        self.tells.by_ref().take(4096).read_line(&mut head).context("hear git")?;
        let mut facts = head.split_ascii_whitespace().skip(1);
        let (kind, size) = (facts.next(), facts.next().and_then(|size| size.parse::<u64>().ok()));
        let (Some("blob"), Some(size)) = (kind, size) else { bail!("an object of the commit is missing: {}", head.trim()) };
        ensure!(size == entry.size, "an object of the commit has another size than it should");
        ensure!(size <= ONE, "a file of the commit is larger than {} MiB", ONE >> 20);
        let mut bytes = vec![0; usize::try_from(size).context("an object is too large")?];
        self.tells.read_exact(&mut bytes).context("hear git")?;
        let mut end = [0];
        self.tells.read_exact(&mut end).context("hear git")?;
        Ok(bytes)
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

    #[test]
    fn a_list_that_is_too_long_is_told_as_that() {
        let say = |script: &str, most: u64| {
            let mut command = Command::new("sh");
            listing(command.args(["-c", script]).stdout(Stdio::piped()), PATIENCE, most)
        };
        assert_eq!(say("printf abc", 3).unwrap().as_deref(), Some(&b"abc"[..]));
        assert_eq!(say("printf abc; exit 1", 3).unwrap(), None);
        assert!(say("printf abcd; exit 1", 3).unwrap_err().to_string().contains("list of files is larger"));
    }

    #[test]
    fn a_repository_that_nobody_comes_to_the_end_of() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join(".git/objects/info")).unwrap();
        std::fs::write(dir.path().join(".git/objects/info/alternates"), dir.path().join("elsewhere").as_os_str().as_encoded_bytes())
            .unwrap();
        std::fs::create_dir_all(dir.path().join("elsewhere/info")).unwrap();
        // Git reads where else objects lie before it looks for any, and here nobody ever writes.
        nix::unistd::mkfifo(&dir.path().join("elsewhere/info/alternates"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let repository = Repository::around(dir.path()).unwrap();
        let git = Git::over(&repository, &"a".repeat(40)).unwrap().within(Duration::from_millis(500));
        let began = std::time::Instant::now();
        assert!(git.files().is_err());
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }
}
