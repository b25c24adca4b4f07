//! The build graph: who is in it and why. In: `cargo metadata`, `Cargo.lock`. Out: packages for crate names, macro files and manifest
//! directories, the path that leads to each, and where the lock file names it.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, TargetKind};

use super::naming::crate_of_file;
use super::source::{clean, read_text, registry_package, root_of_dep_info};
use crate::model::Package;
use crate::sys::walled;

const MAX_LOCK: u64 = 64 << 20;

/// Packages of a resolved workspace, by the order cargo lists them in.
#[derive(Debug, Default)]
pub struct Graph {
    pub(super) nodes: Vec<Node>,
    /// Line of each package's `version =` in the lock file.
    lines: HashMap<(String, String), usize>,
    pub(super) workspace: PathBuf,
    cargo_home: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub package: Package,
    /// From the public registry, by what cargo says of its source.
    pub crates_io: bool,
    pub(super) member: bool,
    build_script: bool,
    /// Crate name of the proc-macro target.
    pub proc_macro: Option<String>,
    /// The file its compilation starts from.
    pub macro_root: Option<PathBuf>,
    /// Such files of all its targets, with their crate names.
    pub roots: Vec<(String, PathBuf)>,
    /// That of its build script.
    pub script_root: Option<PathBuf>,
    /// Crate name of the library, which symbols are spelt with.
    library: Option<String>,
    /// Crate names of programs, tests, examples.
    others: Vec<String>,
    pub(super) needs: Vec<usize>,
}

impl Graph {
    /// Asks cargo, by a command that calls it. `arguments` are those of the user's own that shape the graph; `platform` is the target triple
    /// whose dependencies count. It must call the real cargo, not a proxy that a repository's toolchain file can steer, and because cargo then
    /// runs the compiler, with nothing of the repository's said to that (`plan::own_calls`).
    ///
    /// # Errors
    /// When cargo fails (its own message is in the error) or its answer is not understood.
    pub fn read(command: Command, arguments: &[OsString], platform: Option<&str>) -> Result<Graph> {
        Graph::parse(&Graph::ask(command, arguments, platform)?)
    }

