//! Which shared libraries a program loads when it starts, and whether a directory of a search path holds others by their names. In: a program,
//! the directory its own libraries lie in. Out: names.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::read::elf::{Dyn, FileHeader};
use object::{LittleEndian as LE, ReadCache, elf};

/// What glibc looks into below a directory of a search path: `glibc-hwcaps` since 2.33, the others before (ld.so(8)).
const CAPABILITIES: [&str; 7] = ["glibc-hwcaps", "tls", "haswell", "xeon_phi", "avx512_1", "x86_64", "aarch64"];
const DEEPEST: usize = 5;

/// Names of what `program` loads, and of what that loads, as far as it lies in `own`.
pub fn loaded(program: &Path, own: &Path) -> BTreeSet<OsString> {
    let mut names = BTreeSet::new();
    let mut open = vec![program.to_owned()];
    while let Some(file) = open.pop() {
        for name in needed(&file).unwrap_or_default() {
            if names.insert(name.clone()) {
                open.push(own.join(name));
            }
        }
    }
    names
}

/// The first of these names that a loader would find by `dir`.
pub fn found(names: &BTreeSet<OsString>, dir: &Path) -> Option<OsString> {
    let mut open: Vec<(PathBuf, usize)> = vec![(dir.to_owned(), 0)];
    while let Some((dir, depth)) = open.pop() {
        if let Some(name) = names.iter().find(|name| dir.join(name).symlink_metadata().is_ok()) {
            return Some(name.clone());
        }
        let is_searched = |name: &OsStr| CAPABILITIES.iter().any(|known| name == *known) || name.as_bytes().starts_with(b"x86-64-v");
        let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten().filter(|_| depth < DEEPEST);
        open.extend(entries.filter(|entry| is_searched(&entry.file_name())).map(|entry| (entry.path(), depth + 1)));
    }
    None
}

/// `DT_NEEDED` of one file.
fn needed(file: &Path) -> Option<Vec<OsString>> {
    let data = ReadCache::new(File::open(file).ok()?);
    let header = elf::FileHeader64::<LE>::parse(&data).ok()?;
    let sections = header.sections(LE, &data).ok()?;
    let (entries, link) = sections.dynamic(LE, &data).ok()??;
    let strings = sections.strings(LE, &data, link).ok()?;
    let names = entries.iter().filter(|entry| entry.tag(LE) == elf::DT_NEEDED);
    Some(names.filter_map(|entry| entry.string(LE, strings).ok()).map(|name| OsStr::from_bytes(name).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_programs_libraries_are_found() {
        let names = loaded(&std::env::current_exe().unwrap(), Path::new("/nowhere"));
        assert!(names.iter().any(|name| name == "libc.so.6" || name == "libc.musl-x86_64.so.1"), "{names:?}");
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(found(&names, dir.path()), None);
        let name = names.first().unwrap().clone();
        let deeper = dir.path().join("glibc-hwcaps/x86-64-v3");
        std::fs::create_dir_all(&deeper).unwrap();
        std::fs::write(deeper.join(&name), "").unwrap();
        assert_eq!(found(&names, dir.path()), Some(name));
    }
}
