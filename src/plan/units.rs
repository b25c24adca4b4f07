//! Code of others that runs at build time: build scripts and macros of packages that come from elsewhere, and the libraries that are linked into those. In: what
//! cargo said of the graph, the lock file. Out: units and libraries, each pinned by what cargo has locked it by. Of the graph only the few words are read that
//! tell it: this is done before every build.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Deserialize;

use crate::baseline::{Library, Unit};
use crate::model::ActorKind;
use crate::plan::exceptions::lock::{Locked, Package};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    packages: Vec<Listed<'a>>,
    #[serde(borrow)]
    resolve: Option<Resolve<'a>>,
    #[serde(borrow, default)]
    workspace_members: Vec<Cow<'a, str>>,
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
    #[serde(borrow, default)]
    deps: Vec<Dep<'a>>,
}

#[derive(Deserialize)]
struct Dep<'a> {
    #[serde(borrow)]
    pkg: Cow<'a, str>,
    #[serde(borrow, default)]
    dep_kinds: Vec<DepKind<'a>>,
}

#[derive(Deserialize)]
struct DepKind<'a> {
    /// Nothing for what is needed to run.
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
}

impl Dep<'_> {
    fn is(&self, wanted: Option<&str>) -> bool {
        self.dep_kinds.iter().any(|one| one.kind.as_deref() == wanted)
    }
}

/// All code of others that runs at build time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// With their features.
    pub units: BTreeMap<Unit, BTreeSet<String>>,
    /// With whose scripts and macros they are linked into: units, and the workspace's own.
    pub libraries: BTreeMap<Library, BTreeSet<(String, ActorKind)>>,
}

/// Nothing where the graph cannot be read.
pub fn of(graph: &str, locked: &Locked) -> Option<Found> {
    let answer: Answer = serde_json::from_str(graph).ok()?;
    let nodes: Option<HashMap<&str, &Node>> =
        answer.resolve.as_ref().map(|resolve| resolve.nodes.iter().map(|node| (&*node.id, node)).collect());
    let packages: HashMap<(&str, &str, Option<&str>), &Package> =
        locked.packages.iter().map(|package| ((&*package.name, &*package.version, package.source.as_deref()), package)).collect();
    let pin_of = |listed: &Listed| match packages.get(&(&*listed.name, &*listed.version, listed.source.as_deref())) {
        Some(package) => pin(package),
        None => unpinned(listed.source.as_deref()),
    };
    let by_id: HashMap<&str, &Listed> = answer.packages.iter().map(|listed| (&*listed.id, listed)).collect();
    let built = nodes.as_ref().and_then(|nodes| built(&answer.workspace_members, &by_id, nodes));
    let mut found = Found::default();
    for listed in &answer.packages {
        let node = nodes.as_ref().and_then(|nodes| nodes.get(&*listed.id));
        if nodes.is_some() && node.is_none() || built.as_ref().is_some_and(|built| !built.contains(&*listed.id)) {
            continue;
        }
        let kinds: HashSet<&str> = listed.targets.iter().flat_map(|target| target.kind.iter().map(|kind| &**kind)).collect();
        for (word, kind) in [("custom-build", ActorKind::BuildScript), ("proc-macro", ActorKind::ProcMacro)] {
            if kinds.contains(word) {
                if listed.source.is_some() {
                    let unit = Unit { name: listed.name.to_string(), kind, version: listed.version.to_string(), pin: pin_of(listed) };
                    let features = node.iter().flat_map(|node| node.features.iter().map(|name| name.to_string())).collect();
                    found.units.insert(unit, features);
                }
                for linked in linked(&listed.id, kind, &by_id, nodes.as_ref()) {
                    let library = Library { name: linked.name.to_string(), version: linked.version.to_string(), pin: pin_of(linked) };
                    found.libraries.entry(library).or_default().insert((listed.name.to_string(), kind));
                }
            }
        }
    }
    Some(found)
}

/// Packages that cargo would build for the workspace: what only a build script needs that is not there belongs to the graph, and is not built. Nothing where cargo
/// does not say whose workspace it is; then all are.
fn built<'g>(
    members: &'g [Cow<'g, str>],
    by_id: &HashMap<&'g str, &'g Listed<'g>>,
    nodes: &HashMap<&'g str, &'g Node<'g>>,
) -> Option<HashSet<&'g str>> {
    let has_script = |id: &str| {
        by_id.get(id).is_some_and(|listed| listed.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "custom-build")))
    };
    let own: HashSet<&str> = members.iter().map(|id| &**id).collect();
    let (mut seen, mut open) = (HashSet::new(), own.iter().copied().collect::<Vec<&'g str>>());
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let needs = |dep: &&Dep| {
            dep.dep_kinds.is_empty() || dep.is(None) || dep.is(Some("build")) && has_script(id) || dep.is(Some("dev")) && own.contains(id)
        };
        open.extend(nodes.get(id).into_iter().flat_map(|node| &node.deps).filter(needs).map(|dep| &*dep.pkg));
    }
    (!own.is_empty()).then_some(seen)
}

