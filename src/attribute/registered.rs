//! Macros of the registry in a build graph: packages that are what their name says, for allows that go by name. In: a graph, a name. Out:
//! the macro's package, and who needs it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::graph::Graph;
use super::source::root_of_dep_info;
use crate::model::Package;

/// A macro and who needs it. For what was reviewed: from the public registry, with everything that is linked into it from there as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    pub package: Package,
    pub crate_name: String,
    /// The file its compilation starts from; no other target of the graph starts there.
    root: PathBuf,
    /// Where cargo starts the compilers of packages that lie below it, with paths from there.
    workspace: PathBuf,
    /// Directories of the manifests of all packages that need it.
    users: HashSet<PathBuf>,
}

impl Graph {
    /// The proc-macros of this name. One that `is_looked_at` does not hold for — it is asked for its name and version, and for those of all
    /// it needs — is left out, and so is one that needs anything from elsewhere than the public registry.
    pub fn registered(&self, name: &str, is_looked_at: impl Fn(&str, &str) -> bool) -> Vec<Registered> {
        let one = |at: usize| {
            let all = self.reach_of(at);
            let good = |n: &usize| self.nodes[*n].crates_io && is_looked_at(&self.nodes[*n].package.name, &self.nodes[*n].package.version);
            if all.iter().all(good) { self.as_macro(at, &all) } else { None }
        };
        (0..self.nodes.len()).filter(|&at| self.nodes[at].package.name == name).filter_map(one).collect()
    }

    /// The proc-macros this holds for, wherever they come from.
    pub fn macros(&self, is: impl Fn(&Package) -> bool) -> Vec<Registered> {
        (0..self.nodes.len()).filter(|at| is(&self.nodes[*at].package)).filter_map(|at| self.as_macro(at, &self.reach_of(at))).collect()
    }

    /// Nothing for what is no proc-macro, and for one whose code another target has as well.
    fn as_macro(&self, at: usize, needs: &HashSet<usize>) -> Option<Registered> {
        let node = &self.nodes[at];
        let (package, crate_name, root) = (node.package.clone(), node.proc_macro.clone()?, node.macro_root.clone()?);
        if self.nodes.iter().flat_map(|node| &node.roots).filter(|(_, other)| *other == root).count() != 1 {
            return None;
        }
        let users = (0..self.nodes.len()).filter(|&n| n != at && !needs.contains(&n) && self.reach_of(n).contains(&at));
        let users = users.filter_map(|n| self.nodes[n].package.manifest_dir.clone()).map(real).collect();
        Some(Registered { package, crate_name, root, workspace: self.workspace.clone(), users })
    }

    /// Does this hold for all packages of that name (of their versions), and do all come from the public registry?
    pub fn are_all(&self, name: &str, holds: impl Fn(&str) -> bool) -> bool {
        self.nodes.iter().filter(|node| node.package.name == name).all(|node| node.crates_io && holds(&node.package.version))
    }
}

impl Registered {
    /// Does the package of this manifest need it?
    pub fn is_needed_by(&self, manifest_dir: &Path) -> bool {
        self.users.contains(&real(manifest_dir.to_owned()))
    }

    /// Is this the manifest's directory of the macro itself?
    pub fn lies_in(&self, manifest_dir: Option<&Path>) -> bool {
        let own = self.package.manifest_dir.clone().map(real);
        own.is_some() && own == manifest_dir.map(|dir| real(dir.to_owned()))
    }

    /// Was this library (`<profile>/deps/lib<crate>-<hash>.so`) built as this macro, by what cargo keeps of it? For one whose compilation
    /// was not seen in this run. The fingerprint is cargo's alone to write; what was compiled is told by the file beside the library.
    pub fn was_built_as(&self, library: &Path) -> bool {
        let stem = library.file_name().and_then(|name| name.to_str()?.strip_prefix("lib")?.strip_suffix(".so"));
        let Some((stem, (_, hash))) = stem.and_then(|stem| Some((stem, stem.rsplit_once('-')?))) else { return false };
        let unit = format!("{}-{hash}", self.package.name);
        let is_kept = library.parent().and_then(Path::parent).is_some_and(|dir| dir.join(".fingerprint").join(unit).is_dir());
        // A path that is not whole starts at the workspace: of packages outside of it, cargo names files by whole paths.
        let root = root_of_dep_info(&library.with_file_name(format!("{stem}.d"))).map(|root| self.workspace.join(root));
        is_kept && root.is_some_and(|root| root.is_absolute() && real(root) == real(self.root.clone()))
    }
}

fn real(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}
