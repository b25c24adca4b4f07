//! What cargo's answer about the graph depends on, beside what it was called with: the configuration on the way up, the manifests, the lock file,
//! what decides which targets a package has, what was fetched. In: where cargo works, what it answered. Out: [`Facts`], or nothing where something
//! was met whose reach is not known here: then the answer is not kept.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::facts::Facts;
use crate::attribute::source::{clean, read_text, split_name};
use crate::judge::paths::glob;
use crate::plan::cargo_files;
use crate::plan::quoted::paths_in;

/// Bytes of a manifest or configuration file, and files of either kind.
const LONGEST: u64 = 4 << 20;
const FILES: usize = 4_000;
/// Directories in which a package's targets are looked for: each file, and each directory with a `main.rs`, is one.
const DISCOVERED: [&str; 4] = ["src/bin", "tests", "examples", "benches"];

/// Where cargo works.
pub struct Ground<'a> {
    /// Where it is started, by which configuration is found …
    pub here: &'a Path,
    /// … where the manifest is looked for from, …
    pub start: &'a Path,
    pub cargo_home: &'a Path,
    /// … and programs, and whatever else must be as it was.
    pub programs: &'a [PathBuf],
}

/// A package of the graph.
#[derive(Debug)]
pub struct Package<'a> {
    pub manifest: &'a Path,
    /// It lies where a path says, and is nobody's copy.
    pub is_local: bool,
}

/// What can be looked at before cargo is asked, and the packages that configuration names.
pub fn before(ground: &Ground) -> Option<(Facts, Vec<PathBuf>)> {
    let mut facts = Facts::default();
    for program in ground.programs {
        facts.exactly(program)?;
    }
    above(&mut facts, ground.start)?;
    let named = configuration(&mut facts, ground)?;
    Some((facts, named))
}

/// All of it, once cargo has answered. `named` are packages that configuration names.
pub fn after(ground: &Ground, workspace: &Path, packages: &[Package], named: Vec<PathBuf>) -> Option<Facts> {
    let mut facts = Facts::default();
    if !facts.exactly(&workspace.join("Cargo.lock"))? {
        return None;
    }
    let mut local = vec![workspace.to_owned()];
    for package in packages {
        let dir = package.manifest.parent()?;
        if package.is_local {
            targets(&mut facts, dir)?;
            local.push(dir.to_owned());
        } else {
            facts.exactly(package.manifest)?;
            facts.exactly(dir)?;
            facts.exactly(&dir.join("src"))?;
            fetched(&mut facts, dir, ground.cargo_home)?;
        }
    }
    manifests(&mut facts, [local, named].concat())?;
    Some(facts)
}

/// Manifests from here to the root: one of them may be the workspace's.
fn above(facts: &mut Facts, dir: &Path) -> Option<()> {
    dir.ancestors().try_for_each(|dir| facts.exactly(&dir.join("Cargo.toml")).map(drop))
}

