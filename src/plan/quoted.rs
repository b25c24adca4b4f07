//! Files that cargo, rustup and their helpers read before any wall stands, and quote when they do not understand them: manifests, lock files,
//! configuration. A repository may have committed one as a link to a secret, which would then stand in the log. In: where cargo will work.
//! Out: nothing, or the first such link.
//!
//! Only links that lead out of the repository count, or to what the catalogue calls a secret. A link of the user's own, above the
//! repository, is the user's business.

use std::collections::{BTreeSet, VecDeque};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::judge::paths::glob;
use crate::judge::{Places, SecretLists, Secrets};
use crate::plan::reals::Reals;

/// In every directory from where cargo works up to the root of the repository.
const ABOVE: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    ".cargo/config",
    "rust-toolchain",
    "rust-toolchain.toml",
    "rustfmt.toml",
    ".rustfmt.toml",
    "clippy.toml",
    ".clippy.toml",
    "brig.toml",
    ".config/brig.toml",
];
/// In the directory of every package that is found by its path.
const OF_PACKAGE: [&str; 6] = ["Cargo.toml", "Cargo.lock", "rustfmt.toml", ".rustfmt.toml", "clippy.toml", ".clippy.toml"];
/// Where files are made as they are read.
const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Entries of a repository looked at for links.
const ENTRIES: usize = 200_000;
/// Packages looked at, and bytes read of a manifest. What goes beyond is cargo's own.
const PACKAGES: usize = 2_000;
const MANIFEST: u64 = 4 << 20;

/// A link that would be followed and must not be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is a link to {}, which is {why}: cargo would read it, and show what it cannot understand\n  \
     help: a repository has no business there; remove the link, or put the file itself in its place",
    .link.display(), .target.display()
)]
pub struct Link {
    link: PathBuf,
    target: PathBuf,
    why: String,
}

/// Looks at what cargo will read when it works in `start` (a directory); with `packs`, at every link of the repository's, since `cargo package`
/// and `publish` put what it leads to into the archive, under the link's own name.
///
/// # Errors
/// With the first link that leads where it must not.
pub fn check(start: &Path, home: Option<&Path>, cargo_home: &Path, packs: bool) -> Result<(), Link> {
    let Ok(start) = start.canonicalize() else { return Ok(()) };
    let root = start.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok());
    // Without git, what lies together: up to the last manifest above.
    let root = root.or_else(|| start.ancestors().filter(|dir| dir.join("Cargo.toml").symlink_metadata().is_ok()).last());
    let root = root.unwrap_or(&start).to_owned();
    let home = home.and_then(|home| home.canonicalize().ok());
    if home.as_ref().is_some_and(|home| home.starts_with(&root)) {
        // A home under git: nothing in it is a stranger's.
        return Ok(());
    }
    let places = Places {
        workspace: Some(root.clone()),
        home: home.clone(),
        cargo_home: cargo_home.canonicalize().unwrap_or_else(|_| cargo_home.to_owned()),
        ..Places::default()
    };
    let look = Look { secrets: Secrets::compile(&places, &SecretLists::default()).unwrap_or_default(), root, home };
    let mut packages = VecDeque::new();
    for directory in start.ancestors().take_while(|dir| dir.starts_with(&look.root)) {
        look.at(directory, &ABOVE)?;
        packages.push_back(directory.to_owned());
    }
    look.packages(packages)?;
    if packs { look.packed() } else { Ok(()) }
}

struct Look {
    secrets: Secrets,
    root: PathBuf,
    home: Option<PathBuf>,
}

impl Look {
    fn at(&self, directory: &Path, names: &[&str]) -> Result<(), Link> {
        names.iter().filter(|name| !is_plain(directory, name)).try_for_each(|name| self.file(directory.join(name)))
    }

    /// Also where the link is a directory on the way (`.cargo`).
    fn file(&self, link: PathBuf) -> Result<(), Link> {
        let Ok(target) = link.canonicalize() else { return Ok(()) };
        if target == link {
            return Ok(());
        }
        let outside = !target.starts_with(&self.root);
        let class = self.secrets.class_of(target.as_os_str().as_bytes());
        let at_home = outside && self.home.as_ref().is_some_and(|home| target.starts_with(home));
        let why = match class {
            Some(class) => format!("a secret ({class})"),
            None if at_home => "in your home, outside the repository".to_owned(),
            // Environment, memory and open files of whoever reads it.
            None if outside && KERNELS.iter().any(|tree| target.starts_with(tree)) => "made by the kernel for whoever reads it".to_owned(),
            None => return Ok(()),
        };
        Err(Link { link, target, why })
    }

