//! A package that does not stand by itself: it takes keys from a workspace, or leans on packages that lie outside its directory. In: its directory; what cargo
//! says of it. Out: the part of that workspace, or of several, that it needs, in directories that lie to each other as they did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand};
use toml::{Table, Value};

use super::{suspect, unpacking};
use crate::plan::own_calls;
use crate::plan::places::real;
use crate::run::stage::{Env, variable};
use crate::sys::walled;

/// Packages, of all workspaces.
const PACKAGES: usize = 400;
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What is needed of it. All paths are real.
pub struct Part {
    pub name: String,
    pub version: String,
    package: PathBuf,
    /// The root of the workspace that each belongs to, by its directory.
    packages: BTreeMap<PathBuf, PathBuf>,
}

/// Where it lies now.
pub struct Copied {
    pub package: PathBuf,
    /// The root of its workspace.
    pub root: PathBuf,
    pub links: usize,
}

impl Part {
    /// Nothing of one that stands by itself. `env`: with `CARGO`, that of a toolchain. `within`: below which directory all of it must
    /// lie, by the root of its workspace. A suspect could lean on packages that are none of its own.
    ///
    /// # Errors
    /// When cargo does not understand it, or it leads out.
    pub fn of(env: &Env, dir: &Path, within: impl Fn(&Path) -> PathBuf) -> Result<Option<Part>> {
        let dir = real(dir.to_owned());
        if !leans(&suspect::manifest(&dir)?, &dir) {
            return Ok(None);
        }
        let mut part = Part { name: String::new(), version: String::new(), package: dir.clone(), packages: BTreeMap::new() };
        let mut bound: Option<PathBuf> = None;
        let (mut known, mut open): (BTreeMap<PathBuf, (PathBuf, Vec<PathBuf>)>, _) = (BTreeMap::new(), vec![dir.clone()]);
        while let Some(at) = open.pop() {
            if part.packages.contains_key(&at) {
                continue;
            }
            ensure!(part.packages.len() < PACKAGES, "it needs more than {PACKAGES} packages beside it");
            let leads_out = bound.as_ref().is_some_and(|bound| !at.starts_with(bound));
            ensure!(
                !leads_out && real(at.clone()) == at,
                "it needs {}, which lies outside of its workspace and repository, or is a link",
                at.display()
            );
            if !known.contains_key(&at) {
                let said = ask(env, &at)?;
                let root = said.workspace_root.clone().into_std_path_buf();
                let bound = bound.get_or_insert_with(|| within(&root));
                ensure!(root.starts_with(bound), "its workspace {} lies outside of its repository", root.display());
                if at == dir {
                    let own = said.packages.iter().find(|package| package.manifest_path.parent().is_some_and(|dir| dir == at));
                    let own = own.with_context(|| format!("{} is no package", at.display()))?;
                    (part.name, part.version) = (own.name.to_string(), own.version.to_string());
                    open.extend(patches(&root));
                }
                for package in said.packages {
                    let beside = package.dependencies.iter().filter_map(|needed| Some(needed.path.clone()?.into_std_path_buf()));
                    let beside = beside.collect();
                    if let Some(at) = package.manifest_path.parent() {
                        known.insert(at.to_owned().into_std_path_buf(), (root.clone(), beside));
                    }
                }
            }
            let (root, beside) = known.get(&at).with_context(|| format!("cargo does not say what {} is", at.display()))?;
            part.packages.insert(at, root.clone());
            open.extend(beside.iter().cloned());
        }
        Ok(Some(part))
    }

    /// How many packages come along.
    pub fn others(&self) -> usize {
        self.packages.len() - 1
    }

    /// Copies it below `into`, which must not be there: packages whole, and of the directories above them, as far as they are workspaces', plain files. No links,
    /// nothing that looks like a secret.
    ///
    /// # Errors
    /// When something cannot be copied.
    pub fn lay(&self, into: &Path) -> Result<Copied> {
        let top = self.top();
        let at =
            |path: &Path| path.strip_prefix(&top).map(|rest| into.join(rest)).with_context(|| format!("{} lies elsewhere", path.display()));
        let is_within = |path: &Path| self.packages.keys().any(|package| path.starts_with(package));
        let mut links = 0;
        for package in self.packages.keys().filter(|package| !package.parent().is_some_and(is_within)) {
            links += unpacking::directory(package, &at(package)?)?;
        }
        let levels: BTreeSet<&Path> = self
            .packages
            .iter()
            .flat_map(|(package, root)| package.ancestors().skip(1).filter(move |above| above.starts_with(root) || root == above))
            .chain(self.packages.values().map(PathBuf::as_path))
            .filter(|above| !is_within(above))
            .collect();
        for level in levels {
            links += unpacking::files(level, &at(level)?)?;
        }
        let roots: BTreeSet<&PathBuf> = self.packages.values().collect();
        for root in roots {
            let manifest = at(root)?.join("Cargo.toml");
            let text = fs::read_to_string(&manifest).with_context(|| format!("read {}", root.join("Cargo.toml").display()))?;
            let table: Table = text.parse().with_context(|| format!("read {}", root.join("Cargo.toml").display()))?;
            let members: Vec<String> = self
                .packages
                .iter()
                .filter(|(package, of)| *of == root && *package != root)
                .map(|(package, _)| relative(root, package))
                .collect();
            if let Some(reduced) = reduced(&table, &members, self.packages.contains_key(root)) {
                fs::write(&manifest, reduced.to_string()).context("write a manifest")?;
            }
        }
        let root = &self.packages[&self.package];
        Ok(Copied { package: at(&self.package)?, root: at(root)?, links })
    }

