//! Places outside the workspace that manifests and cargo's configuration name: path packages, overrides, vendored sources, repositories, programs. In: the
//! files cargo reads. Out: real paths that cargo may be let into for reading.
//!
//! A repository writes these files. What it names is granted only where it is a place for sources: no home, nothing above one, nothing in a
//! hidden directory at home.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::places::real;
use super::reals::Reals;
use super::{cargo_files, file_url};
use crate::attribute::source::read_text;

/// Larger manifests are nobody's.
const MOST: u64 = 4 << 20;
/// Files read on the way from one to the next.
const FILES: usize = 4_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Directories of sources.
    pub trees: BTreeSet<PathBuf>,
    /// Programs and certificates.
    pub files: BTreeSet<PathBuf>,
    /// A manifest names a package that is no path: it comes from a registry, or from git.
    pub fetches: bool,
    /// `install.root`.
    pub install_root: Option<PathBuf>,
}

/// Where to look.
pub struct Ground<'a> {
    pub workspace: Option<&'a Path>,
    /// Directories of the workspace's packages.
    pub members: &'a [PathBuf],
    pub home: Option<&'a Path>,
    pub cargo_home: &'a Path,
    /// Where cargo was started.
    pub here: &'a Path,
    /// Values of `--config`.
    pub typed: &'a [OsString],
}

impl Ground<'_> {
    /// May cargo be let in here because a file says so?
    fn admits(&self, place: &Path) -> bool {
        let Some(home) = self.home else { return place.parent().is_some() };
        let hidden = |rest: &Path| rest.iter().next().is_none_or(|first| first.as_encoded_bytes().starts_with(b"."));
        let in_cargos = self.cargo_home.is_absolute() && ["registry", "git"].iter().any(|dir| place.starts_with(self.cargo_home.join(dir)));
        place.parent().is_some() && !home.starts_with(place) && (in_cargos || place.strip_prefix(home).map_or(true, |rest| !hidden(rest)))
    }

    fn known(&self, place: &Path) -> bool {
        self.workspace.is_some_and(|workspace| place.starts_with(workspace))
    }
}

pub fn find(ground: &Ground) -> Named {
    let mut named = Named::default();
    let mut manifests: Vec<PathBuf> = ground.members.iter().cloned().chain(ground.workspace.map(Path::to_owned)).collect();
    for configuration in configurations(ground) {
        named.trees.extend(repositories(&configuration.table).filter(|place| ground.admits(place)));
        configured(ground, &configuration, &mut named, &mut manifests);
    }
    let (mut seen, mut reals) = (BTreeSet::new(), Reals::default());
    while let Some(dir) = manifests.pop().filter(|_| seen.len() < FILES) {
        if !seen.insert(dir.clone()) {
            continue;
        }
        let Some(table) = read(&dir.join("Cargo.toml")) else { continue };
        if !ground.known(&dir) && ground.admits(&dir) {
            named.trees.insert(dir.clone());
        }
        named.fetches |= fetches(&table);
        named.trees.extend(repositories(&table).filter(|place| ground.admits(place)));
        let mut found: BTreeSet<PathBuf> =
            paths_of(&table).map(|path| reals.of(&dir, &path).unwrap_or_else(|| real(dir.join(path)))).collect();
        if !ground.known(&dir) {
            found.extend(inherited(&dir, &table));
        }
        manifests.extend(found.into_iter().filter(|path| !seen.contains(path) && (ground.known(path) || ground.admits(path))));
    }
    named
}

fn read(path: &Path) -> Option<Table> {
    read_text(path, MOST)?.parse().ok()
}

/// Every `path` of a dependency, a patch, a replacement; and `package.workspace`.
fn paths_of(manifest: &Table) -> impl Iterator<Item = PathBuf> {
    let mut found = Vec::new();
    let mut dependencies = |table: &Table| {
        for (name, value) in table {
            let kinds = ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies", "replace"];
            let Some(value) = value.as_table().filter(|_| kinds.contains(&name.as_str())) else { continue };
            found.extend(value.values().filter_map(path_of));
        }
    };
    dependencies(manifest);
    for (name, value) in manifest {
        let Some(table) = value.as_table() else { continue };
        match name.as_str() {
            "workspace" => dependencies(table),
            "target" => table.values().filter_map(Value::as_table).for_each(&mut dependencies),
            _ => {}
        }
    }
    let patches = manifest.get("patch").and_then(Value::as_table).into_iter().flat_map(Table::values).filter_map(Value::as_table);
    found.extend(patches.flat_map(Table::values).filter_map(path_of));
    let root = manifest.get("package").and_then(|package| package.get("workspace")).and_then(Value::as_str);
    found.extend(root.map(PathBuf::from));
    found.into_iter()
}

