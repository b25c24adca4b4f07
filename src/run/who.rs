//! The build graph as the report asks for it.

use std::collections::HashMap;

use crate::attribute::Graph;
use crate::attribute::written::Part;
use crate::model::{Actor, ActorKind, Blame, Candidate, Hostile, Package};
use crate::report::Who;

/// The graph, and the compiler invocations seen in this run.
pub struct Known {
    pub graph: Graph,
    pub artifacts: HashMap<String, Package>,
}

impl Who for Known {
    fn why(&self, name: &str, version: &str) -> Vec<String> {
        self.graph.why(name, version)
    }

    fn way(&self, packages: &[Package]) -> Vec<String> {
        self.graph.way(packages)
    }

    fn is_member(&self, package: &Package) -> bool {
        self.graph.is_member(package)
    }

    fn needs(&self, package: &Package, other: &Package) -> bool {
        self.graph.needs(package, other)
    }

    fn dependents(&self, package: &Package, within: &Package) -> Vec<Package> {
        self.graph.dependents(package, within)
    }

    fn package_of_crate(&self, crate_name: &str) -> Option<Package> {
        match &self.graph.package_of_crate(crate_name, None)[..] {
            [only] => Some(only.clone()),
            // Two versions of one crate: naming either would be a guess.
            _ => None,
        }
    }

    fn macro_of_object(&self, object: &Hostile) -> Option<Package> {
        self.graph.macro_of_object(object.as_path(), &self.artifacts)
    }

    fn location(&self, package: &Package, actor: &Actor, blame: Option<&Blame>) -> Option<String> {
        // Names of crates are those of packages, or of what cargo calls every build script.
        let is_of = |name: &str| name.starts_with("build_script_") || self.package_of_crate(name).is_some_and(|found| found == *package);
        let crates = blame.map(|blame| &blame.crates[..]).unwrap_or_default();
        let of_package = |candidate: &&Candidate| match &candidate.package {
            Some(found) => found.name == package.name && found.version == package.version,
            None => is_of(&candidate.name),
        };
        let functions: Vec<&Hostile> = crates.iter().filter(of_package).filter_map(|candidate| candidate.function.as_ref()).collect();
        // Of a library in somebody else's program, the library.
        let own = actor.package.as_ref().is_some_and(|own| own.name == package.name && own.version == package.version);
        let kind = if own { actor.kind } else { ActorKind::Program };
        let crate_name = actor.crate_name.as_deref().filter(|_| own);
        let part = Part { kind, crate_name, functions: &functions };
        self.graph.written(package, part).or_else(|| self.graph.lock_location(&package.name, &package.version))
    }

    fn lock_location(&self, name: &str, version: &str) -> Option<String> {
        self.graph.lock_location(name, version)
    }
}
