//! Whom an exception is for: one package by name, version and where it comes from, or all members of the workspace. In: the text behind `crate =`. Out: a
//! [`Whom`], or what is wrong with the text.
//!
//! A name alone is the public registry's, in cargo's own cache, where cargo has compared it with its checksum. A copy of that name that a repository brings along
//! is another package, and has to be named as one, with cargo's own `SOURCE#NAME@VERSION`.

use std::path::Path;

use cargo_metadata::semver::{Version, VersionReq};

use crate::plan::public;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Every member of the workspace, and nobody else.
    Workspace,
    Package {
        name: String,
        versions: Versions,
        from: Whence,
    },
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whence {
    /// Of the public registry, as cargo has fetched it.
    Public,
    /// Locked as somebody's, and its sources lie where the repository says (`cargo vendor`): cargo goes by a checksum that stands there as well.
    Vendored,
    /// A directory: a member, a path dependency, what `[patch]` puts in a package's place.
    Path,
    /// By its source, as Cargo.lock has it; of git, with or without the commit.
    Source(String),
}

/// What tells where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// As Cargo.lock and cargo's graph have it; nothing for a directory.
    pub source: Option<&'a str>,
    /// Has cargo unpacked it in its own home? Not known of what only a lock file tells.
    pub fetched: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// `1.2.3`: this one. Build metadata counts where it is written.
    Exact(Version),
    /// `^1.2`, `>=1.2, <1.4`.
    Range(VersionReq),
    /// No version at all, or `*`.
    Any,
}

const PATH: &str = "path";
const VENDORED: &str = "vendored";

impl<'a> Origin<'a> {
    /// Of a package of the graph, by where its manifest lies.
    pub fn of(source: Option<&'a str>, manifest_dir: Option<&Path>, cargo_home: &Path) -> Origin<'a> {
        // A registry's packages lie below a directory that begins with its host; what a file in the repository names (`local-registry`) has none.
        let unpacked = |dir: &Path, cache: &str| {
            let rest = dir.strip_prefix(cargo_home.join(cache)).ok()?;
            let mut parts = rest.components().map(|part| part.as_os_str().as_encoded_bytes());
            Some(parts.next().is_some_and(|registry| !registry.starts_with(b"-")) && parts.all(|part| part != b".."))
        };
        // Where its source says that it comes from.
        let cache = if source.is_some_and(|source| source.starts_with("git+")) { "git/checkouts" } else { "registry/src" };
        let fetched = manifest_dir.is_some_and(|dir| unpacked(dir, cache) == Some(true));
        Origin { source, fetched: Some(fetched) }
    }

    /// How a package from there has to be named.
    pub fn name(self, name: &str, version: &str) -> String {
        match self.source {
            None => format!("{PATH}#{name}@{version}"),
            Some(_) if self.fetched == Some(false) => format!("{VENDORED}#{name}@{version}"),
            Some(source) if is_public(source) => format!("{name}@{version}"),
            Some(source) => format!("{source}#{name}@{version}"),
        }
    }
}

fn is_public(source: &str) -> bool {
    source == public::SOURCE
}

impl Whence {
    fn read(text: &str) -> Result<Whence, String> {
        match text {
            PATH => Ok(Whence::Path),
            VENDORED => Ok(Whence::Vendored),
            text if ["registry+", "sparse+", "git+"].iter().any(|kind| text.starts_with(kind)) && text.contains("://") => {
                Ok(if is_public(text) { Whence::Public } else { Whence::Source(text.to_owned()) })
            }
            text => Err(format!(
                "`{}` is no source: before `#` stands `{PATH}`, `{VENDORED}`, or a source as Cargo.lock has it, `registry+https://…`, `git+https://…`",
                text.escape_debug()
            )),
        }
    }

    /// With or without the commit, both ways.
    fn meets(&self, other: &Whence) -> bool {
        match (self, other) {
            (Whence::Source(one), Whence::Source(two)) => {
                other.is(Origin { source: Some(one), fetched: None }) || self.is(Origin { source: Some(two), fetched: None })
            }
            (one, other) => one == other,
        }
    }

    fn is(&self, origin: Origin) -> bool {
        let fetched = origin.fetched.unwrap_or(true);
        match (self, origin.source) {
            (Whence::Path, source) => source.is_none(),
            (_, None) => false,
            (Whence::Vendored, Some(_)) => origin.fetched != Some(true),
            (Whence::Public, Some(source)) => fetched && is_public(source),
            (Whence::Source(wanted), Some(source)) => {
                let commit = source.strip_prefix("git+").and_then(|_| source.strip_prefix(wanted.as_str()));
                fetched && (source == wanted || commit.is_some_and(|rest| rest.starts_with('#')))
            }
        }
    }
}

impl Whom {
    /// # Errors
    /// With what is wrong, as a lowercase fragment.
    pub fn read(text: &str) -> Result<Whom, String> {
        let (from, text) = match text.rsplit_once('#') {
            None => (Whence::Public, text),
            Some((source, text)) => (Whence::read(source)?, text),
        };
        let (name, version) = match text.split_once('@') {
            None if text == "workspace" && from == Whence::Public => return Ok(Whom::Workspace),
            None => (text, None),
            Some((name, version)) => (name, Some(version.trim())),
        };
        check_name(name)?;
        let versions = match version {
            None | Some("*") => Versions::Any,
            Some(version) => versions(version)?,
        };
        Ok(Whom::Package { name: name.to_owned(), versions, from })
    }