    /// Every link in the repository, but for what git keeps and what was built.
    fn packed(&self) -> Result<(), Link> {
        let (mut open, mut budget) = (VecDeque::from([self.root.clone()]), ENTRIES);
        while let Some(directory) = open.pop_front() {
            for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten().take(budget) {
                let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
                budget -= 1;
                if kind.is_symlink() {
                    self.file(path.clone())?;
                    let target = path.canonicalize().unwrap_or_default();
                    if target.components().any(|part| part.as_os_str() == ".git") {
                        return Err(Link { link: path, target, why: "git's own data".to_owned() });
                    }
                } else if kind.is_dir() && entry.file_name() != ".git" && !path.join("CACHEDIR.TAG").exists() {
                    open.push_back(path);
                }
            }
        }
        Ok(())
    }

    /// Follows members and paths from manifest to manifest.
    fn packages(&self, mut left: VecDeque<PathBuf>) -> Result<(), Link> {
        let (mut seen, mut reals) = (BTreeSet::new(), Reals::default());
        while let Some(directory) = left.pop_front() {
            if seen.len() == PACKAGES || !seen.insert(directory.clone()) {
                continue;
            }
            // A package outside the repository is the user's own, links and all.
            if directory.starts_with(&self.root) {
                self.at(&directory, &OF_PACKAGE)?;
            }
            let manifest = directory.join("Cargo.toml");
            let small = manifest.metadata().is_ok_and(|facts| facts.is_file() && facts.len() <= MANIFEST);
            let text = small.then(|| std::fs::read_to_string(&manifest).ok()).flatten();
            let Some(table) = text.and_then(|text| text.parse::<toml::Table>().ok()) else { continue };
            let mut found = Vec::new();
            paths_in(&table, &mut found);
            let found: BTreeSet<PathBuf> = found.iter().filter_map(|path| reals.of(&directory, Path::new(path))).collect();
            left.extend(found.into_iter().filter(|path| !seen.contains(path) && path.is_dir()));
            left.extend(members(&directory, &table));
        }
        Ok(())
    }
}

/// Is there nothing of that name in a real directory, or no link on the way to it? So it is nearly always, and cheaper to tell than the real path.
fn is_plain(directory: &Path, name: &str) -> bool {
    let mut path = directory.to_owned();
    for part in Path::new(name) {
        path.push(part);
        match path.symlink_metadata() {
            Ok(found) if found.is_symlink() => return false,
            Ok(_) => {}
            Err(_) => return true,
        }
    }
    true
}

/// Every `path = "…"`, wherever it stands: of dependencies, patches, replacements.
pub(super) fn paths_in(table: &toml::Table, found: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            toml::Value::String(text) if key == "path" => found.push(text.clone()),
            toml::Value::Table(inner) => paths_in(inner, found),
            toml::Value::Array(list) => list.iter().filter_map(toml::Value::as_table).for_each(|inner| paths_in(inner, found)),
            _ => {}
        }
    }
}

/// `workspace.members`, `*` in a component included.
fn members(directory: &Path, table: &toml::Table) -> Vec<PathBuf> {
    let list = |key| table.get("workspace")?.get(key)?.as_array().cloned();
    let texts = ["members", "default-members"].into_iter().filter_map(list).flatten();
    texts.filter_map(|text| Some(named_by(directory, text.as_str()?))).flatten().collect()
}

