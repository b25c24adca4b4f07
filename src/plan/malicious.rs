//! Packages of the public registry that are known to be malicious (`profiles/known-malicious.toml`, and files of the same form that add to it). In: those
//! files, a lock file. Out: what is known of a package; those that a build would hold.

use std::path::{Path, PathBuf};

use cargo_metadata::semver::{Version, VersionReq};

use crate::model::barred::{Barred, Why};
use crate::plan::document::{ConfigError, Document, Item};
use crate::plan::exceptions::day::Day;
use crate::plan::exceptions::lock::Locked;
use crate::plan::exceptions::whom;
use crate::plan::public::is_public;

const FILE: &str = "profiles/known-malicious.toml";
/// The file is the documentation.
pub const TEXT: &str = include_str!("../../profiles/known-malicious.toml");
/// Where the machine's and the user's own additions lie.
const NAME: &str = "known-malicious.toml";

/// One `[[malicious]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    /// Every version, where there is none.
    pub versions: Option<VersionReq>,
    pub date: String,
    pub advisory: String,
    pub what: String,
    pub after: Option<String>,
    pub origin: String,
}

/// What was shipped and what was added.
#[derive(Clone, Debug, Default)]
pub struct List(Vec<Known>);

const KEYS: [&str; 6] = ["name", "versions", "date", "advisory", "what", "after"];

impl List {
    /// What was shipped, what the machine and the user add, and what `more` adds, which must be there.
    ///
    /// # Errors
    /// With the place, where one of them is wrong.
    pub fn read(more: &[PathBuf]) -> Result<List, ConfigError> {
        let mut all = shipped();
        for path in crate::plan::own_files::of(NAME) {
            all.0.extend(parse(&path.display().to_string(), &text_of(&path)?)?);
        }
        for path in more {
            let wrong = |message: String| ConfigError::whole(&path.display().to_string(), message);
            let real = path.canonicalize().map_err(|error| wrong(format!("cannot be read: {error}")))?;
            // By a link it could show what lies elsewhere.
            let there = path.parent().and_then(|dir| dir.canonicalize().ok()).zip(path.file_name()).map(|(dir, name)| dir.join(name));
            if there.as_ref() != Some(&real) {
                return Err(wrong("is a symbolic link: it must be a file of its own".to_owned()));
            }
            all.0.extend(parse(&path.display().to_string(), &text_of(path)?)?);
        }
        Ok(all)
    }

    /// All that is told of a name.
    pub fn of<'l>(&'l self, name: &str) -> impl Iterator<Item = &'l Known> + use<'l> {
        // What the registry takes for one name.
        let plain = |name: &str| name.replace('-', "_").to_ascii_lowercase();
        let wanted = plain(name);
        self.0.iter().filter(move |known| plain(&known.name) == wanted)
    }

    /// Is this package of the public registry one?
    pub fn package(&self, name: &str, version: &str) -> Option<&Known> {
        self.of(name).find(|known| known.covers(version))
    }

    /// Those a lock file names as from the public registry. Of a path package, and of another source, a name says nothing.
    pub fn locked<'l>(&'l self, locked: &'l Locked) -> impl Iterator<Item = Barred> + 'l {
        let public = locked.packages.iter().filter(|package| package.source.as_deref().is_some_and(is_public));
        public.filter_map(|package| Some(self.package(&package.name, &package.version)?.barred(&package.version)))
    }
}

impl Known {
    /// A version nobody can read is none that was looked at and found harmless.
    fn covers(&self, version: &str) -> bool {
        let Some(versions) = &self.versions else { return true };
        Version::parse(version).map_or(true, |version| versions.matches(&version))
    }

    pub fn barred(&self, version: &str) -> Barred {
        let Known { name, date, advisory, what, after, origin, .. } = self.clone();
        Barred { name, version: version.to_owned(), why: Why::Malicious { advisory, date, what, after }, origin }
    }
}

/// The entries that were shipped.
pub fn shipped() -> List {
    List(parse(FILE, TEXT).expect("a test reads the file that is shipped"))
}

fn text_of(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::whole(&path.display().to_string(), format!("cannot be read: {error}")))
}

/// Reads and checks such a file.
///
/// # Errors
/// With the place and, where it helps, what was probably meant.
pub fn parse(file: &str, text: &str) -> Result<Vec<Known>, ConfigError> {
    let document = Document { file, text };
    document.entries("malicious", |entry| known(&document, entry))
}

