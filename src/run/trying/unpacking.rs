//! A suspect's source brought into the throw-away, without running any of it. In: a `.crate` file, or a directory. Out: plain files and directories
//! below one directory, so many bytes at most; no links, no other kinds of files, nothing outside.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::judge::{Places, SecretLists, Secrets};

/// Bytes of all files together, and files. A crate of the registry has at most some ten megabytes, packed.
const MOST: u64 = 512 << 20;
const FILES: usize = 50_000;
const DEPTH: usize = 64;

/// Unpacks a `.crate` file into `into`, which must be empty: without the directory that all of it lies in. Answers that directory's name, and how many
/// links were left out.
///
/// # Errors
/// When it is no such archive, is too large, or wants to leave its directory.
pub fn archive(file: &Path, into: &Path) -> Result<(String, usize)> {
    let packed = File::open(file).with_context(|| format!("open {}", file.display()))?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed).take(MOST + (64 << 20)));
    let (mut top, mut left, mut links): (Option<String>, u64, usize) = (None, MOST, 0);
    for (count, entry) in archive.entries().context("read the archive")?.enumerate() {
        ensure!(count < FILES, "the archive holds more than {FILES} entries");
        let mut entry = entry.context("read the archive")?;
        let path = entry.path().context("read the archive")?.into_owned();
        let (first, rest) = split(&path)?;
        let known = top.get_or_insert_with(|| first.clone());
        ensure!(*known == first, "the archive holds two directories, {known:?} and {first:?}");
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            links += 1;
            continue;
        }
        let at = into.join(&rest);
        if kind.is_dir() || rest.as_os_str().is_empty() {
            fs::create_dir_all(&at).with_context(|| format!("make {}", at.display()))?;
        } else if kind.is_file() || kind.is_contiguous() {
            fs::create_dir_all(at.parent().unwrap_or(into)).with_context(|| format!("make the directory of {}", at.display()))?;
            left = write(&mut entry, &at, left)?;
        }
    }
    Ok((top.context("the archive is empty")?, links))
}

/// The directory that all lies in, and the rest.
fn split(path: &Path) -> Result<(String, PathBuf)> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            _ => bail!("the archive wants to write outside its directory: {path:?}"),
        }
    }
    ensure!(!parts.is_empty() && parts.len() <= DEPTH, "a path of the archive has no name, or is too deep: {path:?}");
    let first = parts[0].to_str().context("a name in the archive is no text")?.to_owned();
    Ok((first, parts[1..].iter().collect()))
}

/// What was left out of a copy.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub links: usize,
    /// Files that look like secrets of somebody's, from the top; and directories.
    pub secrets: Vec<PathBuf>,
}

/// Copies a directory's files and directories into `into`, but no results of builds, no history, and nothing that looks like a secret of somebody's. Answers
/// how many links were left out.
///
/// # Errors
/// When something cannot be read, or it is too large.
pub fn directory(from: &Path, into: &Path) -> Result<usize> {
    tree(from, into, &top_without).map(|left| left.links)
}

/// The same of the files that lie in it themselves.
///
/// # Errors
/// As there.
pub fn files(from: &Path, into: &Path) -> Result<usize> {
    copied(from, into, &top_without, 0).map(|left| left.links)
}

/// Results and history are nobody's sources.
fn top_without(path: &Path, depth: usize) -> bool {
    depth == 0 && path.file_name().is_some_and(|name| name == "target" || name == ".git")
}

/// The same without what somebody says: of a path, and how far below the top it lies.
///
/// # Errors
/// As [`directory`].
pub fn tree(from: &Path, into: &Path, without: &dyn Fn(&Path, usize) -> bool) -> Result<Left> {
    copied(from, into, without, DEPTH)
}

/// Directories below `deepest` are left out, or, where that is the most there may be, too deep.
fn copied(from: &Path, into: &Path, without: &dyn Fn(&Path, usize) -> bool, deepest: usize) -> Result<Left> {
    let secrets = Secrets::compile(&Places::default(), &SecretLists::default()).map_err(anyhow::Error::msg)?;
    let (mut room, mut out, mut seen) = (MOST, Left::default(), 0);
    let mut open = vec![(from.to_owned(), into.to_owned(), 0)];
    while let Some((dir, into, depth)) = open.pop() {
        fs::create_dir_all(&into).with_context(|| format!("make {}", into.display()))?;
        for entry in fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))? {
            let entry = entry.with_context(|| format!("list {}", dir.display()))?;
            let (path, name) = (entry.path(), entry.file_name());
            let kind = entry.file_type().with_context(|| format!("look at {}", path.display()))?;
            seen += 1;
            ensure!(seen < FILES && depth < DEPTH, "{} holds more than {FILES} files, or is too deep", dir.display());
            let is_secret = secrets.class_of(path.as_os_str().as_encoded_bytes()).is_some();
            if is_secret && !without(&path, depth) {
                out.secrets.extend(path.strip_prefix(from).map(Path::to_owned));
            }
            let leaves = is_secret || without(&path, depth);
            if kind.is_dir() && !leaves && depth < deepest {
                open.push((path, into.join(name), depth + 1));
            } else if kind.is_symlink() {
                out.links += 1;
            } else if kind.is_file() && !leaves {
                let mut file = File::open(&path).with_context(|| format!("open {}", path.display()))?;
                room = write(&mut file, &into.join(name), room)?;
                let mode = file.metadata().map(|facts| facts.permissions()).with_context(|| format!("look at {}", path.display()))?;
                restrict(&into.join(entry.file_name()), mode)?;
            }
        }
    }
    Ok(out)
}

