//! Whom an exception is for: one package by name and version, or all members of the workspace. In: the text behind `crate =`. Out: a [`Whom`],
//! or what is wrong with the text.

use cargo_metadata::semver::{Version, VersionReq};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Every member of the workspace, and nobody else.
    Workspace,
    Package {
        name: String,
        versions: Versions,
    },
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

impl Whom {
    /// # Errors
    /// With what is wrong, as a lowercase fragment.
    pub fn read(text: &str) -> Result<Whom, String> {
        let (name, version) = match text.split_once('@') {
            None if text == "workspace" => return Ok(Whom::Workspace),
            None => (text, None),
            Some((name, version)) => (name, Some(version.trim())),
        };
        check_name(name)?;
        let versions = match version {
            None | Some("*") => Versions::Any,
            Some(version) => versions(version)?,
        };
        Ok(Whom::Package { name: name.to_owned(), versions })
    }

    /// Is it for this package, by name and version? Never for members as such.
    pub fn is(&self, name: &str, version: &str) -> bool {
        match self {
            Whom::Workspace => false,
            Whom::Package { name: wanted, versions } => wanted == name && versions.hold(version),
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
        assert!(Whom::read("x@*").unwrap().is_of_any_version() && !Whom::read("x@^1").unwrap().is_of_any_version());
    }

    #[test]
    fn what_is_no_package() {
        for (text, said) in [
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
