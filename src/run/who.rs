//! The build graph as the report asks for it.

use std::collections::HashMap;

use crate::attribute::Graph;
use crate::model::{Hostile, Package};
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

    fn lock_location(&self, name: &str, version: &str) -> Option<String> {
        self.graph.lock_location(name, version)
    }
}
