//! What a suspect's own tests need not be built with: crates that only its benchmarks name, which are never run here, and which take longer to build than all
//! else. In: the suspect's own copy. Out: a manifest without them, and their names, to be told.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::suspect;

/// Bytes of sources that are looked through; and how deep.
const MOST: u64 = 64 << 20;
const DEPTH: usize = 24;

/// Takes benchmarks, and what is for them alone, out of the manifest in `dir`. Whom nobody names stays: it may be there to be built.
///
/// # Errors
/// When the manifest cannot be written.
pub fn leave_out(dir: &Path) -> Result<Vec<String>> {
    let mut manifest = suspect::manifest(dir)?;
    let mut known = BTreeSet::new();
    each_list(&mut manifest, &mut |list| known.extend(list.keys().cloned()));
    let mut open: BTreeSet<String> = known.iter().map(|name| name.replace('-', "_")).collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let benches = dir.join("benches");
    let mut in_benches = open.clone();
    unnamed(&benches, None, &mut in_benches);
    // What is left of all is named in benchmarks alone, or nowhere.
    unnamed(dir, Some(&benches), &mut open);
    let only: Vec<String> = known
        .into_iter()
        .filter(|name| {
            let called = name.replace('-', "_");
            open.contains(&called) && !in_benches.contains(&called)
        })
        .collect();
    if only.is_empty() {
        return Ok(only);
    }
    each_list(&mut manifest, &mut |list| list.retain(|name, _| !only.iter().any(|only| only == name)));
    manifest.remove("bench");
    if let Some(package) = manifest.get_mut("package").and_then(Value::as_table_mut) {
        package.insert("autobenches".to_owned(), Value::Boolean(false));
    }
    fs::write(dir.join("Cargo.toml"), manifest.to_string()).context("write its manifest")?;
    Ok(only)
}

/// Lists of what is for its tests, examples and benchmarks.
fn each_list(manifest: &mut Table, with: &mut dyn FnMut(&mut Table)) {
    for name in ["dev-dependencies", "dev_dependencies"] {
        manifest.get_mut(name).and_then(Value::as_table_mut).into_iter().for_each(&mut *with);
        let targets =
            manifest.get_mut("target").and_then(Value::as_table_mut).into_iter().flat_map(Table::iter_mut).map(|(_, target)| target);
        targets.filter_map(|target| target.get_mut(name)?.as_table_mut()).for_each(&mut *with);
    }
}

/// Takes out of `names` those that a source or a text below `dir` has as a word. What cannot be looked through names all of them.
fn unnamed(dir: &Path, without: Option<&Path>, names: &mut BTreeSet<String>) {
    let (mut open, mut left) = (vec![(dir.to_owned(), 0)], MOST);
    while let Some((dir, depth)) = open.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && Some(&*path) != without && depth < DEPTH && entry.file_name() != "target" {
                open.push((path, depth + 1));
            } else if kind.is_file() && path.extension().is_some_and(|end| end == "rs" || end == "md") {
                let size = entry.metadata().map_or(MOST, |facts| facts.len());
                let Ok(text) = fs::read(&path) else { return names.clear() };
                if size > left {
                    return names.clear();
                }
                left -= size;
                let text = String::from_utf8_lossy(&text);
                for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
                    names.remove(word);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_benchmarks_name_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            fs::create_dir_all(dir.path().join(file).parent().unwrap()).unwrap();
            fs::write(dir.path().join(file), text).unwrap();
        };
        let manifest = "[package]\nname = 'x'\nversion = '1.0.0'\n[dependencies]\nboth = '1'\n[dev-dependencies]\nslow-bench = '0.5'\nboth = '1'\ntested = '1'\nnowhere = '1'\n\
            in-docs = '1'\n[target.'cfg(unix)'.dev-dependencies.other_bench]\nversion = '1'\n[[bench]]\nname = 'b'\nharness = false\n";
        write("Cargo.toml", manifest);
        write("benches/deep/b.rs", "use slow_bench::x; use both::y; use other_bench::z; use tested::q;");
        write("src/lib.rs", "use both::y;");
        write("tests/t.rs", "use tested::q;");
        write("README.md", "```rust\nin_docs::f()\n```");
        assert_eq!(leave_out(dir.path()).unwrap(), ["other_bench", "slow-bench"]);
        let after = suspect::manifest(dir.path()).unwrap();
        let names: Vec<&String> = after["dev-dependencies"].as_table().unwrap().keys().collect();
        assert_eq!(names, ["both", "in-docs", "nowhere", "tested"]);
        assert!(!after.contains_key("bench") && after["package"]["autobenches"].as_bool() == Some(false), "{after}");
        let text = fs::read_to_string(dir.path().join("Cargo.toml")).unwrap();
        assert!(leave_out(dir.path()).unwrap().is_empty());
        assert_eq!(fs::read_to_string(dir.path().join("Cargo.toml")).unwrap(), text);
    }
}