    /// What all of them lie below.
    fn top(&self) -> PathBuf {
        let all = || self.packages.iter().flat_map(|(package, root)| [package, root]);
        let above = self.package.ancestors().find(|above| all().all(|path| path.starts_with(above)));
        above.unwrap_or(Path::new("/")).to_owned()
    }
}

/// What cargo says of the package in a directory, and of its workspace, without what they need.
///
/// # Errors
/// When it does not understand them; with its words.
pub fn ask(env: &Env, dir: &Path) -> Result<Metadata> {
    let cargo = PathBuf::from(variable(env, "CARGO").context("cargo is not known")?);
    let mut command = own_calls::command(&cargo, env, &["/".into()])?;
    command.current_dir(dir).args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let output = walled::output(command.stderr(std::process::Stdio::piped())).context("ask cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let why: Vec<&str> =
        said.lines().skip_while(|line| !line.starts_with("error")).map(str::trim).filter(|line| !line.is_empty()).take(8).collect();
    ensure!(output.status.success(), "cargo does not understand {}: {}", dir.display(), why.join(" "));
    MetadataCommand::parse(String::from_utf8_lossy(&output.stdout)).context("cargo's answer is not understood")
}

/// Does it take something from a workspace, or lead out of its directory? One that is the root of a workspace may have members that do.
fn leans(manifest: &Table, dir: &Path) -> bool {
    let takes = |table: &Table| table.get("workspace").and_then(Value::as_bool) == Some(true);
    let any = |name: &str, value: &Value| match value.as_table() {
        Some(table) if DEPENDENCIES.contains(&name) => table.values().filter_map(Value::as_table).any(|needed| {
            let path = needed.get("path").and_then(Value::as_str);
            takes(needed) || path.is_some_and(|path| !plain(&dir.join(path)).starts_with(dir))
        }),
        Some(table) if name == "lints" => takes(table),
        Some(table) if name == "package" => table.contains_key("workspace") || table.values().filter_map(Value::as_table).any(takes),
        Some(table) if name == "workspace" => table.contains_key("members"),
        _ => false,
    };
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten().filter_map(|(_, value)| value.as_table());
    let all = manifest.iter().chain(targets.flatten());
    all.into_iter().any(|(name, value)| any(name, value))
}

/// Directories that a workspace has in the place of others.
fn patches(root: &Path) -> Vec<PathBuf> {
    let Ok(manifest) = suspect::manifest(root) else { return Vec::new() };
    let sources = manifest.get("patch").and_then(Value::as_table).into_iter().flatten().filter_map(|(_, value)| value.as_table());
    let replaced = manifest.get("replace").and_then(Value::as_table);
    let all = sources.chain(replaced).flatten().filter_map(|(_, value)| value.get("path")?.as_str());
    all.map(|path| plain(&root.join(path))).filter(|dir| dir.join("Cargo.toml").is_file()).collect()
}

/// The manifest of a workspace of which only these members are here; nothing where that is what it says. One that is not needed itself is only a workspace.
fn reduced(table: &Table, members: &[String], is_needed: bool) -> Option<Table> {
    let workspace = table.get("workspace")?.as_table()?;
    let mut reduced = table.clone();
    if !is_needed {
        reduced.retain(|name, _| ["workspace", "profile", "patch", "replace", "cargo-features"].contains(&name));
    }
    let mut workspace = workspace.clone();
    workspace.remove("default-members");
    workspace.insert("members".to_owned(), members.iter().cloned().map(Value::String).collect::<Vec<_>>().into());
    if !is_needed && !workspace.contains_key("resolver") {
        let edition = |table: &Table| Some(table.get("package")?.get("edition")?.as_str()?.to_owned());
        let edition = edition(table).or_else(|| edition(&workspace)).filter(|_| table.contains_key("package"));
        let resolver = match edition.as_deref() {
            Some("2024") => "3",
            Some("2021") => "2",
            _ => "1",
        };
        workspace.insert("resolver".to_owned(), resolver.into());
    }
    reduced.insert("workspace".to_owned(), workspace.into());
    Some(reduced)
}

/// Without `.` and `..`, by their names alone.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// The way from one directory to another.
fn relative(from: &Path, to: &Path) -> String {
    let above = from.ancestors().position(|above| to.starts_with(above)).unwrap_or(0);
    let common = from.ancestors().nth(above).unwrap_or(Path::new("/"));
    let up = std::iter::repeat_n("..".to_owned(), above);
    let down = to.strip_prefix(common).into_iter().flat_map(Path::components).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn who_stands_by_himself_is_known_by_his_manifest() {
        let dir = Path::new("/w/crates/x");
        for (text, does) in [
            ("[package]\nname = 'x'\nversion = '1.0.0'\n[dependencies]\nin = { path = 'in' }\n[features]\nworkspace = []\n", false),
            ("[package]\nname = 'x'\n[lints.rust]\nunused = 'allow'\n[package.metadata]\nworkspace = 'no'\n[workspace]\n", false),
            ("[package]\nname = 'x'\nversion.workspace = true\n", true),
            ("[package]\nname = 'x'\nworkspace = '../..'\n", true),
            ("[lints]\nworkspace = true\n", true),
            ("[dependencies]\ny.workspace = true\n", true),
            ("[target.'cfg(unix)'.dev-dependencies]\ny = { workspace = true, features = [] }\n", true),
            ("[build-dependencies]\ny = { path = '../y' }\n", true),
            ("[dependencies]\ny = { path = 'in/../../y' }\n", true),
            ("[dependencies]\ny = { path = '/elsewhere' }\n", true),
            ("[workspace]\nmembers = ['../y']\n", true),
        ] {
            assert_eq!(leans(&table(text), dir), does, "{text}");
        }
    }

    #[test]
    fn a_workspace_is_what_is_left_of_it() {
        let root = "cargo-features = ['x']\n[package]\nname = 'root'\nedition = '2021'\n[dependencies]\na = '1'\n[profile.dev]\ndebug = 0\n[workspace]\nmembers = ['crates/*', 'gone']\ndefault-members = ['gone']\nexclude = ['vendor']\n[workspace.package]\nversion = '2.0.0'\n[workspace.dependencies]\ny = { path = 'crates/y' }\n";
        let members = ["crates/x".to_owned(), "crates/y".to_owned()];
        let kept = reduced(&table(root), &members, false).unwrap();
        let names: Vec<&str> = kept.keys().map(String::as_str).collect();
        assert_eq!(names, ["cargo-features", "profile", "workspace"]);
        let workspace = kept["workspace"].as_table().unwrap();
        assert_eq!(workspace["members"].as_array().unwrap().len(), 2);
        assert_eq!(workspace["resolver"].as_str(), Some("2"));
        assert!(!workspace.contains_key("default-members") && workspace.contains_key("exclude") && workspace.contains_key("dependencies"));
        let whole = reduced(&table(root), &members, true).unwrap();
        assert!(
            whole.contains_key("package")
                && whole.contains_key("dependencies")
                && !whole["workspace"].as_table().unwrap().contains_key("resolver")
        );
        assert!(reduced(&table("[package]\nname = 'x'\n"), &[], true).is_none());
    }

    #[test]
    fn the_way_from_one_to_another() {
        for (from, to, way) in
            [("/w", "/w/crates/x", "crates/x"), ("/w/a", "/w/b/c", "../b/c"), ("/w/a/b", "/", "../../.."), ("/w", "/w", "")]
        {
            assert_eq!(relative(Path::new(from), Path::new(to)), way);
            assert_eq!(plain(&Path::new(from).join(way)), Path::new(to));
        }
    }

    #[test]
    fn what_is_needed_is_copied_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let w = real(dir.path().join("w"));
        for file in [
            "Cargo.toml",
            "Cargo.lock",
            "NOTES.md",
            ".env",
            "crates/notes.txt",
            "crates/x/Cargo.toml",
            "crates/x/src/lib.rs",
            "crates/x/in/Cargo.toml",
            "crates/y/Cargo.toml",
            "crates/z/Cargo.toml",
            "other/Cargo.toml",
        ] {
            fs::create_dir_all(w.join(file).parent().unwrap()).unwrap();
            fs::write(w.join(file), if file == "Cargo.toml" { "[workspace]\nmembers = ['crates/*']\n" } else { "" }).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", w.join("crates/link")).unwrap();
        let packages = ["crates/x", "crates/x/in", "crates/y"].map(|package| (w.join(package), w.clone())).into();
        let part = Part { name: "x".into(), version: "1.0.0".into(), package: w.join("crates/x"), packages };
        let into = dir.path().join("into");
        let laid = part.lay(&into).unwrap();
        assert_eq!((&laid.package, &laid.root, laid.links), (&into.join("crates/x"), &into, 1));
        let there = |file: &str| into.join(file).symlink_metadata().is_ok();
        for file in ["Cargo.lock", "NOTES.md", "crates/notes.txt", "crates/x/src/lib.rs", "crates/x/in/Cargo.toml", "crates/y/Cargo.toml"] {
            assert!(there(file), "{file}");
        }
        for file in [".env", "crates/z", "other", "crates/link"] {
            assert!(!there(file), "{file}");
        }
        let manifest = table(&fs::read_to_string(into.join("Cargo.toml")).unwrap());
        let members: Vec<_> = manifest["workspace"]["members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(members, ["crates/x", "crates/x/in", "crates/y"]);
    }
}