/// No right to be somebody else comes along.
fn restrict(path: &Path, mut mode: fs::Permissions) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    mode.set_mode(mode.mode() & 0o755 | 0o600);
    fs::set_permissions(path, mode).with_context(|| format!("set the mode of {}", path.display()))
}

/// Answers how many bytes may still come.
fn write(from: &mut dyn Read, to: &Path, left: u64) -> Result<u64> {
    let mut file = File::create_new(to).with_context(|| format!("make {}", to.display()))?;
    let copied = io::copy(&mut from.take(left + 1), &mut file).with_context(|| format!("write {}", to.display()))?;
    ensure!(copied <= left, "it holds more than {} MiB", MOST >> 20);
    Ok(left - copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(add: impl FnOnce(&mut tar::Builder<flate2::write::GzEncoder<File>>)) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("x.crate")).unwrap();
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
        add(&mut builder);
        builder.into_inner().unwrap().finish().unwrap();
        fs::create_dir(dir.path().join("into")).unwrap();
        dir
    }

    fn header(path: &str, kind: tar::EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_ustar();
        // As it stands, with no checks.
        header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o4755);
        header.set_size(size);
        header.set_cksum();
        header
    }

    #[test]
    fn files_come_out_and_nothing_leaves_the_directory() {
        use std::os::unix::fs::PermissionsExt;
        let dir = packed(|builder| {
            builder.append(&header("x-1.0.0/Cargo.toml", tar::EntryType::Regular, 3), &b"abc"[..]).unwrap();
            let mut link = header("x-1.0.0/link", tar::EntryType::Symlink, 0);
            link.set_link_name("/etc/passwd").unwrap();
            link.set_cksum();
            builder.append(&link, io::empty()).unwrap();
        });
        let into = dir.path().join("into");
        assert_eq!(archive(&dir.path().join("x.crate"), &into).unwrap(), ("x-1.0.0".to_owned(), 1));
        assert_eq!(fs::read(into.join("Cargo.toml")).unwrap(), b"abc");
        assert!(fs::symlink_metadata(into.join("link")).is_err());
        assert_eq!(fs::metadata(into.join("Cargo.toml")).unwrap().permissions().mode() & 0o7000, 0);
        for path in ["../out", "x-1.0.0/../../out", "/out"] {
            let dir = packed(|builder| {
                builder.append(&header(path, tar::EntryType::Regular, 1), &b"a"[..]).unwrap();
            });
            let error = archive(&dir.path().join("x.crate"), &dir.path().join("into")).unwrap_err().to_string();
            assert!(error.contains("outside its directory") && !dir.path().join("out").exists(), "{path}: {error}");
        }
        fs::write(dir.path().join("y.crate"), "no archive").unwrap();
        assert!(archive(&dir.path().join("y.crate"), &into).is_err());
    }

    #[test]
    fn a_directory_is_copied_without_links_results_and_history() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        for file in ["src/lib.rs", "target/debug/x", ".git/config", "tests/target/data", ".env", ".env.example"] {
            fs::create_dir_all(from.join(file).parent().unwrap()).unwrap();
            fs::write(from.join(file), file).unwrap();
        }
        std::os::unix::fs::symlink("/etc", from.join("src/etc")).unwrap();
        let into = dir.path().join("into");
        assert_eq!(directory(&from, &into).unwrap(), 1);
        let there = |file: &str| into.join(file).exists();
        assert!(there("src/lib.rs") && there("tests/target/data") && !there("target") && !there(".git") && !there("src/etc"));
        assert!(!there(".env") && there(".env.example"));
        let into = dir.path().join("files");
        assert_eq!(files(&from, &into).unwrap(), 0);
        let there: Vec<_> = fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(there, [".env.example"]);
    }
}
