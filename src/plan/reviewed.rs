//! `profiles/reviewed.toml`: what was reviewed for well-known crates. In: the embedded file. Out: entries, checked as strictly as a
//! profile; for one of them, a package that was found in the build graph and the places of a run, a `judge::reviewed::Allow`.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cargo_metadata::semver::{Version, VersionReq};
use toml::de::DeTable;

use crate::judge::Places;
use crate::judge::paths::{glob, is_clean};
use crate::judge::reviewed::{Allow, Place};
use crate::model::{ActorKind, Reviewed};
use crate::plan::document::{ConfigError, Document, Item};
use crate::plan::grants::Line;
use crate::plan::placeholders;

pub const FILE: &str = "profiles/reviewed.toml";
/// The file is the documentation.
pub const TEXT: &str = include_str!("../../profiles/reviewed.toml");

/// One `[[reviewed]]`.
#[derive(Clone, Debug)]
pub struct Review {
    pub name: String,
    pub versions: VersionReq,
    /// Other packages whose code does the work, with the versions that were looked at.
    pub needs: Vec<(String, VersionReq)>,
    pub actor: ActorKind,
    pub read: Vec<Line>,
    pub write: Vec<Line>,
    pub exec: Vec<Line>,
    pub reason: String,
    pub checked: String,
    pub origin: String,
}

const KEYS: [&str; 9] = ["crate", "versions", "needs", "actor", "read", "write", "exec", "reason", "checked"];

/// The entries that were shipped.
pub fn shipped() -> Vec<Review> {
    parse(FILE, TEXT).expect("a test reads the file that is shipped")
}

/// Reads and checks such a file.
///
/// # Errors
/// With the place and, where it helps, what was probably meant.
pub fn parse(file: &str, text: &str) -> Result<Vec<Review>, ConfigError> {
    let document = Document { file, text };
    document.entries("reviewed", |entry| Review::read(&document, document.table(entry, "reviewed")?, entry.span()))
}

impl Review {
    fn read<'t>(document: &Document<'t>, table: &DeTable<'t>, at: Range<usize>) -> Result<Review, ConfigError> {
        let wanted = |key: &str| table.get(key).ok_or_else(|| document.error(at.clone(), format!("`[[reviewed]]` needs `{key}`")));
        let text = |key: &str| {
            let item = wanted(key)?;
            let text = document.string(item, key)?.trim();
            if text.is_empty() { Err(document.error(item.span(), format!("`{key}` says nothing"))) } else { Ok(text.to_owned()) }
        };
        if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
            return Err(document.unknown(key.span(), "key", key.get_ref(), &KEYS));
        }
        let actor = wanted("actor")?;
        if document.string(actor, "actor")? != "proc-macro" {
            return Err(document.error(actor.span(), "`actor` must be `proc-macro`: nothing else is reviewed by this version"));
        }
        let mut needs = Vec::new();
        if let Some(item) = table.get("needs") {
            for (name, item) in document.table(item, "needs")? {
                needs.push((name.get_ref().to_string(), range(document, item, "needs")?));
            }
        }
        let review = Review {
            name: text("crate")?,
            versions: range(document, wanted("versions")?, "versions")?,
            read: list(document, table, "read", |entry| placeholders::check("read", entry))?,
            write: list(document, table, "write", |entry| place(entry, &needs, "").map(drop))?,
            exec: list(document, table, "exec", |entry| placeholders::check("exec", entry))?,
            needs,
            actor: ActorKind::ProcMacro,
            reason: text("reason")?,
            checked: text("checked")?,
            origin: format!("{}:{}", document.file, document.position(at.start).0),
        };
        if review.lists().iter().all(|(_, lines)| lines.is_empty()) {
            return Err(document.error(at, "`[[reviewed]]` grants nothing: it needs `read`, `write` or `exec`"));
        }
        Ok(review)
    }

    pub fn lists(&self) -> [(&'static str, &[Line]); 3] {
        [("read", &self.read), ("write", &self.write), ("exec", &self.exec)]
    }

    /// Was this version of the package looked at?
    pub fn covers(&self, version: &str) -> bool {
        within(&self.versions, version)
    }

    /// Was this version of a package whose code does the work looked at? True for all others.
    pub fn bears(&self, name: &str, version: &str) -> bool {
        self.needs.iter().filter(|(known, _)| known == name).all(|(_, versions)| within(versions, version))
    }

    /// What it grants a compiler of the package `compiled` in which this version of the macro is loaded from `objects`.
    pub fn resolve(&self, version: &str, compiled: &str, places: &Places, objects: Vec<PathBuf>) -> Allow {
        let by = |list: &str, line: &Line| {
            Arc::new(Reviewed {
                name: self.name.clone(),
                version: version.to_owned(),
                actor: self.actor,
                list: list.to_owned(),
                grant: line.text.clone(),
                versions: self.versions.to_string(),
                reason: self.reason.clone(),
                origin: line.origin.clone(),
            })
        };
        let mut allow = Allow { objects, ..Allow::default() };
        for line in &self.read {
            let by = by("read", line);
            let trees = placeholders::expand(&line.text, places, None).into_iter().filter_map(|tree| tree.canonicalize().ok());
            allow.read.extend(trees.map(|tree| (tree, Arc::clone(&by))));
        }
        for line in &self.write {
            let place = place(&line.text, &self.needs, compiled).expect("checked when it was read");
            allow.write.push((place, by("write", line)));
        }
        for line in &self.exec {
            let by = by("exec", line);
            let programs = placeholders::expand(&line.text, places, None).into_iter().flat_map(|path| starred(&path));
            for program in programs.filter_map(|path| path.canonicalize().ok()).filter(|path| path.is_file()) {
                if !allow.exec.iter().any(|(known, _)| *known == program) {
                    allow.exec.push((program, Arc::clone(&by)));
                }
            }
        }
        allow
    }
}

