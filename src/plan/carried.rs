//! A lock of others that lies in a package, as cargo itself has fetched it: `[imports.NAME] package = …`. In: which package, what cargo said of the graph. Out: the
//! text of the file, from that very package's directory, and where it is from.

use std::borrow::Cow;
use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use cargo_metadata::semver::{Version, VersionReq};
use serde::Deserialize;

use crate::plan::behaviours;
use crate::plan::document::ConfigError;
use crate::sys::files::{AT_FDCWD, openat2};

/// Which package, and which file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    pub package: String,
    pub version: Option<VersionReq>,
    /// From the package's own directory.
    pub file: String,
    /// Where that is written; without a message.
    pub at: ConfigError,
}

/// Where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whence {
    pub name: String,
    pub version: String,
    /// As cargo says it: `registry+…`, `git+…`.
    pub source: String,
    /// Where cargo has it.
    pub dir: PathBuf,
    /// From there.
    pub file: String,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    packages: Vec<Listed<'a>>,
}

#[derive(Clone, Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    manifest_path: Cow<'a, str>,
}

impl Carrier {
    /// The file as it lies there, and where that is. Nothing is fetched: a package that cargo does not know of in this graph has none.
    ///
    /// # Errors
    /// With the place of the section, and what to do about it.
    pub fn read(&self, graph: &str) -> Result<(String, Whence), ConfigError> {
        let answer: Answer =
            serde_json::from_str(graph).map_err(|_| self.wrong("what cargo says of this build is not understood".into()))?;
        let named: Vec<&Listed> = answer.packages.iter().filter(|listed| listed.name == self.package).collect();
        let is_meant = |listed: &&&Listed| {
            self.version.as_ref().is_none_or(|wanted| Version::parse(&listed.version).is_ok_and(|version| wanted.matches(&version)))
        };
        let meant: Vec<&Listed> = named.iter().filter(is_meant).copied().collect();
        let package = &self.package;
        let found = match (&meant[..], &named[..]) {
            ([one], _) => *one,
            ([], []) => {
                let way = format!("make it a dependency of this workspace, and cargo fetches it (`cargo add --dev {package}`)");
                return Err(self.wrong(format!("this build has no package `{package}`: {way}; Brig itself fetches nothing")));
            }
            ([], named) => return Err(self.wrong(format!("no `{package}` of this build is of that version: there is {}", list(named)))),
            (meant, _) => {
                let message = format!("this build has several packages `{package}`: {}; `version = \"=…\"` says which", list(meant));
                return Err(self.wrong(message));
            }
        };
        let Some(source) = &found.source else {
            let instead = "`path = …` names a file of the repository's own";
            return Err(self.wrong(format!("`{package}` is a path package, which cargo does not fetch: {instead}")));
        };
        let dir = Path::new(&*found.manifest_path).parent().unwrap_or(Path::new("/")).to_owned();
        let text = self.text(&dir, &found.version)?;
        let (name, version, source) = (package.clone(), found.version.to_string(), source.to_string());
        Ok((text, Whence { name, version, source, dir, file: self.file.clone() }))
    }

    /// From its own directory, out of which no link leads.
    fn text(&self, dir: &Path, version: &str) -> Result<String, ConfigError> {
        let (package, file) = (&self.package, &self.file);
        let path = |path: &Path| CString::new(path.as_os_str().as_encoded_bytes());
        let (Ok(top), Ok(name)) = (path(dir), path(Path::new(file))) else { return Err(self.wrong("holds a NUL character".into())) };
        let top = openat2(AT_FDCWD, &top, libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC, 0, 0);
        let top = top.map_err(|error| self.wrong(format!("cargo has `{package}` {version} in {}: {error}", dir.display())))?;
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
        let opened = openat2(top.as_fd(), &name, flags, 0, libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS);
        let opened = opened.map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => self.wrong(format!("`{package}` {version} holds no `{file}`: `file = …` says which")),
            Some(libc::EXDEV) => self.wrong(format!("`{file}` of `{package}` {version} is a link that leads out of the package")),
            _ => self.wrong(format!("`{file}` of `{package}` {version} cannot be read: {error}")),
        })?;
        behaviours::whole(File::from(opened), &dir.join(file))
    }

    pub(super) fn wrong(&self, message: String) -> ConfigError {
        ConfigError { message, ..self.at.clone() }
    }
}