/// Paths of dependencies that a manifest takes from a workspace of its own, the nearest above it: only of those that it takes.
fn inherited(dir: &Path, manifest: &Table) -> Vec<PathBuf> {
    let takes = |(name, value): (&String, &Value)| (value.get("workspace").and_then(Value::as_bool) == Some(true)).then(|| name.clone());
    let tables = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let dependencies = tables.chain([manifest]).flatten().filter(|(name, _)| name.ends_with("dependencies"));
    let names: BTreeSet<String> = dependencies.filter_map(|(_, value)| value.as_table()).flatten().filter_map(takes).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let named = manifest.get("package").and_then(|package| package.get("workspace")).and_then(Value::as_str).map(|path| dir.join(path));
    let mut above = named.into_iter().chain(dir.ancestors().map(Path::to_owned));
    let root = above.find_map(|above| Some((above.clone(), read(&above.join("Cargo.toml"))?.get("workspace")?.clone())));
    let Some((root, workspace)) = root else { return Vec::new() };
    let path = |name: &String| path_of(workspace.get("dependencies")?.get(name)?);
    names.iter().filter_map(path).map(|path| real(root.join(path))).collect()
}

/// Repositories of packages and registries that lie on this machine. A registry's packages lie beside its index.
fn repositories(table: &Table) -> std::vec::IntoIter<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<&Table> = vec![table];
    while let Some(table) = open.pop() {
        for (key, value) in table {
            let place = value.as_str().and_then(|text| file_url::path_of(text.as_bytes())).filter(|path| path.is_absolute()).map(real);
            match (key.as_str(), place) {
                ("git", Some(place)) => found.push(place),
                ("index" | "registry", Some(place)) => found.extend(place.parent().map(Path::to_owned)),
                _ => open.extend(value.as_table()),
            }
        }
    }
    found.into_iter()
}

/// Does it need anything that is no path? (An inherited dependency stands in the workspace's own manifest as well.)
fn fetches(manifest: &Table) -> bool {
    let of = |(name, value): (&String, &Value)| match value {
        Value::Table(table) if name.ends_with("dependencies") => {
            table.values().any(|one| one.get("path").is_none() && one.get("workspace").is_none())
        }
        Value::Table(table) => matches!(name.as_str(), "target" | "workspace") && deeper(table),
        _ => false,
    };
    fn deeper(table: &Table) -> bool {
        fetches(table) || table.values().filter_map(Value::as_table).any(fetches)
    }
    manifest.iter().any(of)
}

fn path_of(dependency: &Value) -> Option<PathBuf> {
    Some(dependency.get("path")?.as_str()?.into())
}

/// One of cargo's configuration files, or what was typed in place of one.
struct Configuration {
    file: Option<PathBuf>,
    /// Where its relative paths start from.
    base: PathBuf,
    table: Table,
}

/// All of them, `include`s among them.
fn configurations(ground: &Ground) -> Vec<Configuration> {
    let mut open: Vec<PathBuf> = cargo_files::all(ground.here, ground.cargo_home).collect();
    let mut found = Vec::new();
    for typed in ground.typed.iter().filter_map(|typed| typed.to_str()) {
        match typed.parse::<Table>() {
            Ok(table) => found.push(Configuration { file: None, base: ground.here.to_owned(), table }),
            Err(_) => open.push(ground.here.join(typed)),
        }
    }
    let mut seen = BTreeSet::new();
    while let Some(file) = open.pop().filter(|_| seen.len() < FILES) {
        let Some(dir) = file.parent().map(Path::to_owned).filter(|_| seen.insert(file.clone())) else { continue };
        let Some(table) = cargo_files::read(&file) else { continue };
        open.extend(cargo_files::includes(&table).into_iter().map(|path| dir.join(path)));
        // A path in a configuration file is relative to the directory that holds `.cargo`.
        let base = if dir.file_name().is_some_and(|name| name == ".cargo") { dir.parent().unwrap_or(&dir).to_owned() } else { dir };
        found.push(Configuration { file: Some(file), base, table });
    }
    found
}