fn within(versions: &VersionReq, version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| versions.matches(&version))
}

fn range(document: &Document<'_>, item: Item<'_, '_>, key: &str) -> Result<VersionReq, ConfigError> {
    let text = item.get_ref().as_str().ok_or_else(|| document.error(item.span(), format!("`{key}` must hold a version range")))?;
    let versions =
        VersionReq::parse(text).map_err(|error| document.error(item.span(), format!("`{key}`: {}: {error}", text.escape_debug())))?;
    // What was not looked at yet may do anything.
    let bounded = |comparator: &cargo_metadata::semver::Comparator| {
        use cargo_metadata::semver::Op;
        matches!(comparator.op, Op::Exact | Op::Less | Op::LessEq)
    };
    let is_exact = |c: &cargo_metadata::semver::Comparator| c.op != cargo_metadata::semver::Op::Exact || c.patch.is_some();
    match versions.comparators.iter().any(bounded) && versions.comparators.iter().all(is_exact) {
        true => Ok(versions),
        false => Err(document.error(item.span(), format!("`{key}` must end at a version that was looked at: `=`, `<` or `<=`"))),
    }
}

fn list<'t>(
    document: &Document<'t>,
    table: &DeTable<'t>,
    key: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Vec<Line>, ConfigError> {
    let Some(item) = table.get(key) else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    for (text, span) in document.strings(item, key)? {
        check(&text).map_err(|message| document.error(span.clone(), message))?;
        if placeholders::is_individual(&text) {
            return Err(document.error(span, format!("`{text}` is what the compiler may anyway")));
        }
        lines.push(Line { text, origin: format!("{}:{}", document.file, document.position(span.start).0) });
    }
    Ok(lines)
}

/// `{out-of:NAME}/DIR`, `{own-out}/DIR`, `{own-out}/<checksum>` or `{target}/DIR`.
fn place(entry: &str, needs: &[(String, VersionReq)], compiled: &str) -> Result<Place, String> {
    if entry == "{own-out}/<checksum>" {
        return Ok(Place::Checksums { package: compiled.to_owned() });
    }
    if let Some(dir) = entry.strip_prefix("{own-out}/").filter(|dir| is_clean(format!("/{dir}").as_bytes())) {
        return Ok(Place::OutOf { package: compiled.to_owned(), dir: dir.to_owned() });
    }
    if let Some(dir) = entry.strip_prefix("{target}/").filter(|dir| is_clean(format!("/{dir}").as_bytes())) {
        // By name alone a directory of cargo's cannot be told from another (`debug`, a triple, a profile of one's own).
        return match dir.strip_prefix("generated/") {
            Some(_) => Ok(Place::Target { dir: dir.to_owned() }),
            None => Err(format!("`{entry}`: of the target directory, only what lies in `{{target}}/generated/` can be given")),
        };
    }
    let parts = entry.strip_prefix("{out-of:").and_then(|rest| rest.split_once("}/"));
    let Some((package, dir)) = parts.filter(|(_, dir)| is_clean(format!("/{dir}").as_bytes())) else {
        return Err(format!(
            "`{entry}` must be `{{out-of:PACKAGE}}/DIRECTORY`, `{{own-out}}/DIRECTORY`, `{{own-out}}/<checksum>` or `{{target}}/generated/DIRECTORY`: \
             a part of an OUT_DIR, never the whole"
        ));
    };
    if !needs.iter().any(|(name, _)| name == package) {
        return Err(format!("`{entry}`: `{package}` must stand in `needs`, with the versions that were looked at"));
    }
    Ok(Place::OutOf { package: package.to_owned(), dir: dir.to_owned() })
}