/// What comes from elsewhere and is linked into a package's build script, or its macro. Macros among what it needs run in its compiler: each is a unit of its own.
fn linked<'g>(
    id: &str,
    kind: ActorKind,
    by_id: &HashMap<&'g str, &'g Listed<'g>>,
    nodes: Option<&HashMap<&'g str, &'g Node<'g>>>,
) -> Vec<&'g Listed<'g>> {
    let Some(nodes) = nodes else { return Vec::new() };
    let first = if kind == ActorKind::BuildScript { Some("build") } else { None };
    let needs = |id: &str, kind: Option<&'static str>| {
        let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        deps.filter(move |dep| dep.is(kind)).filter_map(|dep| by_id.get(&*dep.pkg).copied())
    };
    let is_macro = |listed: &Listed| listed.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"));
    let mut seen: HashSet<&str> = HashSet::new();
    let mut open: Vec<&Listed> = needs(id, first).collect();
    let mut all = Vec::new();
    while let Some(listed) = open.pop() {
        if is_macro(listed) || !seen.insert(&listed.id) {
            continue;
        }
        if listed.source.is_some() {
            all.push(listed);
        }
        open.extend(needs(&listed.id, None));
    }
    all
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
        let Found { units, libraries } = of(&text, &lock).unwrap();
        assert!(libraries.is_empty());
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

    /// `given` builds with `cc` and is built from `plain`; `cc` needs `find` and, to be built itself, `other`; `mac` needs `syn`, and `inner`, a macro of its own.
    #[test]
    fn what_is_linked_into_it_is_named_once_with_whom_for() {
        let needs = [
            ("given", vec![("cc", "\"build\""), ("plain", "null"), ("mac", "null")]),
            ("cc", vec![("find", "null"), ("other", "\"build\""), ("tested", "\"dev\"")]),
            ("find", vec![("cc", "null"), ("own", "null")]),
            ("mac", vec![("syn", "null"), ("inner", "null"), ("find", "null")]),
            ("inner", vec![("deep", "null")]),
            ("own", vec![("below", "null"), ("made", "\"build\"")]),
        ];
        let names = ["made", "given", "cc", "plain", "mac", "find", "other", "tested", "own", "below", "syn", "inner", "deep"];
        let target = |name: &str| match name {
            "given" | "own" => "custom-build",
            "mac" | "inner" => "proc-macro",
            _ => "lib",
        };
        let listed = names.map(|name| {
            let source = if name == "own" { "null".to_owned() } else { format!("{REGISTRY:?}") };
            format!(
                "{{\"id\":{name:?},\"name\":{name:?},\"version\":\"1.0.0\",\"source\":{source},\"targets\":[{{\"kind\":[{:?}]}}]}}",
                target(name)
            )
        });
        let nodes = names.map(|name| {
            let deps = needs.iter().filter(|(of, _)| *of == name).flat_map(|(_, deps)| deps);
            let deps: Vec<String> =
                deps.map(|(name, kind)| format!("{{\"pkg\":{name:?},\"dep_kinds\":[{{\"kind\":{kind},\"target\":null}}]}}")).collect();
            format!("{{\"id\":{name:?},\"features\":[],\"deps\":[{}]}}", deps.join(","))
        });
        let text = format!("{{\"packages\":[{}],\"resolve\":{{\"nodes\":[{}]}}}}", listed.join(","), nodes.join(","));
        let lock = Locked { packages: names.map(|name| package(name, (name != "own").then_some(REGISTRY), Some("aa11"))).into() };
        let found = of(&text, &lock).unwrap();
        let told: Vec<String> = found
            .libraries
            .iter()
            .map(|(library, into)| {
                let into: Vec<String> = into.iter().map(|(name, kind)| format!("{name} {}", kind.name())).collect();
                format!("{} {} {} in {}", library.name, library.version, library.pin, into.join(", "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "below 1.0.0 aa11 in given build-script, mac proc-macro",
                "cc 1.0.0 aa11 in given build-script, mac proc-macro",
                "deep 1.0.0 aa11 in inner proc-macro",
                "find 1.0.0 aa11 in given build-script, mac proc-macro",
                "made 1.0.0 aa11 in own build-script",
                "syn 1.0.0 aa11 in mac proc-macro",
            ]
        );
        assert_eq!(found.units.len(), 3);
    }

    /// `app` needs `given`, whose build script needs `tool`; `plain` has no script left, and names what that needed.
    #[test]
    fn what_a_script_needs_that_is_not_there_is_not_built() {
        let needs = [
            ("app", vec![("given", "null"), ("plain", "null"), ("tested", "\"dev\"")]),
            ("given", vec![("tool", "\"build\""), ("only-tested", "\"dev\"")]),
            ("plain", vec![("left", "\"build\"")]),
        ];
        let names = ["app", "given", "plain", "tested", "tool", "only-tested", "left"];
        let one = |name: &str| {
            let (source, kind) = (
                if name == "app" { "null".to_owned() } else { format!("{REGISTRY:?}") },
                if name == "plain" { "lib" } else { "custom-build" },
            );
            format!("{{\"id\":{name:?},\"name\":{name:?},\"version\":\"1.0.0\",\"source\":{source},\"targets\":[{{\"kind\":[{kind:?}]}}]}}")
        };
        let node = |name: &str| {
            let deps = needs.iter().filter(|(of, _)| *of == name).flat_map(|(_, deps)| deps);
            let deps: Vec<String> =
                deps.map(|(name, kind)| format!("{{\"pkg\":{name:?},\"dep_kinds\":[{{\"kind\":{kind},\"target\":null}}]}}")).collect();
            format!("{{\"id\":{name:?},\"features\":[],\"deps\":[{}]}}", deps.join(","))
        };
        let (packages, nodes) = (names.map(one).join(","), names.map(node).join(","));
        let text =
            |members: &str| format!("{{\"packages\":[{packages}],\"resolve\":{{\"nodes\":[{nodes}]}},\"workspace_members\":[{members}]}}");
        let found = |members: &str| {
            let found = of(&text(members), &Locked::default()).unwrap();
            found.units.keys().map(|unit| unit.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(found("\"app\""), ["given", "tested", "tool"]);
        assert_eq!(found(""), ["given", "left", "only-tested", "tested", "tool"]);
    }
}
