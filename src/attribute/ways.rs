//! Ways through the build graph: who needs whom, and on which way one comes from the workspace to a package.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::graph::Graph;
use crate::model::Package;

impl Graph {
    /// The shortest path from a workspace member to the package, as `name version`; empty when it is not in the graph.
    pub fn why(&self, name: &str, version: &str) -> Vec<String> {
        let is_wanted = |n: usize| self.nodes[n].package.name == name && self.nodes[n].package.version == version;
        self.told(&self.shortest(self.members(), is_wanted))
    }

    /// From a workspace member to the first of these packages and on through the others to the last, each needing the next. Where that is no way, the
    /// shortest to the last.
    pub fn way(&self, packages: &[Package]) -> Vec<String> {
        let [first, rest @ ..] = packages else { return Vec::new() };
        let straight = || packages.last().map(|last| self.why(&last.name, &last.version)).unwrap_or_default();
        let Some(start) = self.place(first) else { return straight() };
        let mut way = self.shortest(self.members(), |n| n == start);
        for next in rest {
            let (Some(from), Some(to)) = (way.last().copied(), self.place(next)) else { return straight() };
            let leg = self.shortest(std::iter::once(from), |n| n == to);
            if leg.is_empty() {
                return straight();
            }
            way.extend(leg.into_iter().skip(1));
        }
        self.told(&way)
    }

    pub fn is_member(&self, package: &Package) -> bool {
        self.place(package).is_some_and(|place| self.nodes[place].member)
    }

    /// Does the one need the other, by whatever way?
    pub fn needs(&self, package: &Package, other: &Package) -> bool {
        match (self.place(package), self.place(other)) {
            (Some(package), Some(other)) => package != other && self.reach_of(package).contains(&other),
            _ => false,
        }
    }

    /// Does it need one of these, by name and version?
    pub fn needs_any(&self, package: &Package, others: &HashSet<(String, String)>) -> bool {
        let Some(place) = self.place(package) else { return false };
        let is_other = |n: &usize| {
            let package = &self.nodes[*n].package;
            *n != place && others.contains(&(package.name.clone(), package.version.clone()))
        };
        self.reach_of(place).iter().any(is_other)
    }

    /// Who needs the package without another in between, of all that `within` is built of.
    pub fn dependents(&self, package: &Package, within: &Package) -> Vec<Package> {
        let (Some(place), Some(start)) = (self.place(package), self.place(within)) else { return Vec::new() };
        let reached = self.reach_of(start);
        let all = self.nodes.iter().enumerate().filter(|(n, node)| reached.contains(n) && node.needs.contains(&place));
        all.map(|(_, node)| node.package.clone()).collect()
    }

    fn place(&self, package: &Package) -> Option<usize> {
        self.nodes.iter().position(|node| node.package.name == package.name && node.package.version == package.version)
    }

    fn members(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|n| self.nodes[*n].member)
    }

    fn told(&self, way: &[usize]) -> Vec<String> {
        way.iter().map(|n| format!("{} {}", self.nodes[*n].package.name, self.nodes[*n].package.version)).collect()
    }

    /// From one of these to the one that is wanted, both included; nothing where no way leads there.
    fn shortest(&self, from: impl Iterator<Item = usize>, is_wanted: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut queue: VecDeque<usize> = from.collect();
        let mut came_from: BTreeMap<usize, Option<usize>> = queue.iter().map(|n| (*n, None)).collect();
        while let Some(at) = queue.pop_front() {
            if is_wanted(at) {
                let mut way: Vec<usize> = std::iter::successors(Some(at), |n| came_from.get(n).copied().flatten()).collect();
                way.reverse();
                return way;
            }
            for &next in &self.nodes[at].needs {
                came_from.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    Some(at)
                });
            }
        }
        Vec::new()
    }
}