    /// The same, as cargo says it.
    ///
    /// # Errors
    /// When cargo fails.
    pub fn ask(mut command: Command, arguments: &[OsString], platform: Option<&str>) -> Result<String> {
        command.args(["metadata", "--format-version", "1", "--offline"]).args(arguments);
        command.args(platform.iter().flat_map(|platform| ["--filter-platform", platform]));
        let output = walled::output(command.stdin(Stdio::null()).stderr(Stdio::piped()));
        let output = output.with_context(|| format!("start {}", command.get_program().display()))?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).context("cargo metadata: not UTF-8")
    }

    /// From what `cargo metadata` has said.
    ///
    /// # Errors
    /// When it is not understood.
    pub fn parse(text: &str) -> Result<Graph> {
        let metadata = MetadataCommand::parse(text).context("cargo metadata: not understood")?;
        Ok(Graph::of(&metadata))
    }

    pub(super) fn of(metadata: &Metadata) -> Graph {
        let workspace = metadata.workspace_root.clone().into_std_path_buf();
        let lock = read_text(&workspace.join("Cargo.lock"), MAX_LOCK).unwrap_or_default();
        let (lines, checksums) = read_lock(&lock);
        let members: HashSet<_> = metadata.workspace_members.iter().collect();
        let resolved: HashMap<_, _> = metadata.resolve.iter().flat_map(|r| &r.nodes).map(|node| (&node.id, node)).collect();
        // Only what the resolver kept for this platform is part of the build.
        let mut packages: Vec<_> = metadata.packages.iter().filter(|p| resolved.is_empty() || resolved.contains_key(&p.id)).collect();
        packages.sort_by(|a, b| (&a.name, &a.version, &a.id).cmp(&(&b.name, &b.version, &b.id)));
        let index: HashMap<_, usize> = packages.iter().enumerate().map(|(n, p)| (&p.id, n)).collect();

        let nodes = packages.iter().map(|package| {
            let key = (package.name.to_string(), package.version.to_string());
            let mut node = Node {
                crates_io: package.source.as_ref().is_some_and(cargo_metadata::Source::is_crates_io),
                macro_root: None,
                roots: package.targets.iter().map(|target| (target.name.replace('-', "_"), target.src_path.clone().into())).collect(),
                script_root: None,
                member: members.contains(&package.id),
                build_script: false,
                proc_macro: None,
                library: None,
                others: Vec::new(),
                needs: resolved
                    .get(&package.id)
                    .map(|node| node.deps.iter().filter_map(|dep| index.get(&dep.pkg).copied()).collect())
                    .unwrap_or_default(),
                package: Package {
                    source: package.source.as_ref().map(|source| source.repr.clone()),
                    checksum: package
                        .source
                        .as_ref()
                        .and_then(|source| checksums.get(&(key.0.clone(), key.1.clone(), source.repr.clone())).cloned()),
                    manifest_dir: package.manifest_path.parent().map(|dir| dir.as_std_path().to_path_buf()),
                    name: key.0,
                    version: key.1,
                },
            };
            for target in &package.targets {
                let name = target.name.replace('-', "_");
                if target.kind.contains(&TargetKind::CustomBuild) {
                    node.build_script = true;
                    node.script_root = Some(target.src_path.clone().into());
                } else if target.kind.contains(&TargetKind::ProcMacro) {
                    node.proc_macro = Some(name);
                    node.macro_root = Some(target.src_path.clone().into_std_path_buf());
                } else if target.kind.iter().any(|k| {
                    matches!(k, TargetKind::Lib | TargetKind::RLib | TargetKind::DyLib | TargetKind::CDyLib | TargetKind::StaticLib)
                }) {
                    node.library = Some(name);
                } else {
                    node.others.push(name);
                }
            }
            node
        });
        let nodes = nodes.collect();
        Graph { nodes, lines, workspace, cargo_home: None }
    }

    /// Tells where cargo unpacks sources, so that paths there name packages the graph does not hold (`cargo install`).
    pub fn with_cargo_home(mut self, cargo_home: &Path) -> Graph {
        self.cargo_home = Some(cargo_home.to_path_buf());
        self
    }

    /// The package as the graph knows it (source and checksum included).
    pub fn package(&self, name: &str, version: &str) -> Option<Package> {
        self.nodes.iter().find(|n| n.package.name == name && n.package.version == version).map(|n| n.package.clone())
    }

    /// The package whose manifest lies in this directory.
    pub fn package_in(&self, dir: &Path) -> Option<Package> {
        let real = dir.canonicalize().ok();
        let is_it = |other: &PathBuf| other == dir || real.is_some() && other.canonicalize().ok() == real;
        let name = |node: &&Node| node.package.manifest_dir.as_ref().is_some_and(|other| other.file_name() == dir.file_name());
        // Mostly it is called the same: the others are looked at only where that is not so.
        let all = || self.nodes.iter().filter(|node| node.package.manifest_dir.as_ref().is_some_and(is_it));
        let found =
            self.nodes.iter().filter(name).find(|node| node.package.manifest_dir.as_ref().is_some_and(is_it)).or_else(|| all().next());
        found.map(|node| node.package.clone())
    }

    /// The file its build script starts from, or its macro.
    pub fn root_of(&self, name: &str, version: &str, script: bool) -> Option<PathBuf> {
        let mut nodes = self.nodes.iter().filter(|node| node.package.name == name && node.package.version == version);
        nodes.find_map(|node| if script { node.script_root.clone() } else { node.macro_root.clone() })
    }

    /// Packages that have a target whose compilation starts from this file: one, but where two share a file.
    pub fn owners_of_root(&self, root: &Path) -> Vec<Package> {
        let real = root.canonicalize().ok();
        let is_it = |other: &PathBuf| other == root || real.is_some() && other.canonicalize().ok() == real;
        self.nodes.iter().filter(|node| node.roots.iter().any(|(_, root)| is_it(root))).map(|node| node.package.clone()).collect()
    }

    /// Packages whose crate symbols spell this way, libraries first; with `near`, those that it can reach, if any.
    pub fn package_of_crate(&self, crate_name: &str, near: Option<&Package>) -> Vec<Package> {
        let reach = near.and_then(|near| self.reach(near));
        if matches!(crate_name, "build_script_build" | "build_script_main") {
            return near.cloned().into_iter().collect();
        }
        let library = |n: &Node| [&n.library, &n.proc_macro].iter().any(|name| name.as_deref() == Some(crate_name));
        let other = |n: &Node| n.others.iter().any(|name| name == crate_name);
        let find = |is: &dyn Fn(&Node) -> bool| -> Vec<usize> { (0..self.nodes.len()).filter(|&n| is(&self.nodes[n])).collect() };
        let mut found = find(&library);
        if found.is_empty() {
            found = find(&other);
        }
        if let Some(reach) = reach.filter(|reach| found.iter().any(|n| reach.contains(n))) {
            found.retain(|n| reach.contains(n));
        }
        found.into_iter().map(|n| self.nodes[n].package.clone()).collect()
    }

    /// The node and everything it needs, directly or not.
    fn reach(&self, from: &Package) -> Option<HashSet<usize>> {
        let start = self.nodes.iter().position(|n| n.package.name == from.name && n.package.version == from.version)?;
        Some(self.reach_of(start))
    }

    pub(super) fn reach_of(&self, start: usize) -> HashSet<usize> {
        let mut reached = HashSet::from([start]);
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            open.extend(self.nodes[at].needs.iter().copied().filter(|&next| reached.insert(next)));
        }
        reached
    }

    /// The package of a loaded macro, `lib<crate>-<hash>.so`: by the compilation that was seen to write it (`seen`: artifact → package,
    /// see `Identity::artifact`); else by the sources its dep-info names; else by its crate name, when only one macro has that.
    pub fn macro_of_object(&self, path: &Path, seen: &HashMap<String, Package>) -> Option<Package> {
        let stem = path.file_name()?.to_str()?.strip_prefix("lib")?.strip_suffix(".so")?;
        if let Some(package) = seen.get(stem) {
            return Some(self.package(&package.name, &package.version).unwrap_or_else(|| package.clone()));
        }
        if let Some(package) = self.owner_by_dep_info(&path.with_file_name(format!("{stem}.d"))) {
            return Some(package);
        }
        let crate_name = crate_of_file(path.file_name()?.to_str()?)?;
        let mut macros = self.nodes.iter().filter(|n| n.proc_macro.as_deref() == Some(crate_name));
        let only = macros.next()?;
        macros.next().is_none().then(|| only.package.clone())
    }

    /// The package of the crate root that a dep-info file names.
    fn owner_by_dep_info(&self, file: &Path) -> Option<Package> {
        let root = clean(&self.workspace.join(root_of_dep_info(file)?));
        if let Some(package) = self.cargo_home.as_ref().and_then(|home| registry_package(&root, home)) {
            return Some(self.package(&package.name, &package.version).unwrap_or(package));
        }
        let holds = |n: &&Node| n.package.manifest_dir.as_ref().is_some_and(|dir| root.starts_with(dir));
        let deepest =
            self.nodes.iter().filter(holds).max_by_key(|n| n.package.manifest_dir.as_ref().map(|dir| dir.components().count()))?;
        Some(deepest.package.clone())
    }

    /// Packages that come from elsewhere: from a registry, or by git.
    pub fn foreign(&self) -> impl Iterator<Item = &Package> {
        self.nodes.iter().map(|node| &node.package).filter(|package| package.source.is_some())
    }

    /// Packages whose code runs at build time: a build script, or a macro.
    /// With whether it is a build script.
    pub fn code_at_build(&self) -> impl Iterator<Item = (&Package, bool)> {
        self.nodes.iter().filter(|node| node.build_script || node.proc_macro.is_some()).map(|node| (&node.package, node.build_script))
    }

    /// Is it not in the lock file any more? Where there is no lock file, nothing has left it.
    pub fn has_left(&self, package: &Package) -> bool {
        !self.lines.is_empty() && !self.lines.contains_key(&(package.name.clone(), package.version.clone()))
    }

    /// `Cargo.lock:LINE` of the package's `version =` line.
    pub fn lock_location(&self, name: &str, version: &str) -> Option<String> {
        self.lines.get(&(name.to_owned(), version.to_owned())).map(|line| format!("Cargo.lock:{line}"))
    }
}

type Key = (String, String);
/// Two registries may have a package of one name and version: each has its own checksum.
type Sourced = (String, String, String);

/// Lines of `version =`, by name and version; checksums by the source as well. Read line by line, as cargo writes it, because TOML parsers keep no lines.
fn read_lock(text: &str) -> (HashMap<Key, usize>, HashMap<Sourced, String>) {
    let (mut lines, mut checksums) = (HashMap::new(), HashMap::new());
    let (mut name, mut source) = (None, None);
    let mut key: Option<Key> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let value = |of: &str| line.strip_prefix(of)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned);
        if line.starts_with('[') {
            (name, key, source) = (None, None, None);
        } else if let Some(found) = value("name") {
            name = Some(found);
        } else if let Some(version) = value("version") {
            key = name.take().map(|name| (name, version));
            // Two sources of one version: the first stands for both.
            if let Some(key) = &key {
                lines.entry(key.clone()).or_insert(number);
            }
        } else if let Some(found) = value("source") {
            source = Some(found);
        } else if let (Some(checksum), Some(key), Some(source)) = (value("checksum"), &key, &source) {
            checksums.insert((key.0.clone(), key.1.clone(), source.clone()), checksum);
        }
    }
    (lines, checksums)
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