    /// Is it for a package of this name and version, wherever that comes from? Never for members as such.
    pub fn is(&self, name: &str, version: &str) -> bool {
        match self {
            Whom::Workspace => false,
            Whom::Package { name: wanted, versions, .. } => wanted == name && versions.hold(version),
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Whom::Workspace => None,
            Whom::Package { name, .. } => Some(name),
        }
    }

    /// And does that one come from where it says?
    pub fn is_from(&self, origin: Origin) -> bool {
        matches!(self, Whom::Package { from, .. } if from.is(origin))
    }

    /// Of one who looks for a package and may leave out what is not to be told apart: can both be about one? Without a source, wherever it comes from.
    pub fn meets(&self, other: &Whom) -> bool {
        match (self, other) {
            (Whom::Package { name, versions, from }, Whom::Package { name: its, versions: others, from: whence }) => {
                name == its && versions.meet(others) && (*from == Whence::Public || from.meets(whence))
            }
            (one, other) => one == other,
        }
    }

    /// Does it say where from? The public registry need not be named.
    pub fn has_source(&self) -> bool {
        matches!(self, Whom::Package { from, .. } if *from != Whence::Public)
    }

    /// Only a registry's package has a checksum.
    pub fn may_have_checksum(&self) -> bool {
        match self {
            Whom::Workspace | Whom::Package { from: Whence::Path, .. } => false,
            Whom::Package { from: Whence::Source(source), .. } => !source.starts_with("git+"),
            Whom::Package { .. } => true,
        }
    }

    pub fn is_of_any_version(&self) -> bool {
        matches!(self, Whom::Package { versions: Versions::Any, .. })
    }
}

/// # Errors
/// When no package can be called so.
pub fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    match !name.is_empty() && name.chars().all(plain) {
        true => Ok(()),
        false => Err(format!("`{}` is no package's name", name.escape_debug())),
    }
}

fn versions(text: &str) -> Result<Versions, String> {
    if let Ok(version) = Version::parse(text) {
        return Ok(Versions::Exact(version));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let hint = if VersionReq::parse(text).is_ok() {
            format!("; a requirement begins with its sign: `^{text}`, `~{text}`")
        } else {
            String::new()
        };
        return Err(format!("`{}` is no whole version{hint}", text.escape_debug()));
    }
    VersionReq::parse(text).map(Versions::Range).map_err(|error| format!("version `{}`: {error}", text.escape_debug()))
}

impl Versions {
    /// Two ranges may have one in common, as far as one can tell.
    fn meet(&self, other: &Versions) -> bool {
        match (self, other) {
            (Versions::Exact(one), other) => other.hold(&one.to_string()),
            (one, Versions::Exact(other)) => one.hold(&other.to_string()),
            _ => true,
        }
    }

