//! Other people's locks of behaviours, `[imports.NAME]` in `brig.toml`. In: the section, the files it names (beside it, or in a package of cargo's graph), one's own
//! `brig.lock`, which pins each by its digest. Out: imports that count, and the names of those that do not, as the file is another one than was pinned.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use cargo_metadata::semver::VersionReq;

use crate::baseline::Lock;
use crate::baseline::vouch::Import;
use crate::model::report::Unpinned;
use crate::model::sha256;
use crate::plan::behaviours;
use crate::plan::carried::{Carrier, Whence};
use crate::plan::document::{ConfigError, Document, Item};
use crate::plan::exceptions::whom::check_name;

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub place: Place,
}

/// Where its file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// From where the file the section stands in lies.
    Beside(String),
    Package(Carrier),
}

const KEYS: [&str; 4] = ["path", "package", "version", "file"];

/// # Errors
/// With the place of what is wrong.
pub(super) fn parse<'t>(document: &Document<'t>, item: Item<'_, 't>) -> Result<Vec<Wanted>, ConfigError> {
    let mut all = Vec::new();
    for (name, body) in document.table(item, "imports")? {
        check_name(name.get_ref()).map_err(|_| document.error(name.span(), "an import is called by letters, digits, `-` and `_`"))?;
        let shown = format!("imports.{}", name.get_ref());
        let table = document.table(body, &shown)?;
        if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
            return Err(document.unknown(key.span(), "key", key.get_ref(), &KEYS));
        }
        let place = match (table.get("path"), table.get("package")) {
            (Some(path), None) => {
                if let Some((key, _)) = table.iter().find(|(key, _)| key.get_ref() != "path") {
                    return Err(document.error(key.span(), format!("`{}` belongs to `package`, and here is a `path`", key.get_ref())));
                }
                Place::Beside(below(document, path, "path", "beside this one")?)
            }
            (None, Some(package)) => {
                let text = document.string(package, "package")?;
                check_name(text).map_err(|why| document.error(package.span(), format!("`package`: {why}")))?;
                let version = table.get("version").map(|version| {
                    let text = document.string(version, "version")?;
                    VersionReq::parse(text).map_err(|error| document.error(version.span(), format!("`version`: {error}")))
                });
                let file = table.get("file").map(|file| below(document, file, "file", "of the package")).transpose()?;
                let file = file.unwrap_or_else(|| behaviours::NAME.to_owned());
                let at = document.error(package.span(), "");
                Place::Package(Carrier { package: text.to_owned(), version: version.transpose()?, file, at })
            }
            (Some(_), Some(package)) => {
                return Err(document.error(package.span(), format!("`[{shown}]` has a `path` and a `package`: the file lies in one place")));
            }
            (None, None) => return Err(document.error(body.span(), format!("`[{shown}]` needs `path` or `package`"))),
        };
        all.push(Wanted { name: name.get_ref().to_string(), place });
    }
    Ok(all)
}

fn below<'t>(document: &Document<'t>, item: Item<'_, 't>, key: &str, whose: &str) -> Result<String, ConfigError> {
    let text = document.string(item, key)?;
    if text.is_empty() || text.contains('\0') || !Path::new(text).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(document.error(item.span(), format!("`{key}` names a file {whose}: no `..`, and no absolute path")));
    }
    Ok(text.to_owned())
}

/// What is there now.
pub struct There {
    pub digest: String,
    pub text: String,
    pub import: Import,
    /// Of one that lies in a package.
    pub whence: Option<Whence>,
}

