//! After a run with an incident: with which lock file it was built, and whether the repository held what its commit does not. In: the workspace, its commit.
//! Out: both, in the report; nothing where nobody can tell. Files are only read, and no program of the repository's is started.

use std::collections::HashSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::committed::Repository;
use super::git::{Entry, Git, Kind, at};
use crate::model::{Hostile, Source, sha256};

/// Paths that are listed.
const LISTED: usize = 20;
/// How long may be looked.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of one file: larger ones are told apart by their size alone.
const LARGEST: u64 = 64 << 20;
const DEEPEST: usize = 32;
/// What counts for whoever is started further down.
const ABOVE: [&str; 5] = [".cargo/config", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml", "Cargo.toml"];
/// A pointer of git LFS stands in place of a file that is kept elsewhere.
pub const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// `results`: directories of the build's own.
pub fn complete(source: &mut Source, workspace: &Path, results: &[PathBuf]) {
    source.lock = lock(workspace);
    let Some(commit) = &source.commit else { return };
    let Some(repository) = Repository::around(workspace) else { return };
    match changed(&repository, commit, (workspace, results)) {
        Ok(changed) => {
            source.dirty = Some(!changed.is_empty());
            source.changed = changed;
        }
        Err(error) => tracing::debug!("whether all of it was committed is not known: {error:#}"),
    }
}

/// SHA-256 of its lock file.
pub fn lock(workspace: &Path) -> Option<String> {
    let lock = workspace.join("Cargo.lock");
    let known = lock.metadata().ok().filter(|known| known.is_file() && known.len() <= LARGEST)?;
    fs::read(lock).ok().filter(|text| text.len() as u64 == known.len()).map(|text| sha256::hex(&text))
}

/// Is it one that cargo, or whoever starts it, finds by its name: a source, a manifest, a lock file, settings, a choice of toolchain?
fn is_found(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let of = path.parent().and_then(Path::file_name).unwrap_or_default();
    let settings = of == ".cargo" && (name == "config" || name == "config.toml");
    settings
        || name.as_bytes().ends_with(b".rs")
        || ["Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml"].iter().any(|known| name == *known)
}

/// The first paths of which the commit says something else, or nothing: of files it does not have, those that cargo would find by itself.
///
/// # Errors
/// Where not all of it can be looked at.
fn changed(repository: &Repository, commit: &str, (workspace, results): (&Path, &[PathBuf])) -> Result<Vec<Hostile>> {
    let end = Instant::now() + PATIENCE;
    let git = Git::over(repository, commit)?.within(PATIENCE);
    let files = git.files()?;
    let mut contents = git.contents()?;
    let mut changed = Vec::new();
    for entry in files.iter().filter(|entry| entry.kind != Kind::Module) {
        ensure!(Instant::now() < end, "there is too much to look at");
        let path = at(&repository.root, entry);
        let is_pointer =
            |contents: &mut super::git::Contents| entry.size < 1024 && contents.of(entry).is_ok_and(|text| text.starts_with(POINTER));
        if !is_as(&path, entry) && !is_pointer(&mut contents) {
            changed.push(entry.path.clone());
        }
        if changed.len() >= LISTED {
            return Ok(changed);
        }
    }
    let known: HashSet<&[u8]> = files.iter().map(|entry| entry.path.as_bytes()).collect();
    let mut add = |path: &Path| {
        let below = path.strip_prefix(&repository.root).unwrap_or(path);
        if !known.contains(below.as_os_str().as_bytes()) && changed.len() < LISTED {
            changed.push(Hostile::from(below));
        }
    };
    // Above the workspace only what counts from there.
    let above = workspace.ancestors().skip(1).take_while(|dir| dir.starts_with(&repository.root));
    for name in ABOVE {
        above.clone().map(|dir| dir.join(name)).filter(|path| path.symlink_metadata().is_ok()).for_each(|path| add(&path));
    }
    let mut open = vec![(workspace.to_owned(), 0)];
    while let Some((dir, depth)) = open.pop() {
        ensure!(Instant::now() < end && depth < DEEPEST, "there is too much to look at");
        for entry in fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
            let entry = entry.with_context(|| format!("list {}", dir.display()))?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().with_context(|| format!("look at {}", path.display()))?;
            let hidden = name.as_bytes().starts_with(b".") && name != ".cargo";
            // A link to a directory brings all that is in it.
            let is_dir = if kind.is_symlink() { path.is_dir() } else { kind.is_dir() };
            if is_dir && (hidden || results.contains(&path) || path.join("CACHEDIR.TAG").is_file()) {
                continue;
            }
            match is_dir {
                true if kind.is_symlink() => add(&path),
                true => open.push((path, depth + 1)),
                false if is_found(&path) => add(&path),
                false => {}
            }
        }
    }
    changed.sort();
    Ok(changed)
}

