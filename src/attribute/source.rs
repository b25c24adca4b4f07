//! Whose source a path is, told by structure alone: cargo's registry directories, or the nearest manifest. In: paths. Out: packages
//! without source string or checksum, which only the graph knows.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use cargo_metadata::semver::Version;

use crate::model::Package;

const MAX_MANIFEST: u64 = 1 << 20;
const MAX_DEP_INFO: u64 = 4 << 20;
/// Directories above a file that are searched for a manifest.
const MAX_DEPTH: usize = 32;

/// The package whose unpacked source `path` lies in: `<cargo home>/registry/src/<index>/<name>-<version>/…`. Cargo's home must be given,
/// or a workspace could hold a directory of that shape.
pub fn registry_package(path: &Path, cargo_home: &Path) -> Option<Package> {
    let sources = cargo_home.join("registry/src");
    let path = clean(path);
    let mut inside = path.strip_prefix(&sources).ok()?.components();
    let index = inside.next()?;
    let directory = inside.next()?;
    let (name, version) = split_name(directory.as_os_str().to_str()?)?;
    let manifest_dir = Some(sources.join(index).join(directory));
    Some(Package { name: name.into(), version: version.into(), source: None, checksum: None, manifest_dir })
}

/// `<name>-<version>`: the version starts at the first hyphen behind which a whole version stands.
pub fn split_name(directory: &str) -> Option<(&str, &str)> {
    let hyphens = directory.match_indices('-').map(|(at, _)| (&directory[..at], &directory[at + 1..]));
    hyphens.into_iter().find(|(name, version)| !name.is_empty() && Version::parse(version).is_ok())
}

/// The package of the nearest manifest at or above `directory`; manifests without a `[package]` are workspace roots and passed over.
pub fn nearest_package(directory: &Path) -> Option<Package> {
    let directory = clean(directory);
    directory.ancestors().take(MAX_DEPTH).find_map(package_in)
}

/// The package whose manifest lies in exactly this directory.
pub fn package_in(directory: &Path) -> Option<Package> {
    let manifest = manifest(directory)?;
    let package = manifest.get("package").or_else(|| manifest.get("project"))?.as_table()?;
    let name = package.get("name")?.as_str()?.to_owned();
    let version = match package.get("version") {
        None => "0.0.0".to_owned(),
        Some(toml::Value::String(version)) => version.clone(),
        Some(_) => {
            let root = package.get("workspace").and_then(toml::Value::as_str).map(|root| directory.join(root));
            workspace_version(root.as_deref().unwrap_or(directory))?
        }
    };
    Some(Package { name, version, source: None, checksum: None, manifest_dir: Some(directory.to_path_buf()) })
}

fn workspace_version(directory: &Path) -> Option<String> {
    let directory = clean(directory);
    let root = directory.ancestors().take(MAX_DEPTH).find_map(|above| manifest(above)?.get("workspace").cloned())?;
    Some(root.get("package")?.get("version")?.as_str()?.to_owned())
}

/// A manifest, read with care: what stands in its place may be a FIFO or without end.
fn manifest(directory: &Path) -> Option<toml::Table> {
    read_text(&directory.join("Cargo.toml"), MAX_MANIFEST)?.parse().ok()
}

/// The first source in a dep-info file (make's syntax, spaces escaped), as written: that is the crate root.
pub fn root_of_dep_info(file: &Path) -> Option<PathBuf> {
    let text = read_text(file, MAX_DEP_INFO)?;
    let (_, sources) = text.lines().next()?.split_once(": ")?;
    let first = sources.replace("\\ ", "\0").split(' ').find(|source| source.ends_with(".rs"))?.replace('\0', " ");
    Some(first.into())
}

/// A regular file's text up to a limit; `None` for anything else, without blocking.
pub fn read_text(path: &Path, limit: u64) -> Option<String> {
    String::from_utf8(read_bytes(path, limit)?).ok()
}

/// A regular file's content up to a limit, in bytes; `None` for anything else, without blocking.
pub fn read_bytes(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).ok()?;
    let meta = file.metadata().ok()?;
    if !meta.is_file() || meta.len() > limit {
        return None;
    }
    let mut content = Vec::with_capacity(meta.len() as usize);
    file.take(limit).read_to_end(&mut content).ok()?;
    Some(content)
}

/// The path without `.` and `..`, by text alone.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        for (directory, expected) in [
            ("anyhow-1.0.104", Some(("anyhow", "1.0.104"))),
            ("lib-dep-2-1.0.0", Some(("lib-dep-2", "1.0.0"))),
            ("toml-1.2.1+spec-1.1.0", Some(("toml", "1.2.1+spec-1.1.0"))),
            ("x-1.0.0-rc.1", Some(("x", "1.0.0-rc.1"))),
            ("no-version", None),
            ("-1.0.0", None),
        ] {
            assert_eq!(split_name(directory), expected);
        }
    }

    #[test]
    fn only_cargos_own_registry_counts() {
        let home = Path::new("/h/.cargo");
        let package = registry_package(Path::new("/h/.cargo/registry/src/index-0a/serde-1.0.2/src/lib.rs"), home).expect("package");
        assert_eq!((package.name.as_str(), package.version.as_str()), ("serde", "1.0.2"));
        assert_eq!(package.manifest_dir.as_deref(), Some(Path::new("/h/.cargo/registry/src/index-0a/serde-1.0.2")));
        for path in ["/ws/registry/src/index-0a/serde-1.0.2/src/lib.rs", "/h/.cargo/registry/src/i/serde-1.0.2/../../../../../w/x-1.0.0"] {
            assert_eq!(registry_package(Path::new(path), home), None, "{path}");
        }
    }

    #[test]
    fn versions_are_inherited_from_the_workspace() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write("Cargo.toml", "[workspace]\nmembers = ['app']\n[workspace.package]\nversion = '1.2.3'\n");
        write("app/Cargo.toml", "[package]\nname = 'my-app'\nversion.workspace = true\n");
        write("app/src/bad/Cargo.toml", "not a manifest [");
        let package = nearest_package(&dir.path().join("app/src/bad")).expect("package");
        assert_eq!((package.name.as_str(), package.version.as_str()), ("my-app", "1.2.3"));
        assert_eq!(package.manifest_dir, Some(dir.path().join("app")));
        assert_eq!(nearest_package(&dir.path().join("src")), None, "a virtual workspace is no package");
    }
}