fn list(packages: &[&Listed]) -> String {
    let one = |listed: &&Listed| match &listed.source {
        Some(source) => format!("{} ({source})", listed.version),
        None => format!("{} (a path package)", listed.version),
    };
    packages.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "\"registry+https://example.org/index\"";

    fn carrier(version: Option<&str>, file: &str) -> Carrier {
        let version = version.map(|text| VersionReq::parse(text).unwrap());
        Carrier { package: "ours".into(), version, file: file.into(), at: ConfigError { line: 3, ..ConfigError::whole("brig.toml", "") } }
    }

    fn graph(dir: &Path, packages: &[(&str, &str)]) -> String {
        let one = |(version, source): &(&str, &str)| {
            let manifest = dir.join(format!("ours-{version}/Cargo.toml"));
            format!("{{\"name\":\"ours\",\"version\":\"{version}\",\"source\":{source},\"manifest_path\":{manifest:?}}}")
        };
        let app = "{\"name\":\"app\",\"version\":\"0.1.0\",\"source\":null,\"manifest_path\":\"/x/Cargo.toml\",\"more\":1}".to_owned();
        let packages: Vec<String> = [app].into_iter().chain(packages.iter().map(one)).collect();
        format!("{{\"packages\":[{}]}}", packages.join(","))
    }

    #[test]
    fn from_the_one_package_that_is_meant() {
        let dir = tempfile::tempdir().unwrap();
        for version in ["1.0.0", "1.2.0", "2.0.0"] {
            std::fs::create_dir(dir.path().join(format!("ours-{version}"))).unwrap();
            std::fs::write(dir.path().join(format!("ours-{version}/brig.lock")), version).unwrap();
        }
        let several = [("1.0.0", REGISTRY), ("1.2.0", REGISTRY), ("2.0.0", "null")];
        let of = |version: Option<&str>, packages: &[(&str, &str)]| {
            let read = carrier(version, "brig.lock").read(&graph(dir.path(), packages));
            read.map(|(text, whence)| (text, whence.version)).map_err(|error| error.to_string())
        };
        let found = |version: &str| Ok((version.to_owned(), version.to_owned()));
        assert_eq!(of(None, &several[1..2]), found("1.2.0"));
        assert_eq!(of(Some("=1.0.0"), &several), found("1.0.0"));
        assert_eq!(of(Some("1.1"), &several), found("1.2.0"));
        for (version, packages, said) in [
            (Some("1"), &several[..], "brig.toml:3:1: this build has several packages `ours`: 1.0.0 (registry+"),
            (None, &several[..], "this build has several packages `ours`"),
            (Some("3"), &several[..], "no `ours` of this build is of that version: there is 1.0.0 ("),
            (Some("2"), &several[..], "`ours` is a path package, which cargo does not fetch"),
            (None, &[], "brig.toml:3:1: this build has no package `ours`: make it a dependency"),
            (None, &[("9.0.0", REGISTRY)], "cargo has `ours` 9.0.0 in "),
        ] {
            let error = of(version, packages).unwrap_err();
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn no_link_leads_out_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("ours-1.0.0");
        std::fs::create_dir_all(at.join("policy")).unwrap();
        std::fs::write(at.join("policy/own"), "own").unwrap();
        std::fs::write(dir.path().join("other"), "other").unwrap();
        let text = graph(dir.path(), &[("1.0.0", REGISTRY)]);
        let of = |file: &str| carrier(None, file).read(&text).map(|(text, _)| text).map_err(|error| error.message);
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, at.join(name)).unwrap();
        link("policy/own", "within");
        link("../other", "beside");
        link("..", "up");
        link("/etc/hostname", "away");
        assert_eq!(of("policy/own").as_deref(), Ok("own"));
        assert_eq!(of("within").as_deref(), Ok("own"));
        for file in ["beside", "up/other", "away"] {
            assert!(of(file).unwrap_err().contains("is a link that leads out of the package"), "{file}");
        }
        assert!(of("brig.lock").unwrap_err().contains("`ours` 1.0.0 holds no `brig.lock`"));
        assert!(of("policy").unwrap_err().contains("is no file"));
    }
}