    fn hold(&self, version: &str) -> bool {
        let Ok(version) = Version::parse(version) else { return matches!(self, Versions::Any) };
        match self {
            Versions::Any => true,
            Versions::Range(range) => range.matches(&version),
            Versions::Exact(exact) => {
                let same =
                    (exact.major, exact.minor, exact.patch, &exact.pre) == (version.major, version.minor, version.patch, &version.pre);
                same && (exact.build.is_empty() || exact.build == version.build)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looked_for_by_as_much_as_is_typed() {
        let git = "git+https://h.example/x?branch=main";
        for (typed, written, expected) in [
            ("mac".to_owned(), "path#mac@0.1.0".to_owned(), true),
            ("mac@0.1.0".to_owned(), "path#mac@0.1.0".to_owned(), true),
            ("mac@0.2.0".to_owned(), "path#mac@0.1.0".to_owned(), false),
            ("path#mac".to_owned(), "path#mac@0.1.0".to_owned(), true),
            ("path#mac@0.1.0".to_owned(), "mac@0.1.0".to_owned(), false),
            ("mac@1.2.3".to_owned(), "mac@^1.2".to_owned(), true),
            ("mac@^1.2".to_owned(), "mac@1.1.0".to_owned(), false),
            ("mac@^1.2".to_owned(), "mac".to_owned(), true),
            (format!("{git}#mac"), format!("{git}#0a1b#mac@1.0.0"), true),
            (format!("{git}#0a1b#mac@1.0.0"), format!("{git}#mac"), true),
            (format!("{git}#0a1b#mac"), format!("{git}#2c3d#mac"), false),
            ("mac".to_owned(), "workspace".to_owned(), false),
            ("workspace".to_owned(), "workspace".to_owned(), true),
        ] {
            let read = |text: &str| Whom::read(text).unwrap();
            assert_eq!(read(&typed).meets(&read(&written)), expected, "{typed} {written}");
        }
    }

    #[test]
    fn by_name_and_version() {
        for (text, version, is) in [
            ("x@1.2.3", "1.2.3", true),
            ("x@1.2.3", "1.2.3+build.7", true),
            ("x@1.2.3+build.7", "1.2.3+build.8", false),
            ("x@1.2.3", "1.2.4", false),
            ("x@1.2.3", "1.2.3-rc.1", false),
            ("x@^1.2", "1.9.0", true),
            ("x@^1.2", "2.0.0", false),
            ("x@>=1.2, <1.4", "1.3.9", true),
            ("x@=1.2.3", "1.2.4", false),
            ("x", "7.0.0", true),
            ("x@*", "7.0.0", true),
            ("y@1.2.3", "1.2.3", false),
            ("workspace", "1.2.3", false),
        ] {
            assert_eq!(Whom::read(text).unwrap().is("x", version), is, "{text} for x {version}");
        }
        assert!(Whom::read("path#x@*").unwrap().is_of_any_version());
        assert!(Whom::read("x@*").unwrap().is_of_any_version() && !Whom::read("x@^1").unwrap().is_of_any_version());
    }

    /// A name says nothing of who wrote the code: where it comes from does.
    #[test]
    fn and_by_where_it_comes_from() {
        let public = public::SOURCE;
        let (other, git) = ("registry+https://example.org/index", "git+https://example.org/x?branch=b#00ff11");
        let origins = [
            ("public", Origin { source: Some(public), fetched: Some(true) }),
            ("locked", Origin { source: Some(public), fetched: None }),
            ("vendored", Origin { source: Some(public), fetched: Some(false) }),
            ("other", Origin { source: Some(other), fetched: Some(true) }),
            ("git", Origin { source: Some(git), fetched: Some(true) }),
            ("path", Origin { source: None, fetched: Some(false) }),
        ];
        for (text, holds) in [
            ("x@1.2.3".to_owned(), &["public", "locked"][..]),
            (format!("{public}#x@1.2.3"), &["public", "locked"]),
            ("vendored#x@1.2.3".to_owned(), &["locked", "vendored"]),
            ("path#x@1.2.3".to_owned(), &["path"]),
            (format!("{other}#x@1.2.3"), &["other"]),
            ("git+https://example.org/x?branch=b#x@1.2.3".to_owned(), &["git"]),
            (format!("{git}#x@1.2.3"), &["git"]),
            ("git+https://example.org/x#x@1.2.3".to_owned(), &[]),
            ("git+https://example.org/x?branch=b#00ff#x@1.2.3".to_owned(), &[]),
            ("workspace".to_owned(), &[]),
        ] {
            let whom = Whom::read(&text).unwrap();
            let found: Vec<&str> = origins.iter().filter(|(_, origin)| whom.is_from(*origin)).map(|(name, _)| *name).collect();
            assert_eq!(found, holds, "{text}");
        }
        // What a package has to be called is for that package, and for no other.
        for (name, origin) in origins.iter().filter(|(_, origin)| origin.fetched.is_some()) {
            let whom = Whom::read(&origin.name("x", "1.2.3")).unwrap();
            assert!(whom.is("x", "1.2.3") && whom.is_from(*origin), "{name}");
            let others = origins.iter().filter(|(other, origin)| other != name && origin.fetched.is_some() && whom.is_from(*origin));
            assert_eq!(others.count(), 0, "{name}");
        }
        let home = Path::new("/home/u/.cargo");
        let of = |dir: &str| Origin::of(Some(public), Some(Path::new(dir)), home).fetched;
        assert_eq!(of("/home/u/.cargo/registry/src/i/x-1.2.3"), Some(true));
        assert_eq!(of("/home/u/app/vendor/registry/src/i/x-1.2.3"), Some(false));
        assert_eq!(of("/home/u/.cargo/registry/src/-0123456789abcdef/x-1.2.3"), Some(false), "a local registry");
        assert_eq!(of("/home/u/.cargo/registry/src/i/../../../../app/x-1.2.3"), Some(false));
        assert_eq!(of("/home/u/.cargo/git/checkouts/own/vendor/x-1.2.3"), Some(false), "a registry's package in a checkout of git's");
    }

    #[test]
    fn what_is_no_package() {
        for (text, said) in [
            ("#x@1.0.0", "`` is no source"),
            ("file:///x#x@1.0.0", "`file:///x` is no source: before `#` stands `path`"),
            ("registry+#x@1.0.0", "`registry+` is no source"),
            ("", "`` is no package's name"),
            ("x y@1.0.0", "`x y` is no package's name"),
            ("x@1.2", "`1.2` is no whole version; a requirement begins with its sign: `^1.2`, `~1.2`"),
            ("x@1.2.3.4", "`1.2.3.4` is no whole version"),
            ("x@", "version ``: "),
            ("x@>=", "version `>=`: "),
        ] {
            let error = Whom::read(text).unwrap_err();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }
}