/// A path in which a component may be `*`, as the paths that are there.
fn starred(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        if part.as_os_str() != "*" {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let entries = |dir: &PathBuf| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
        found = found.iter().flat_map(entries).collect();
    }
    found
}

/// The libraries of a macro in the directories a compiler looks for its dependencies in: `lib<crate>-<hash>.so`, those that `is_its`.
pub fn libraries(argv: &[std::ffi::OsString], crate_name: &str, is_its: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    // Cargo writes `-L dependency=…`, as two words.
    let dirs = argv.iter().filter_map(|word| word.as_bytes().strip_prefix(b"dependency="));
    let dirs = dirs.map(|dir| PathBuf::from(OsStr::from_bytes(dir)));
    let name = format!("lib{crate_name}-*.so");
    let entries = dirs.flat_map(|dir| std::fs::read_dir(dir).into_iter().flatten().flatten());
    let libraries = entries.filter(|entry| glob(name.as_bytes(), entry.file_name().as_bytes())).map(|entry| entry.path());
    let mut found: Vec<PathBuf> = libraries.filter(|path| is_its(path)).filter_map(|path| path.canonicalize().ok()).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "[[reviewed]]\ncrate = \"m\"\nversions = \"=1.0.0\"\nneeds = { gen = \"=1.0.0\" }\nactor = \"proc-macro\"\n\
        write = [\"{out-of:gen}/made\"]\nreason = \"r\"\nchecked = \"c\"\n";

    #[test]
    fn what_is_shipped_is_well_formed() {
        for review in shipped() {
            assert!(review.checked.len() > 400, "{}: what was checked is told too briefly", review.name);
            for version in ["0.8.3", "0.9.2", "0.10.0", "1.0.0", "0.9.1-rc.1", "2.0.0", "2.0.2", "3.0.0", "", "x"] {
                assert!(!review.covers(version), "{} {version} was not looked at", review.name);
            }
            assert!(review.bears("syn", "2.0.0"));
        }
        let [sailfish, bincode, tauri] = &shipped()[..] else { panic!("another entry, to be looked at here, too") };
        assert!(sailfish.covers("0.9.1") && sailfish.covers("0.9.0"));
        assert!(sailfish.bears("sailfish-compiler", "0.9.1") && !sailfish.bears("sailfish-compiler", "0.9.2"));
        assert!(bincode.covers("2.0.1") && bincode.bears("virtue", "0.0.18") && !bincode.bears("virtue", "0.0.19"));
        assert!(
            tauri.covers("2.7.4")
                && !tauri.covers("2.7.5")
                && tauri.bears("tauri-codegen", "2.7.4")
                && !tauri.bears("tauri-utils", "2.10.3")
        );
        // What lies in an OUT_DIR is meant of the package that is compiled, whichever that is.
        let allow = tauri.resolve("2.7.4", "app", &Places::default(), Vec::new());
        let places: Vec<_> = allow.write.into_iter().map(|(place, _)| place).collect();
        let own = Place::OutOf { package: "app".into(), dir: "tauri-codegen-assets".into() };
        assert_eq!(places, [own, Place::Checksums { package: "app".into() }]);
    }

    /// Every mistake, and the very words said to it.
    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, said) in [
            ("crate =", "krate =", "4:1: unknown key `krate`; did you mean `crate`?"),
            ("reason = \"r\"\n", "", "3:1: `[[reviewed]]` needs `reason`"),
            ("checked = \"c\"", "checked = \" \"", "10:11: `checked` says nothing"),
            ("\"=1.0.0\"\nneeds", "\"1.0\"\nneeds", "5:12: `versions` must end at a version that was looked at: `=`, `<` or `<=`"),
            ("\"=1.0.0\"\nneeds", "\"=1.0\"\nneeds", "5:12: `versions` must end at a version that was looked at: `=`, `<` or `<=`"),
            ("\"=1.0.0\"\nneeds", "\">=1.0.0\"\nneeds", "5:12: `versions` must end at a version that was looked at: `=`, `<` or `<=`"),
            ("proc-macro", "program", "7:9: `actor` must be `proc-macro`: nothing else is reviewed by this version"),
            (
                "{out-of:gen}/made",
                "{out-of:gen}",
                "8:10: `{out-of:gen}` must be `{out-of:PACKAGE}/DIRECTORY`, `{own-out}/DIRECTORY`, `{own-out}/<checksum>` or `{target}/generated/DIRECTORY`: a part of an OUT_DIR, never the whole",
            ),
            (
                "{out-of:gen}/made",
                "{out-of:gen}/../x",
                "8:10: `{out-of:gen}/../x` must be `{out-of:PACKAGE}/DIRECTORY`, `{own-out}/DIRECTORY`, `{own-out}/<checksum>` or `{target}/generated/DIRECTORY`: a part of an OUT_DIR, never the whole",
            ),
            (
                "{out-of:gen}/made",
                "{home}/x",
                "8:10: `{home}/x` must be `{out-of:PACKAGE}/DIRECTORY`, `{own-out}/DIRECTORY`, `{own-out}/<checksum>` or `{target}/generated/DIRECTORY`: a part of an OUT_DIR, never the whole",
            ),
            (
                "{out-of:gen}/made",
                "{target}/debug/deps",
                "8:10: `{target}/debug/deps`: of the target directory, only what lies in `{target}/generated/` can be given",
            ),
            (
                "{out-of:gen}/made",
                "{own-out}",
                "8:10: `{own-out}` must be `{out-of:PACKAGE}/DIRECTORY`, `{own-out}/DIRECTORY`, `{own-out}/<checksum>` or `{target}/generated/DIRECTORY`: a part of an OUT_DIR, never the whole",
            ),
            (
                "{out-of:gen}/made",
                "{own-out}/../x",
                "8:10: `{own-out}/../x` must be `{out-of:PACKAGE}/DIRECTORY`, `{own-out}/DIRECTORY`, `{own-out}/<checksum>` or `{target}/generated/DIRECTORY`: a part of an OUT_DIR, never the whole",
            ),
            (
                "{out-of:gen}",
                "{out-of:other}",
                "8:10: `{out-of:other}/made`: `other` must stand in `needs`, with the versions that were looked at",
            ),
            ("write = [\"{out-of:gen}/made\"]", "read = []", "3:1: `[[reviewed]]` grants nothing: it needs `read`, `write` or `exec`"),
            ("write =", "connect = [\"*:*\"]\nwrite =", "8:1: unknown key `connect`"),
            ("[[reviewed]]", "[reviewed]", "3:1: write it as `[[reviewed]]`"),
            ("[[reviewed]]", "[[review]]", "3:3: unknown key `review`; did you mean `reviewed`?"),
        ] {
            let text = format!("version = 1\n\n{}", ENTRY.replacen(from, to, 1));
            let error = parse("r.toml", &text).expect_err(to).to_string();
            assert!(error.starts_with(&format!("r.toml:{said}")), "{to}: {error}");
        }
        assert_eq!(parse("r.toml", &format!("version = 1\n{ENTRY}")).unwrap().len(), 1);
        assert!(parse("r.toml", ENTRY).unwrap_err().to_string().contains("`version` is missing"));
    }

    #[test]
    fn programs_of_all_toolchains_each_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for file in ["toolchains/a/bin/rustfmt", "toolchains/a/bin/rustc", "toolchains/b/bin/cargo"] {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), "").unwrap();
        }
        std::os::unix::fs::symlink(root.join("toolchains/a"), root.join("toolchains/1.0.0")).unwrap();
        let places = Places { rustup_home: Some(root.clone()), target: "/w/target".into(), ..Places::default() };
        let allow = shipped()[0].resolve("0.9.1", "app", &places, Vec::new());
        assert_eq!(allow.exec.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), [root.join("toolchains/a/bin/rustfmt")]);
        assert_eq!(allow.read.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), [root.join("toolchains")]);
        assert_eq!(allow.write[0].0, Place::OutOf { package: "sailfish-compiler".into(), dir: "templates".into() });
        // Where there is no rustup there is nothing to run.
        assert_eq!(shipped()[0].resolve("0.9.1", "app", &Places::default(), Vec::new()).exec, []);
    }
}
