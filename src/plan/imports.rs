//! Other people's locks of behaviours, `[imports.NAME]` in `brig.toml`. In: the section, the files it names, one's own `brig.lock`, which pins each by its digest. Out:
//! imports that count, and the names of those that do not, as the file is another one than was pinned.

use std::path::{Component, Path};

use crate::baseline::Lock;
use crate::baseline::vouch::Import;
use crate::model::report::Unpinned;
use crate::model::sha256;
use crate::plan::behaviours;
use crate::plan::document::{ConfigError, Document, Item};
use crate::plan::exceptions::whom::check_name;

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    /// From where the file it stands in lies.
    pub path: String,
}

const KEYS: [&str; 1] = ["path"];

/// # Errors
/// With the place of what is wrong.
pub(super) fn parse<'t>(document: &Document<'t>, item: Item<'_, 't>) -> Result<Vec<Wanted>, ConfigError> {
    let mut all = Vec::new();
    for (name, body) in document.table(item, "imports")? {
        check_name(name.get_ref()).map_err(|_| document.error(name.span(), "an import is called by letters, digits, `-` and `_`"))?;
        let table = document.table(body, &format!("imports.{}", name.get_ref()))?;
        if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
            return Err(document.unknown(key.span(), "key", key.get_ref(), &KEYS));
        }
        let path = table.get("path").ok_or_else(|| document.error(body.span(), format!("`[imports.{}]` needs `path`", name.get_ref())))?;
        let text = document.string(path, "path")?;
        if text.is_empty() || !Path::new(text).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(document.error(path.span(), "`path` names a file beside this one: no `..`, and no absolute path"));
        }
        all.push(Wanted { name: name.get_ref().to_string(), path: text.to_owned() });
    }
    Ok(all)
}

/// What is there now.
pub struct There {
    pub digest: String,
    pub import: Import,
}

/// `file` is where the sections stand.
///
/// # Errors
/// Where one is missing, leads elsewhere, or is no lock; with its line.
pub fn read(wanted: &[Wanted], file: Option<&Path>) -> Result<Vec<There>, ConfigError> {
    let beside = file.and_then(Path::parent).unwrap_or(Path::new("."));
    let one = |wanted: &Wanted| {
        let path = beside.join(&wanted.path);
        let missing =
            || ConfigError::unread(&path.display().to_string(), format!("there is no such file, and `[imports.{}]` names it", wanted.name));
        let text = behaviours::text(&path)?.ok_or_else(missing)?;
        let lock = behaviours::parse(&wanted.path, &text)?;
        Ok(There { digest: sha256::hex(text.as_bytes()), import: Import { name: wanted.name.clone(), lock } })
    };
    wanted.iter().map(one).collect()
}

/// Those that are what the lock has pinned; and the others.
pub fn pinned(there: Vec<There>, lock: &Lock) -> (Vec<Import>, Vec<Unpinned>) {
    let unpinned = |one: There| Unpinned { changed: lock.imports.contains_key(&one.import.name), name: one.import.name };
    let (good, other): (Vec<_>, Vec<_>) = there.into_iter().partition(|one| lock.imports.get(&one.import.name) == Some(&one.digest));
    (good.into_iter().map(|one| one.import).collect(), other.into_iter().map(unpinned).collect())
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
        assert!(read(&wanted, Some(&file)).err().unwrap().message.contains("there is no such file, and `[imports.ours]` names it"));
        std::fs::create_dir(dir.path().join("policy")).unwrap();
        let theirs = dir.path().join("policy/ours.lock");
        std::fs::write(&theirs, "brig-lock 2\n").unwrap();
        let digest = sha256::hex(b"brig-lock 2\n");
        let names = |lock: &str| {
            let (good, other) = pinned(read(&wanted, Some(&file)).unwrap(), &Lock::read(lock).unwrap());
            (good.len(), other.into_iter().map(|one| (one.name, one.changed)).collect::<Vec<_>>())
        };
        assert_eq!(names(&format!("brig-lock 2\nours import {digest}\n")), (1, vec![]));
        let ours = |changed: bool| vec![("ours".to_owned(), changed)];
        assert_eq!(names("brig-lock 2\n"), (0, ours(false)));
        assert_eq!(names(&format!("brig-lock 2\nother import {digest}\n")), (0, ours(false)));
        std::fs::write(&theirs, "brig-lock 2\n\n").unwrap();
        assert_eq!(names(&format!("brig-lock 2\nours import {digest}\n")), (0, ours(true)));
        std::fs::write(&theirs, "brig-lock 2\nx\n").unwrap();
        assert_eq!(
            read(&wanted, Some(&file)).err().unwrap().to_string(),
            "policy/ours.lock:2:1: too short: a line holds a package, a kind of actor, and what is said of it"
        );
        for (section, said) in [
            ("[imports.ours]\n", "2:1: `[imports.ours]` needs `path`"),
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
}
