//! What the report asks of the build graph. `attribute` answers it; tests answer it from a table.

use crate::model::{Actor, Blame, Hostile, Package};

pub trait Who {
    /// Why a package is in the graph: from a workspace member down to it, one `name version` each. Empty when unknown.
    fn why(&self, name: &str, version: &str) -> Vec<String>;

    /// The same through all of these packages to the last of them.
    fn way(&self, packages: &[Package]) -> Vec<String>;

    /// Is it a member of the workspace?
    fn is_member(&self, package: &Package) -> bool;

    /// Does the one need the other, by whatever way?
    fn needs(&self, package: &Package, other: &Package) -> bool;

    /// Who needs the package without another in between, of all that `within` is built of.
    fn dependents(&self, package: &Package, within: &Package) -> Vec<Package>;

    /// The package a symbol's crate name (`chrono_anchor`) belongs to, if exactly one does.
    fn package_of_crate(&self, crate_name: &str) -> Option<Package>;

    /// The package of a proc-macro, by the `.so` it was loaded from.
    fn macro_of_object(&self, object: &Hostile) -> Option<Package>;

    /// `Cargo.lock:1204`; of a package whose sources are the repository's, the line in them: `dep/build.rs:7`.
    fn location(&self, package: &Package, actor: &Actor, blame: Option<&Blame>) -> Option<String>;

    /// `Cargo.lock:1204`: where the package stands in the lock file, whoever it is.
    fn lock_location(&self, name: &str, version: &str) -> Option<String>;
}

/// Before the graph was read: nothing is known.
pub struct Nobody;

impl Who for Nobody {
    fn why(&self, _name: &str, _version: &str) -> Vec<String> {
        Vec::new()
    }
    fn way(&self, _packages: &[Package]) -> Vec<String> {
        Vec::new()
    }
    fn is_member(&self, _package: &Package) -> bool {
        false
    }
    fn needs(&self, _package: &Package, _other: &Package) -> bool {
        false
    }
    fn dependents(&self, _package: &Package, _within: &Package) -> Vec<Package> {
        Vec::new()
    }
    fn package_of_crate(&self, _crate_name: &str) -> Option<Package> {
        None
    }
    fn macro_of_object(&self, _object: &Hostile) -> Option<Package> {
        None
    }
    fn location(&self, _package: &Package, _actor: &Actor, _blame: Option<&Blame>) -> Option<String> {
        None
    }
    fn lock_location(&self, _name: &str, _version: &str) -> Option<String> {
        None
    }
}