fn configured(ground: &Ground, configuration: &Configuration, named: &mut Named, manifests: &mut Vec<PathBuf>) {
    let Configuration { file, base: dir, table } = configuration;
    let mut tree = |path: &str| {
        let path = real(dir.join(path));
        if !ground.known(&path) && ground.admits(&path) {
            named.trees.insert(path);
        }
    };
    table.get("paths").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).for_each(&mut tree);
    for source in table.get("source").and_then(Value::as_table).into_iter().flat_map(Table::values) {
        ["directory", "local-registry"].iter().filter_map(|kind| source.get(kind)?.as_str()).for_each(&mut tree);
    }
    manifests.extend(paths_of(table).map(|path| real(dir.join(path))).filter(|path| ground.admits(path)));
    let section = |name: &str| table.get(name).and_then(Value::as_table);
    let targets =
        section("target").into_iter().flat_map(Table::values).flat_map(|target| ["linker", "runner", "ar"].map(|key| target.get(key)));
    let build = ["rustc", "rustdoc"].map(|key| section("build").and_then(|build| build.get(key)));
    let first_word = |value: &Value| match value {
        Value::String(text) => text.split_whitespace().next().map(str::to_owned),
        Value::Array(words) => words.first()?.as_str().map(str::to_owned),
        _ => None,
    };
    let programs = targets.chain(build).flatten().filter_map(first_word).filter(|word| word.contains('/'));
    named.files.extend(programs.map(|word| real(dir.join(word))).filter(|path| is_program(path)));
    // Cargo asks of an included file that it be called so; what lies in its usual place is granted by its own name.
    let file = file.iter().filter(|file| file.extension().is_some_and(|extension| extension == "toml")).cloned();
    let certificates = section("http").and_then(|http| http.get("cainfo")).and_then(Value::as_str).map(|path| dir.join(path));
    let certificates = certificates.filter(|_| dir == ground.cargo_home);
    named.files.extend(file.chain(certificates).map(real).filter(|path| path.is_file() && ground.admits(path)));
    let root = section("install").and_then(|install| install.get("root")).and_then(Value::as_str);
    named.install_root = named.install_root.take().or(root.map(|root| dir.join(root)));
}

/// A regular file with an execute bit: no start-up file and no key is one.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_name_is_found_and_no_home_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        let write = |path: &str, text: &str| {
            std::fs::create_dir_all(home.join(path).parent().unwrap()).unwrap();
            std::fs::write(home.join(path), text).unwrap();
        };
        write(
            "ws/Cargo.toml",
            "[dependencies]\na = { path = '../a' }\nmember = { path = '../other/member' }\nhome = { path = '..' }\nkeys = { path = '../.ssh' }\n[patch.crates-io]\nb = { path = '../b' }",
        );
        let there = home.display();
        write(
            "a/Cargo.toml",
            &format!(
                "[target.'cfg(unix)'.dev-dependencies]\nc = {{ path = '../deep/c' }}\n\
                 g = {{ git = 'file://{there}/forge/g' }}\nh = {{ git = 'file://{there}/.ssh' }}\ni = {{ git = 'https://there/forge/i' }}"
            ),
        );
        // A member of another workspace takes one of two from it, and one that is no place for sources.
        write("other/member/Cargo.toml", "[dependencies]\ntaken.workspace = true\nkeys = { workspace = true }");
        write(
            "other/Cargo.toml",
            "[workspace.dependencies]\ntaken = { path = 'taken' }\nleft = { path = 'left' }\nkeys = { path = '../.ssh' }",
        );
        for empty in [
            "b/Cargo.toml",
            "other/taken/Cargo.toml",
            "other/left/Cargo.toml",
            "deep/c/Cargo.toml",
            ".ssh/Cargo.toml",
            "Cargo.toml",
            "over/Cargo.toml",
            "vendor/x/Cargo.toml",
            "never/Cargo.toml",
        ] {
            write(empty, "");
        }
        write(
            "ws/.cargo/config.toml",
            &format!("paths = ['../over']\ninclude = 'more.toml'\n[registries.r]\nindex = 'file://{there}/r/index'"),
        );
        write(
            "ws/.cargo/more.toml",
            "[source.vendored]\ndirectory = '../../vendor'\n[target.x]\nlinker = '/usr/bin/env'\nrunner = '/etc/passwd'",
        );
        let ws = home.join("ws");
        let members = [ws.clone()];
        let ground =
            Ground { workspace: Some(&ws), members: &members, home: Some(&home), cargo_home: &home.join(".cargo"), here: &ws, typed: &[] };
        let named = find(&ground);
        let trees: Vec<_> = ["a", "b", "deep/c", "over", "forge/g", "r", "other/member", "other/taken"].map(|name| home.join(name)).into();
        assert!(trees.iter().all(|tree| named.trees.contains(tree)), "{named:?}");
        assert!([".ssh", "", "never", "other", "other/left"].iter().all(|name| !named.trees.contains(&home.join(name))), "{named:?}");
        assert!(named.files.contains(&real("/usr/bin/env".into())) && !named.files.contains(Path::new("/etc/passwd")), "{named:?}");
    }
}