fn named_by(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut places = vec![directory.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        places = if part.contains(['*', '?', '[']) {
            let entries = places.iter().flat_map(|place| std::fs::read_dir(place).into_iter().flatten().flatten());
            // What a class of letters matches is little: all of it is looked at.
            let wanted = |name: &[u8]| part.contains('[') || glob(part.as_bytes(), name);
            entries.filter(|entry| wanted(entry.file_name().as_bytes())).map(|entry| entry.path()).take(PACKAGES).collect()
        } else {
            places.iter().map(|place| place.join(part)).collect()
        };
    }
    places.into_iter().filter_map(|place| place.canonicalize().ok()).filter(|place| place.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A home with a repository and a key in it.
    fn home() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let repository = home.join("code");
        for directory in [".ssh", ".cargo", "code/.git", "code/.cargo", "code/a/src", "code/crates/one", "code/crates/two", "dotfiles"] {
            fs::create_dir_all(home.join(directory)).unwrap();
        }
        for (file, text) in [
            (".ssh/id", "key"),
            ("dotfiles/rustfmt.toml", ""),
            ("code/.env", "x"),
            ("code/Cargo.toml", "[workspace]\nmembers = [\"a\", \"crates/*\"]\n"),
            ("code/Cargo.lock", ""),
            ("code/a/Cargo.toml", "[package]\nname = \"a\"\n[target.'cfg(unix)'.dependencies]\nfar = { path = \"../far\" }\n"),
            ("code/crates/one/Cargo.toml", "[package]\nname = \"one\"\n"),
        ] {
            fs::write(home.join(file), text).unwrap();
        }
        (dir, home, repository)
    }

    fn looked_at(home: &Path, repository: &Path) -> Option<String> {
        check(&repository.join("a"), Some(home), &home.join(".cargo"), false).err().map(|found| found.why)
    }

    #[test]
    fn links_of_a_repository() {
        let secret = Some("a secret (ssh)".to_owned());
        let cases: &[(&str, &str, Option<String>)] = &[
            ("a/Cargo.lock", "../Cargo.lock", None),
            ("a/rust-toolchain", "../../.ssh/id", secret.clone()),
            ("rust-toolchain.toml", "../.ssh/id", secret.clone()),
            ("a/Cargo.lock", "../../.ssh/id", secret.clone()),
            (".cargo/config.toml", "../../.ssh/id", secret.clone()),
            ("a/.cargo", "../../.ssh", None),
            ("crates/two/Cargo.toml", "../../../.ssh/id", secret.clone()),
            ("crates/one/clippy.toml", "../../../.ssh/id", secret.clone()),
            ("brig.toml", "../.ssh/id", secret),
            ("a/clippy.toml", "../.env", Some("a secret (project env)".to_owned())),
            ("rustfmt.toml", "../dotfiles/rustfmt.toml", Some("in your home, outside the repository".to_owned())),
            ("rustfmt.toml", "/usr/share/nothing", None),
            ("rustfmt.toml", "/etc/passwd", None),
            (".cargo/config.toml", "/proc/self/environ", Some("made by the kernel for whoever reads it".to_owned())),
        ];
        for (link, target, expected) in cases {
            let (_dir, home, repository) = home();
            assert_eq!(looked_at(&home, &repository), None);
            let _ = fs::remove_file(repository.join(link));
            symlink(target, repository.join(link)).unwrap();
            assert_eq!(looked_at(&home, &repository), *expected, "{link} → {target}");
        }
    }

    #[test]
    fn what_is_packed() {
        let (_dir, home, repository) = home();
        fs::write(repository.join(".git/config"), "[http]\n").unwrap();
        fs::write(repository.join("LICENSE"), "").unwrap();
        symlink("../LICENSE", repository.join("a/LICENSE")).unwrap();
        let packed = || check(&repository.join("a"), Some(&home), &home.join(".cargo"), true).err().map(|found| found.why);
        assert_eq!(packed(), None);
        for (target, why) in [
            ("../../.env", "a secret (project env)"),
            ("../../.git/config", "git's own data"),
            ("../../../dotfiles/rustfmt.toml", "in your home, outside the repository"),
            ("/proc/self/environ", "made by the kernel for whoever reads it"),
        ] {
            symlink(target, repository.join("a/src/notes.txt")).unwrap();
            assert_eq!(packed().as_deref(), Some(why), "{target}");
            assert_eq!(looked_at(&home, &repository), None, "nobody reads it in a build");
            fs::remove_file(repository.join("a/src/notes.txt")).unwrap();
        }
    }

    #[test]
    fn a_path_dependency_of_a_dependency() {
        let (_dir, home, repository) = home();
        fs::create_dir(repository.join("far")).unwrap();
        fs::write(repository.join("far/Cargo.toml"), "[package]\nname = \"far\"\n[dependencies.near]\npath = \"near\"\n").unwrap();
        fs::create_dir(repository.join("far/near")).unwrap();
        symlink("../../../.ssh/id", repository.join("far/near/Cargo.toml")).unwrap();
        assert_eq!(looked_at(&home, &repository), Some("a secret (ssh)".to_owned()));
    }

    /// `.cargo` as a link to a directory with a configuration in it.
    #[test]
    fn a_directory_on_the_way() {
        let (_dir, home, repository) = home();
        fs::write(home.join(".ssh/config.toml"), "key").unwrap();
        symlink("../../.ssh", repository.join("a/.cargo")).unwrap();
        assert_eq!(looked_at(&home, &repository), Some("a secret (ssh)".to_owned()));
    }

    #[test]
    fn a_home_under_git_is_the_users() {
        let (_dir, home, repository) = home();
        fs::remove_dir(repository.join(".git")).unwrap();
        fs::create_dir(home.join(".git")).unwrap();
        symlink("../dotfiles/rustfmt.toml", repository.join("rustfmt.toml")).unwrap();
        assert_eq!(looked_at(&home, &repository), None);
    }
}
