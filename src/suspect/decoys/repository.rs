//! A git repository with a history and a remote, written file by file: git itself need not be there. In: the files of the project. Out: a `.git`
//! which git reads, with canaries where people leave credentials: in the remote's address, and in a file that was taken out again.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::model::Canary;
use crate::suspect::decoys::objects::{Files, Objects, hex, index};
use crate::suspect::decoys::persona::Persona;
use crate::suspect::decoys::project::{FILES, MESSAGES};
use crate::suspect::decoys::put::Putting;
use crate::suspect::decoys::random::Random;
use crate::suspect::decoys::template::fill;

const CONFIG: &str = "[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
[remote \"origin\"]
	url = https://«user»:«github»@github.com/«company»/tidemark.git
	fetch = +refs/heads/*:refs/remotes/origin/*
[http \"https://github.com/\"]
	extraheader = AUTHORIZATION: basic «basic»
[branch \"main\"]
	remote = origin
	merge = refs/heads/main
";
/// Committed, and taken out by the next commit.
const LEAKED: &str = "APP_ENV=staging\nDATABASE_URL=postgres://tidemark:«password»@db.«company».dev/staging\nSTRIPE_SECRET_KEY=«stripe»\n";
const IGNORED: &str = "/target\n.env\n.env.*\n!.env.example\n.envrc\n*.pem\nsecrets.toml\n";
const DAY: u64 = 86_400;

/// Writes `.git` below `workspace`, unless there is one.
///
/// # Errors
/// With the path that could not be written.
pub fn lay(workspace: &Path, persona: &Persona, random: &mut Random, putting: &mut Putting, canaries: &mut Vec<Canary>) -> io::Result<()> {
    let git = workspace.join(".git");
    if git.symlink_metadata().is_ok() {
        return Ok(());
    }
    let mut history = History { objects: Objects::default(), files: BTreeMap::new(), head: None, log: String::new() };
    let who = format!("{} <{}@{}.dev>", persona.user, persona.user, persona.company);
    let mut at = putting.ago(DAY * (MESSAGES.len() as u64 + 3) * 19).duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut commit = |history: &mut History, message: &str, random: &mut Random| -> io::Result<()> {
        history.commit(&format!("{who} {at} +0100"), message);
        at += DAY * 18 + random.below(80_000)? as u64;
        Ok(())
    };
    history.put(".gitignore", IGNORED);
    for ((path, text), message) in FILES.iter().zip(MESSAGES) {
        history.put(path, text);
        commit(&mut history, message, random)?;
    }
    let leaked = fill(LEAKED, "<workspace>/.git (history)", persona, random, canaries)?;
    history.put(".env.staging", &leaked);
    commit(&mut history, "staging: settings", random)?;
    history.files.remove(".env.staging");
    commit(&mut history, "staging: take the settings out again, they are in the vault", random)?;

    let head = history.head.map(|id| hex(&id)).unwrap_or_default();
    let config = fill(CONFIG, "<workspace>/.git/config", persona, random, canaries)?;
    let mut put = |path: &str, text: &[u8]| putting.put(&git.join(path), text, 0o644);
    for (path, text) in [
        ("HEAD", "ref: refs/heads/main\n".to_owned()),
        ("config", config),
        ("description", "Unnamed repository; edit this file 'description' to name the repository.\n".to_owned()),
        ("info/exclude", "# git ls-files --others --exclude-from=.git/info/exclude\n".to_owned()),
        ("refs/heads/main", format!("{head}\n")),
        ("refs/remotes/origin/main", format!("{head}\n")),
        ("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/main\n".to_owned()),
        ("packed-refs", format!("# pack-refs with: peeled fully-peeled sorted \n{head} refs/tags/v0.4.0\n")),
        ("FETCH_HEAD", format!("{head}\t\tbranch 'main' of github.com:{}/tidemark\n", persona.company)),
        ("COMMIT_EDITMSG", "staging: take the settings out again, they are in the vault\n".to_owned()),
        ("logs/HEAD", history.log.clone()),
        ("logs/refs/heads/main", history.log.clone()),
    ] {
        put(path, text.as_bytes())?;
    }
    put("index", &index(&history.files))?;
    let objects = &history.objects.loose;
    objects.iter().try_for_each(|(path, content)| putting.put(&git.join("objects").join(path), content, 0o444))?;
    putting.put(&workspace.join(".gitignore"), IGNORED.as_bytes(), 0o644)
}

struct History {
    objects: Objects,
    files: Files,
    head: Option<[u8; 20]>,
    log: String,
}

impl History {
    fn put(&mut self, path: &str, text: &str) {
        let blob = self.objects.blob(text.as_bytes());
        self.files.insert(path.to_owned(), blob);
    }

    fn commit(&mut self, who: &str, message: &str) {
        let tree = self.objects.tree(&self.files);
        let id = self.objects.commit(tree, self.head, who, message);
        let before = self.head.map_or_else(|| "0".repeat(40), |id| hex(&id));
        let initial = if self.head.is_none() { " (initial)" } else { "" };
        self.log.push_str(&format!("{before} {} {who}\tcommit{initial}: {message}\n", hex(&id)));
        self.head = Some(id);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Read by git itself, where that is installed.
    #[test]
    fn git_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut random = Random::new().unwrap();
        let persona = Persona::new(Path::new("/home/ada"), dir.path(), &mut random).unwrap();
        let (mut putting, mut canaries) = (Putting::new().unwrap(), Vec::new());
        for (path, text) in FILES {
            putting.put(&dir.path().join(path), text.as_bytes(), 0o644).unwrap();
        }
        lay(dir.path(), &persona, &mut random, &mut putting, &mut canaries).unwrap();
        putting.finish().unwrap();
        assert!(canaries.iter().any(|canary| canary.place.ends_with("config")) && canaries.len() >= 5);
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            command.args(["-c", "safe.directory=*"]).args(words).current_dir(dir.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
            match command.output() {
                Ok(output) => {
                    Some((output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()))
                }
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::NotFound);
                    None
                }
            }
        };
        let Some((sound, said)) = git(&["fsck", "--strict"]) else { return };
        assert!(sound, "{said}");
        assert_eq!(git(&["status", "--porcelain"]).unwrap(), (true, String::new()));
        assert_eq!(git(&["rev-list", "--count", "HEAD"]).unwrap().1.trim(), (MESSAGES.len() + 2).to_string());
        let (_, shown) = git(&["show", "HEAD~1:.env.staging"]).unwrap();
        assert!(canaries.iter().any(|canary| shown.contains(&canary.value)), "{shown}");
        assert!(git(&["remote", "-v"]).unwrap().1.contains("github.com"));
    }
}