fn known<'t>(document: &Document<'t>, entry: Item<'_, 't>) -> Result<Known, ConfigError> {
    let table = document.table(entry, "malicious")?;
    if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(&key.get_ref().as_ref())) {
        return Err(document.unknown(key.span(), "key", key.get_ref(), &KEYS));
    }
    let text = |key: &str| -> Result<Option<String>, ConfigError> {
        let Some(item) = table.get(key) else { return Ok(None) };
        let text = document.string(item, key)?.trim();
        let is_line = !text.is_empty() && !text.chars().any(char::is_control);
        if is_line { Ok(Some(text.to_owned())) } else { Err(document.error(item.span(), format!("`{key}` must be one line of text"))) }
    };
    let missing = |key: &str| document.error(entry.span(), format!("`[[malicious]]` needs `{key}`"));
    let name = text("name")?.ok_or_else(|| missing("name"))?;
    let at = |key: &str| table.get(key).map_or(entry.span(), |item| item.span());
    whom::check_name(&name).map_err(|message| document.error(at("name"), message))?;
    let versions = text("versions")?.map(|versions| VersionReq::parse(&versions)).transpose();
    let moment = table.get("date").ok_or_else(|| missing("date"))?.get_ref().as_datetime().and_then(|moment| moment.date);
    let date = moment.filter(|date| Day::of(date.year.into(), date.month.into(), date.day.into()).is_some());
    Ok(Known {
        versions: versions.map_err(|error| document.error(at("versions"), format!("`versions`: {error}")))?,
        date: date.ok_or_else(|| document.error(at("date"), "`date` must be a date, `2026-08-20`"))?.to_string(),
        advisory: text("advisory")?.ok_or_else(|| missing("advisory"))?,
        what: text("what")?.ok_or_else(|| missing("what"))?,
        after: text("after")?,
        origin: format!("{}:{}", document.file, document.position(entry.span().start).0),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::exceptions::lock::Package;

    #[test]
    fn the_file_that_is_shipped() {
        let all = shipped().0;
        assert!(all.len() > 80);
        for known in &all {
            let advisory = known.advisory.strip_prefix("RUSTSEC-").map(|rest| rest.split('-').map(str::len).collect::<Vec<_>>());
            assert!(advisory.is_none_or(|parts| parts == [4, 4]), "{known:?}");
            assert!(known.what.len() < 120 && known.what.is_ascii() && !known.what.ends_with('.'), "{known:?}");
        }
        let ids: Vec<_> = all.iter().map(|known| (&known.date, &known.name)).collect();
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "sorted by day and name, each once");
        // Names that honest packages have as well are given with the versions that were not.
        for (name, version, expected) in [
            ("arrayref", "0.3.10", true),
            ("arrayref", "0.3.9", false),
            ("onering", "1.4.1", true),
            ("onering", "1.4.2", false),
            ("proc-macro1", "9.9.9", true),
            ("proc_macro1", "1.0.0", true),
            ("time_calibrator", "0.1.0", true),
            ("serde", "1.0.0", false),
        ] {
            assert_eq!(shipped().package(name, version).is_some(), expected, "{name} {version}");
        }
    }

    #[test]
    fn only_from_the_public_registry() {
        // As cargo wrote it into a lock file.
        let written: Locked = toml::from_str(include_str!("../../tests/compat/embedders/Cargo.lock")).unwrap();
        let public = written.packages.iter().find_map(|package| package.source.as_deref()).unwrap();
        let package = |name: &str, source: Option<&str>| Package {
            name: name.into(),
            version: "1.0.107".into(),
            source: source.map(str::to_owned),
            checksum: None,
        };
        let sources =
            [Some(public), None, Some("git+https://example.org/x?rev=1#1"), Some("registry+https://example.org/index"), Some("registry")];
        for (at, source) in sources.into_iter().enumerate() {
            let locked = Locked { packages: vec![package("serde", Some(public)), package("proc-macro1", source)] };
            let found: Vec<_> = shipped().locked(&locked).map(|barred| barred.name).collect();
            assert_eq!(found, if at == 0 { vec!["proc-macro1"] } else { vec![] }, "{source:?}");
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let good = "version = 1\n[[malicious]]\nname = \"x\"\ndate = 2026-01-31\nadvisory = \"A\"\nwhat = \"w\"\n";
        assert_eq!(parse("f", good).unwrap()[0].origin, "f:2");
        for (from, to, expected) in [
            ("name", "nam", "f:3:1: unknown key `nam`; did you mean `name`?"),
            ("\"x\"", "\"x y\"", "f:3:8: "),
            ("2026-01-31", "\"soon\"", "f:4:8: `date` must be a date"),
            ("what = \"w\"", "", "`[[malicious]]` needs `what`"),
            ("\"w\"", "\"a\\nb\"", "f:6:8: `what` must be one line of text"),
            ("\"A\"", "\"A\"\nversions = \"newest\"", "f:6:12: `versions`: "),
            ("version = 1", "", "`version` is missing"),
        ] {
            let error = parse("f", &good.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with(expected) || error.contains(expected), "{error}");
        }
    }
}