impl Wanted {
    /// `file` is where the section stands; `graph` what cargo says this build is made of.
    ///
    /// # Errors
    /// Where it is missing, leads elsewhere, or is no lock; with its line.
    pub fn read(&self, file: Option<&Path>, graph: &str) -> Result<There, ConfigError> {
        let (shown, text, whence) = match &self.place {
            Place::Beside(path) => {
                let at = file.and_then(Path::parent).unwrap_or(Path::new(".")).join(path);
                let missing = || {
                    ConfigError::unread(&at.display().to_string(), format!("there is no such file, and `[imports.{}]` names it", self.name))
                };
                (path.clone(), behaviours::text(&at)?.ok_or_else(missing)?, None)
            }
            Place::Package(carrier) => {
                let (text, whence) = carrier.read(graph)?;
                (whence.dir.join(&whence.file).display().to_string(), text, Some(whence))
            }
        };
        let lock = behaviours::parse(&shown, &text)?;
        Ok(There { digest: sha256::hex(text.as_bytes()), import: Import { name: self.name.clone(), lock }, text, whence })
    }

    /// Does one need cargo's graph to find it?
    pub fn is_carried(&self) -> bool {
        matches!(self.place, Place::Package(_))
    }
}

/// All of them, as far as they are known: what lies in a package is looked at once cargo has said what the build is made of.
#[derive(Debug, Default)]
pub struct Imports {
    /// Those that are what the lock has pinned.
    pub counted: Vec<Import>,
    pub unpinned: Vec<Unpinned>,
    waiting: Vec<Wanted>,
    pins: BTreeMap<String, String>,
}

impl Imports {
    /// `file` is where the sections stand, `lock` is one's own.
    ///
    /// # Errors
    /// As [`Wanted::read`], of those that lie beside it.
    pub fn read(wanted: Vec<Wanted>, file: Option<&Path>, lock: Option<&Lock>) -> Result<Imports, ConfigError> {
        let (waiting, beside) = wanted.into_iter().partition(Wanted::is_carried);
        let pins = lock.map(|lock| lock.imports.clone()).unwrap_or_default();
        let mut all = Imports { waiting, pins, ..Imports::default() };
        let beside: Vec<Wanted> = beside;
        beside.iter().try_for_each(|one| one.read(file, "").map(|there| all.enter(there)))?;
        Ok(all)
    }

    /// Those that lie in packages, once.
    ///
    /// # Errors
    /// As [`Wanted::read`].
    pub fn complete(&mut self, graph: &str) -> Result<(), ConfigError> {
        std::mem::take(&mut self.waiting).iter().try_for_each(|one| one.read(None, graph).map(|there| self.enter(there)))
    }