/// Every configuration file that is there, with what it includes, and that the others are not. Out: directories of packages they name.
fn configuration(facts: &mut Facts, ground: &Ground) -> Option<Vec<PathBuf>> {
    let mut open = Vec::new();
    let hidden = ground.here.ancestors().map(|dir| dir.join(".cargo"));
    for dir in hidden.chain([ground.cargo_home.to_owned()]) {
        // Cargo's home changes all the time.
        if !facts.presence(&dir)? {
            continue;
        }
        for file in ["config", "config.toml"].map(|name| dir.join(name)) {
            if facts.exactly(&file)? {
                open.push(file);
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut named = Vec::new();
    while let Some(file) = open.pop() {
        if !seen.insert(file.clone()) {
            continue;
        }
        let table = cargo_files::read(&file).filter(|_| seen.len() < FILES)?;
        // Whole trees of packages; and what is not stable may reach anywhere.
        if table.contains_key("paths") || table.contains_key("unstable") {
            return None;
        }
        let dir = file.parent()?;
        for include in cargo_files::includes(&table) {
            let include = clean(&dir.join(include));
            if facts.exactly(&include)? {
                open.push(include);
            }
        }
        // Relative to the directory that holds `.cargo`; of any other file the reading differs, so both.
        let bases = [dir.parent().unwrap_or(dir), dir];
        let sources = table.get("source").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let trees = sources.flat_map(|source| ["directory", "local-registry"].map(|kind| source.get(kind).and_then(Value::as_str)));
        for tree in trees.flatten() {
            bases.iter().try_for_each(|base| facts.exactly(&clean(&base.join(tree))).map(drop))?;
        }
        let mut paths = Vec::new();
        if let Some(patches) = table.get("patch").and_then(Value::as_table) {
            paths_in(patches, &mut paths);
        }
        named.extend(paths.iter().flat_map(|path| bases.map(|base| clean(&base.join(path)))));
    }
    Some(named)
}

/// Manifests of packages, and of all that they name by a path or as a member, whether cargo's answer has them or not.
fn manifests(facts: &mut Facts, mut open: Vec<PathBuf>) -> Option<()> {
    let mut seen = BTreeSet::new();
    while let Some(dir) = open.pop() {
        if !seen.insert(dir.clone()) {
            continue;
        }
        above(facts, &dir)?;
        let manifest = dir.join("Cargo.toml");
        if !facts.exactly(&manifest)? {
            continue;
        }
        let table: Table = read_text(&manifest, LONGEST).filter(|_| seen.len() < FILES)?.parse().ok()?;
        let mut paths = Vec::new();
        paths_in(&table, &mut paths);
        paths.extend(table.get("package").and_then(|package| package.get("workspace")).and_then(Value::as_str).map(str::to_owned));
        open.extend(paths.iter().map(|path| clean(&dir.join(path))));
        let list = |key| table.get("workspace")?.get(key)?.as_array();
        for pattern in ["members", "default-members"].into_iter().filter_map(list).flatten().filter_map(Value::as_str) {
            open.extend(members(facts, &dir, pattern)?);
        }
    }
    Some(())
}

/// Directories that a pattern may mean, now; those it was looked for in are kept.
fn members(facts: &mut Facts, dir: &Path, pattern: &str) -> Option<Vec<PathBuf>> {
    let mut places = vec![dir.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part.contains("**") {
            return None;
        }
        if !part.contains(['*', '?', '[']) {
            places = places.iter().map(|place| clean(&place.join(part))).collect();
            continue;
        }
        let mut found = Vec::new();
        for place in places {
            facts.exactly(&place)?;
            // What a class of letters matches is little: all of it is looked at.
            let wanted = |name: &OsStr| part.contains('[') || glob(part.as_bytes(), name.as_bytes());
            let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
            found.extend(entries.filter(|entry| wanted(&entry.file_name())).map(|entry| entry.path()).take(FILES));
        }
        places = found;
    }
    Some(places)
}

/// What decides which targets a package has, and whether it has a build script.
fn targets(facts: &mut Facts, dir: &Path) -> Option<()> {
    facts.exactly(dir)?;
    facts.exactly(&dir.join("src"))?;
    for place in DISCOVERED.map(|name| dir.join(name)) {
        if !facts.exactly(&place)? {
            continue;
        }
        for entry in std::fs::read_dir(&place).ok()?.take(FILES) {
            let entry = entry.ok()?;
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                facts.exactly(&entry.path())?;
            }
        }
    }
    Some(())
}

/// What must be at hand that cargo need not fetch it: archive and index entry of a registry's package, the repository of a checkout.
fn fetched(facts: &mut Facts, dir: &Path, cargo_home: &Path) -> Option<()> {
    let two = |rest: &Path| -> Option<(PathBuf, PathBuf)> {
        let mut parts = rest.iter().map(PathBuf::from);
        Some((parts.next()?, parts.next()?))
    };
    if let Ok(rest) = dir.strip_prefix(cargo_home.join("registry/src")) {
        let (registry, package) = two(rest)?;
        let mut archive = package.clone().into_os_string();
        archive.push(".crate");
        facts.exactly(&cargo_home.join("registry/cache").join(&registry).join(archive))?;
        facts.exactly(&dir.join(".cargo-ok"))?;
        let (name, _) = split_name(package.to_str()?)?;
        facts.presence(&cargo_home.join("registry/index").join(&registry).join(".cache").join(entry(name)?)).map(drop)
    } else if let Ok(rest) = dir.strip_prefix(cargo_home.join("git/checkouts")) {
        let (repository, revision) = two(rest)?;
        facts.presence(&cargo_home.join("git/db").join(&repository))?;
        facts.presence(&cargo_home.join("git/checkouts").join(repository).join(revision).join(".cargo-ok")).map(drop)
    } else {
        // Vendored: the directory that holds them all was kept with the configuration.
        facts.exactly(&dir.join(".cargo-checksum.json"))?.then_some(())
    }
}

/// A package's file in a registry's index (the Cargo Book, "Index Format").
fn entry(name: &str) -> Option<PathBuf> {
    let name = name.to_lowercase();
    Some(match name.len() {
        0 => return None,
        1 | 2 => Path::new(&name.len().to_string()).join(&name),
        3 => Path::new("3").join(name.get(..1)?).join(&name),
        _ => Path::new(name.get(..2)?).join(name.get(2..4)?).join(&name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_index_keeps_a_package() {
        for (name, place) in [("a", "1/a"), ("ab", "2/ab"), ("abc", "3/a/abc"), ("Serde", "se/rd/serde")] {
            assert_eq!(entry(name), Some(place.into()));
        }
    }

    #[test]
    fn what_reaches_further_than_is_known_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let file = root.join("a/.cargo/config.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let (here, home) = (root.join("a"), root.join("home"));
        let ground = Ground { here: &here, start: &here, cargo_home: &home, programs: &[] };
        for (text, kept) in [
            ("[build]\njobs = 1\n", true),
            ("include = \"missing.toml\"\n", true),
            ("paths = [\"x\"]\n", false),
            ("[unstable]\nx = true\n", false),
            ("no toml", false),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(before(&ground).is_some(), kept, "{text}");
        }
        let mut facts = Facts::default();
        assert!(members(&mut facts, &root, "**/x").is_none() && members(&mut facts, &root, "a/*").is_some());
    }
}
