//! The directories a run is about: workspace, target, toolchain and whatever else profiles and reports name.

use std::path::{Path, PathBuf};

use crate::judge::paths::{below, is_ancestor};
use crate::judge::second_paths::SecondPaths;

/// The directories this run is about, resolved to real paths once. Placeholders in profiles and normalised paths in reports come from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// What cargo calls a place, where a link leads to it, and its real path: the narrower places first.
    pub names: Vec<(PathBuf, PathBuf)>,
    pub workspace: Option<PathBuf>,
    pub target: PathBuf,
    /// Where intermediate results go: the target directory, unless `build.build-dir` says otherwise.
    pub build: PathBuf,
    pub toolchain: PathBuf,
    pub cargo_home: PathBuf,
    pub rustup_home: Option<PathBuf>,
    pub home: Option<PathBuf>,
    /// The run's private temporary directory; each actor has its own below it.
    pub tmp: PathBuf,
    /// Where reports go; never writable from inside.
    pub report_dir: PathBuf,
    /// Where what cargo said of the graph is remembered.
    pub memory: Option<PathBuf>,
    /// Directories of the workspace's own packages, wherever they lie.
    pub members: Vec<PathBuf>,
    /// Path packages outside the workspace.
    pub packages: Vec<PathBuf>,
    /// Files through which a step of a CI job commands the next ones (`GITHUB_ENV` …), from cargo's environment.
    pub ci_files: Vec<PathBuf>,
    /// Directories of the user's `PATH` (see `plan::placeholders::path_dirs`).
    pub path_dirs: Vec<PathBuf>,
    /// What the programs in them need elsewhere (see `plan::installed`).
    pub installed: Vec<PathBuf>,
    /// Programs and directories a link needs to run (see `plan::placeholders::linkers`).
    pub linkers: Vec<PathBuf>,
    /// Sockets of agents, as cargo's environment names them (`SSH_AUTH_SOCK` …).
    pub agents: Vec<PathBuf>,
    /// Other paths to these.
    pub second: SecondPaths,
}

impl Places {
    /// Where cargo leaves results: the target directory, and the build directory where it is another one.
    pub fn results(&self) -> impl Iterator<Item = &PathBuf> {
        let apart = self.build != self.target && self.build.is_absolute();
        std::iter::once(&self.target).chain(apart.then_some(&self.build))
    }

    /// What is left of `path` below the directory of results it lies in.
    pub fn result<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        // The build directory may lie in the target directory, or the other way round: no rest matters that much.
        self.results().find_map(|tree| below(path, tree))
    }

    /// Cargo names paths as they were typed, and a link may lead to a place: the same path by the place's real name. Links inside the place are not
    /// followed, as somebody in the build may have put them there.
    pub fn by_real_name(&self, path: &Path) -> PathBuf {
        let found = self.names.iter().find_map(|(name, real)| Some((real, path.strip_prefix(name).ok()?)));
        found.map_or_else(|| path.to_owned(), |(real, rest)| if rest.as_os_str().is_empty() { real.clone() } else { real.join(rest) })
    }

    /// Where an actor keeps temporary files; cargo's own is number 0. All are of one length: `TMPDIR` is rewritten in place on a stack.
    pub fn tmp_of(tmp: &Path, id: u32) -> PathBuf {
        tmp.join(format!("{id:08}"))
    }

    /// Cargo's own temporary directory, which no actor may write to.
    pub fn cargos_tmp(&self) -> PathBuf {
        Places::tmp_of(&self.tmp, 0)
    }

    /// In a tree that a repository or a package brought along, or that the build writes to.
    pub fn is_of_the_build(&self, path: &Path) -> bool {
        let caches = ["registry", "git"].map(|dir| self.cargo_home.join(dir));
        let trees = self.workspace.iter().chain(self.results()).chain(&self.packages).chain([&self.tmp]);
        trees.chain(&caches).any(|tree| tree.is_absolute() && path.starts_with(tree))
    }

    /// Is `tree` of no place of the user's own, and is there one in it: a workspace in `/dev/shm`, say? Who grants such a tree means the rest of it.
    pub fn is_around(&self, tree: &Path) -> bool {
        let is_root = tree.parent().is_none();
        !is_root && !self.own().any(|place| tree.starts_with(place)) && self.own().any(|place| place.starts_with(tree))
    }

    /// Does the grant of such a tree end before `path`, which lies in that place, or is a directory above it, whose move would move it?
    pub fn ends(&self, tree: &Path, path: &[u8]) -> bool {
        let meets = |place: &PathBuf| below(path, place).is_some() || is_ancestor(path, place);
        self.is_around(tree) && self.own().any(meets)
    }

    /// What nobody is given by the grant of a tree it happens to lie in.
    fn own(&self) -> impl Iterator<Item = &PathBuf> {
        let places = self.workspace.iter().chain(&self.packages).chain(&self.members).chain(self.results()).chain(&self.home);
        let places = places.chain([&self.cargo_home, &self.toolchain, &self.tmp, &self.report_dir]).chain(&self.rustup_home);
        places.filter(|place| place.parent().is_some())
    }

    /// The trees a build works on (not home, not the registry).
    pub fn all(&self) -> impl Iterator<Item = &PathBuf> {
        let trees = self.workspace.iter().chain(self.results()).chain([&self.toolchain, &self.tmp]).chain(&self.packages);
        trees.filter(|place| place.is_absolute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_around_a_place_ends_there() {
        let places = Places { workspace: Some("/dev/shm/a/ws".into()), home: Some("/home/u".into()), ..Places::default() };
        for (tree, path, ends) in [
            ("/dev/shm", "/dev/shm/segment", false),
            ("/dev/shm", "/dev/shm/b/ws", false),
            ("/dev/shm", "/dev/shm/a/ws/src/lib.rs", true),
            ("/dev/shm", "/dev/shm/a", true),
            ("/dev/shm", "/dev/shm/a/other", false),
            ("/dev/shm/a/ws", "/dev/shm/a/ws/src", false),
            ("/dev/shm/a/ws/out", "/dev/shm/a/ws/out/x", false),
            ("/home/u/shared", "/home/u/shared/x", false),
            ("/", "/home/u/x", false),
        ] {
            assert_eq!(places.ends(Path::new(tree), path.as_bytes()), ends, "{tree} {path}");
        }
    }
}