    fn enter(&mut self, there: There) {
        let name = &there.import.name;
        match self.pins.get(name) {
            Some(pin) if *pin == there.digest => self.counted.push(there.import),
            pin => {
                let of = there.whence.map(|whence| (whence.name, whence.version));
                self.unpinned.push(Unpinned { changed: pin.is_some(), name: name.clone(), of });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::config;

    #[test]
    fn only_what_was_pinned_counts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("brig.toml");
        let text = "version = 1\n[imports.ours]\npath = \"policy/ours.lock\"\n";
        let wanted = config::parse("brig.toml", text).unwrap().imports;
        let read = |lock: &str| Imports::read(wanted.clone(), Some(&file), Some(&Lock::read(lock).unwrap()));
        assert!(read("brig-lock 2\n").err().unwrap().message.contains("there is no such file, and `[imports.ours]` names it"));
        std::fs::create_dir(dir.path().join("policy")).unwrap();
        let theirs = dir.path().join("policy/ours.lock");
        std::fs::write(&theirs, "brig-lock 2\n").unwrap();
        let digest = sha256::hex(b"brig-lock 2\n");
        let names = |lock: &str| {
            let Imports { counted, unpinned, .. } = read(lock).unwrap();
            (counted.len(), unpinned.into_iter().map(|one| (one.name, one.changed)).collect::<Vec<_>>())
        };
        assert_eq!(names(&format!("brig-lock 2\nours import {digest}\n")), (1, vec![]));
        let ours = |changed: bool| vec![("ours".to_owned(), changed)];
        assert_eq!(names("brig-lock 2\n"), (0, ours(false)));
        assert_eq!(names(&format!("brig-lock 2\nother import {digest}\n")), (0, ours(false)));
        std::fs::write(&theirs, "brig-lock 2\n\n").unwrap();
        assert_eq!(names(&format!("brig-lock 2\nours import {digest}\n")), (0, ours(true)));
        std::fs::write(&theirs, "brig-lock 2\nx\n").unwrap();
        assert_eq!(
            read("brig-lock 2\n").err().unwrap().to_string(),
            "policy/ours.lock:2:1: too short: a line holds a package, a kind of actor, and what is said of it"
        );
        for (section, said) in [
            ("[imports.ours]\n", "2:1: `[imports.ours]` needs `path` or `package`"),
            ("[imports.ours]\npath = \"x\"\nversion = \"1\"\n", "4:1: `version` belongs to `package`, and here is a `path`"),
            ("[imports.ours]\npath = \"x\"\npackage = \"y\"\n", "4:11: `[imports.ours]` has a `path` and a `package`"),
            ("[imports.ours]\npackage = \"a b\"\n", "3:11: `package`: `a b` is no package's name"),
            ("[imports.ours]\npackage = \"y\"\nversion = \"one\"\n", "4:11: `version`: "),
            ("[imports.ours]\npackage = \"y\"\nfile = \"../x\"\n", "4:8: `file` names a file of the package: no `..`"),
            ("[imports.ours]\npath = \"../x\"\n", "3:8: `path` names a file beside this one"),
            ("[imports.ours]\npath = \"/x\"\n", "3:8: `path` names a file beside this one"),
            ("[imports.ours]\nurl = \"x\"\n", "3:1: unknown key `url`"),
            ("[imports.\"a b\"]\npath = \"x\"\n", "2:10: an import is called by letters"),
            ("imports = 1\n", "2:11: `imports` must be a table"),
        ] {
            let error = config::parse("brig.toml", &format!("version = 1\n{section}")).map(drop).unwrap_err().to_string();
            assert!(error.starts_with(&format!("brig.toml:{said}")), "{section}: {error}");
        }
    }

    #[test]
    fn what_lies_in_a_package_waits_for_the_graph() {
        let dir = tempfile::tempdir().unwrap();
        let text = "version = 1\n[imports.ours]\npackage = \"locks\"\nversion = \"1\"\n";
        let wanted = config::parse("brig.toml", text).unwrap().imports;
        let theirs = "brig-lock 2\n# theirs\n";
        std::fs::write(dir.path().join("brig.lock"), theirs).unwrap();
        let manifest = dir.path().join("Cargo.toml");
        let graph = format!(
            "{{\"packages\":[{{\"name\":\"locks\",\"version\":\"1.2.0\",\"source\":\"registry+x\",\"manifest_path\":{manifest:?}}}]}}"
        );
        let of = |digest: &str| {
            let lock = Lock::read(&format!("brig-lock 2\nours import {digest}\n")).unwrap();
            let mut imports = Imports::read(wanted.clone(), None, Some(&lock)).unwrap();
            assert!(imports.counted.is_empty() && imports.unpinned.is_empty());
            imports.complete(&graph).unwrap();
            // Once is enough.
            imports.complete("").unwrap();
            (imports.counted.len(), imports.unpinned)
        };
        assert_eq!(of(&sha256::hex(theirs.as_bytes())), (1, vec![]));
        let other = Unpinned { name: "ours".into(), changed: true, of: Some(("locks".into(), "1.2.0".into())) };
        assert_eq!(of(&sha256::hex(b"")), (0, vec![other]));
        let error = Imports::read(wanted.clone(), None, None).unwrap().complete("{\"packages\":[]}").unwrap_err().to_string();
        assert!(error.starts_with("brig.toml:3:11: this build has no package `locks`: "), "{error}");
    }
}