/// Has the file that lies there the bytes of the object?
fn is_as(path: &Path, entry: &Entry) -> bool {
    let Ok(facts) = path.symlink_metadata() else { return false };
    let bytes = match entry.kind {
        Kind::Link if facts.is_symlink() => fs::read_link(path).map(|target| target.into_os_string().as_bytes().to_owned()),
        Kind::File | Kind::Program if facts.is_file() && facts.size() == entry.size => {
            if (facts.permissions().mode() & 0o100 != 0) != (entry.kind == Kind::Program) {
                return false;
            }
            if entry.size > LARGEST {
                return true;
            }
            fs::read(path)
        }
        _ => return false,
    };
    bytes.is_ok_and(|bytes| id(&bytes, entry.id.len()) == entry.id)
}

/// Name of the object with these bytes: SHA-1 or SHA-256, as long as the other is.
fn id(bytes: &[u8], length: usize) -> String {
    let head = format!("blob {}\0", bytes.len());
    if length == 64 {
        return sha256::hex(&[head.as_bytes(), bytes].concat());
    }
    let mut digest = sha1_smol::Sha1::new();
    digest.update(head.as_bytes());
    digest.update(bytes);
    digest.digest().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// By git itself, as people have it.
    fn git(dir: &Path, words: &[&str]) {
        let mut command = Command::new("git");
        let settings = ["-c", "user.name=u", "-c", "user.email=u@h.example", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"];
        let done = command.args(settings).args(words).current_dir(dir).env("GIT_CONFIG_GLOBAL", "/dev/null").output().expect("git runs");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn what_the_commit_does_not_have() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let put = |path: &str, text: &str| {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        };
        git(&root, &["init", "-q"]);
        put("rust/src/lib.rs", "pub fn f() {}\n");
        put("rust/Cargo.lock", "# lock\n");
        put("shared/x.bin", "bytes");
        put("large.bin", &format!("{}v1\noid sha256:0\nsize 9\n", String::from_utf8_lossy(POINTER)));
        std::os::unix::fs::symlink("src/lib.rs", root.join("rust/link")).unwrap();
        git(&root, &["add", "."]);
        git(&root, &["commit", "-qm", "x"]);
        let workspace = root.join("rust");
        let look = || {
            let repository = Repository::around(&workspace).unwrap();
            let mut source = Source { commit: repository.head(), ..Source::default() };
            complete(&mut source, &workspace, &[workspace.join("target")]);
            let changed: Vec<String> = source.changed.iter().map(|path| path.to_json_text()).collect();
            (source.dirty, changed.join(" "), source.lock.unwrap())
        };
        put("large.bin", "the nine!");
        put("rust/target/made.rs", "");
        put("rust/notes.txt", "no source");
        assert_eq!(look(), (Some(false), String::new(), sha256::hex(b"# lock\n")));
        put("rust/build.rs", "fn main() {}\n");
        put("shared/x.bin", "bytez");
        put("rust/Cargo.lock", "# lock 2\n");
        fs::remove_file(root.join("rust/link")).unwrap();
        assert_eq!(look(), (Some(true), "rust/Cargo.lock rust/build.rs rust/link shared/x.bin".to_owned(), sha256::hex(b"# lock 2\n")));
        // Settings and choices that nobody committed, also further up, and links to more.
        git(&root, &["add", "."]);
        git(&root, &["commit", "-qm", "y"]);
        assert_eq!(look().0, Some(false));
        for file in [".cargo/config", "rust/.cargo/config.toml", "rust/rust-toolchain.toml", "rust/.idea/x.rs", "src/above.rs"] {
            put(file, "");
        }
        std::os::unix::fs::symlink("/etc", root.join("rust/more")).unwrap();
        let found = ".cargo/config rust/.cargo/config.toml rust/more rust/rust-toolchain.toml";
        assert_eq!((look().0, look().1), (Some(true), found.to_owned()));
        if !nix::unistd::geteuid().is_root() {
            fs::create_dir(root.join("rust/shut")).unwrap();
            fs::set_permissions(root.join("rust/shut"), fs::Permissions::from_mode(0o000)).unwrap();
            assert_eq!(look().0, None, "nobody can tell");
            fs::set_permissions(root.join("rust/shut"), fs::Permissions::from_mode(0o700)).unwrap();
        }
        fs::remove_dir_all(root.join(".git/objects")).unwrap();
        fs::create_dir(root.join(".git/objects")).unwrap();
        assert_eq!(look().0, None, "nobody can tell");
    }
}
