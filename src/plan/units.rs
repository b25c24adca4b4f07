//! Code of others that runs at build time: build scripts and macros of packages that come from elsewhere. In: what cargo said of the graph, the lock file. Out:
//! units, each pinned by what cargo has locked it by. Of the graph only the few words are read that tell it: this is done before every build.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Deserialize;

use crate::baseline::Unit;
use crate::model::ActorKind;
use crate::plan::exceptions::lock::{Locked, Package};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    packages: Vec<Listed<'a>>,
    #[serde(borrow)]
    resolve: Option<Resolve<'a>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    targets: Vec<Target<'a>>,
}

#[derive(Deserialize)]
struct Target<'a> {
    #[serde(borrow)]
    kind: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Resolve<'a> {
    #[serde(borrow)]
    nodes: Vec<Node<'a>>,
}

#[derive(Deserialize)]
struct Node<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    features: Vec<Cow<'a, str>>,
}

/// All units with their features; nothing where the graph cannot be read.
pub fn of(graph: &str, locked: &Locked) -> Option<BTreeMap<Unit, BTreeSet<String>>> {
    let answer: Answer = serde_json::from_str(graph).ok()?;
    let nodes: Option<HashMap<&str, &Node>> =
        answer.resolve.as_ref().map(|resolve| resolve.nodes.iter().map(|node| (&*node.id, node)).collect());
    let packages: HashMap<(&str, &str, Option<&str>), &Package> =
        locked.packages.iter().map(|package| ((&*package.name, &*package.version, package.source.as_deref()), package)).collect();
    let mut units = BTreeMap::new();
    for listed in answer.packages.iter().filter(|listed| listed.source.is_some()) {
        let node = nodes.as_ref().and_then(|nodes| nodes.get(&*listed.id));
        if nodes.is_some() && node.is_none() {
            continue;
        }
        let kinds: HashSet<&str> = listed.targets.iter().flat_map(|target| target.kind.iter().map(|kind| &**kind)).collect();
        for (word, kind) in [("custom-build", ActorKind::BuildScript), ("proc-macro", ActorKind::ProcMacro)] {
            if kinds.contains(word) {
                let pin = match packages.get(&(&*listed.name, &*listed.version, listed.source.as_deref())) {
                    Some(package) => pin(package),
                    None => unpinned(listed.source.as_deref()),
                };
                let unit = Unit { name: listed.name.to_string(), kind, version: listed.version.to_string(), pin };
                let features: BTreeSet<String> = node.iter().flat_map(|node| node.features.iter().map(|name| name.to_string())).collect();
                units.insert(unit, features);
            }
        }
    }
    Some(units)
}

/// The units a package of this name and version may be, as the lock file has it: none for one that is nobody else's.
pub fn locked(locked: &Locked, name: &str, version: &str, kind: ActorKind) -> Vec<Unit> {
    let found = locked.which(|other, its| (other, its) == (name, version)).into_iter().filter(|package| package.source.is_some());
    found.map(|package| Unit { name: name.to_owned(), kind, version: version.to_owned(), pin: pin(package) }).collect()
}

/// A registry's checksum, or the commit of a git source.
fn pin(package: &Package) -> String {
    package.checksum.clone().filter(|sum| is_word(sum)).unwrap_or_else(|| unpinned(package.source.as_deref()))
}

/// By the commit, where the source names one; else by the source alone.
fn unpinned(source: Option<&str>) -> String {
    let source = source.unwrap_or_default();
    match source.strip_prefix("git+").and_then(|rest| rest.rsplit_once('#')).map(|(_, commit)| commit) {
        Some(commit) if is_word(commit) => format!("git:{commit}"),
        _ => format!("source:{}", crate::model::digest::hex(source.as_bytes())),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "registry+https://example.org/index";

    fn package(name: &str, source: Option<&str>, checksum: Option<&str>) -> Package {
        Package { name: name.into(), version: "1.0.0".into(), source: source.map(str::to_owned), checksum: checksum.map(str::to_owned) }
    }

    fn graph(packages: &[(&str, &str, &str)]) -> String {
        let listed: Vec<String> = packages
            .iter()
            .map(|(name, source, kind)| {
                let source = if source.is_empty() { "null".to_owned() } else { format!("{source:?}") };
                format!("{{\"id\":\"{name}{kind}\",\"name\":\"{name}\",\"version\":\"1.0.0\",\"source\":{source},\"targets\":[{{\"kind\":[\"lib\"]}},{{\"kind\":[\"{kind}\"]}}]}}")
            })
            .collect();
        let nodes: Vec<String> =
            packages.iter().map(|(name, _, kind)| format!("{{\"id\":\"{name}{kind}\",\"features\":[\"std\"]}}")).collect();
        format!("{{\"packages\":[{}],\"resolve\":{{\"nodes\":[{}]}},\"more\":1}}", listed.join(","), nodes.join(","))
    }

    #[test]
    fn whose_code_runs_and_what_it_is_pinned_by() {
        let git = "git+https://example.org/x?rev=1#00ff11";
        let lock = Locked {
            packages: vec![
                package("a", Some(REGISTRY), Some("aa11")),
                package("b", Some(git), None),
                // Two of one name and version: each has its own.
                package("a", Some("registry+https://example.org/other"), Some("ee55")),
                package("own", None, None),
            ],
        };
        let text = graph(&[
            ("a", REGISTRY, "custom-build"),
            ("a", "registry+https://example.org/other", "proc-macro"),
            ("b", git, "proc-macro"),
            ("own", "", "custom-build"),
            ("plain", REGISTRY, "bin"),
            ("gone", REGISTRY, "custom-build"),
        ]);
        let units = of(&text, &lock).unwrap();
        let told: Vec<_> = units.keys().map(|unit| (unit.name.as_str(), unit.kind, unit.pin.as_str())).collect();
        let unknown = unpinned(Some(REGISTRY));
        assert_eq!(
            told,
            [
                ("a", ActorKind::BuildScript, "aa11"),
                ("a", ActorKind::ProcMacro, "ee55"),
                ("b", ActorKind::ProcMacro, "git:00ff11"),
                ("gone", ActorKind::BuildScript, unknown.as_str()),
            ]
        );
        assert!(units.values().all(|features| features.contains("std")));
        assert_eq!(of("{", &lock), None);
        assert_eq!(locked(&lock, "a", "1.0.0", ActorKind::BuildScript).len(), 2);
        assert!(locked(&lock, "own", "1.0.0", ActorKind::BuildScript).is_empty());
    }
}
