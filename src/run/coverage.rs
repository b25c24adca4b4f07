//! How much of the graph's code ran at build time. In: the graph, the actors, cargo's build directory, how cargo ended. Out: packages with a build
//! script or macro that are part of this build; of them, those that cargo found fresh, and those it did not come to.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::attribute::Graph;
use crate::model::{Actor, ActorKind, Hostile, Package, compiles_a_macro};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    pub all: u64,
    pub fresh: u64,
    pub not_reached: u64,
}

pub fn units(graph: &Graph, actors: &[Actor], build: &Path, whole: bool) -> Units {
    let key = |package: &Package| (package.name.clone(), package.version.clone());
    let packages = |of: &dyn Fn(&Actor) -> bool| -> HashSet<(String, String)> {
        actors.iter().filter(|actor| of(actor)).filter_map(|actor| actor.package.as_ref()).map(key).collect()
    };
    let ran = packages(&runs_code);
    let changed = packages(&|actor| matches!(actor.kind, ActorKind::BuildScript | ActorKind::Rustc) && actor.pid != 0);
    // `cargo metadata` also resolves what only a weak feature mentions (`dep?/feature`), which no build contains: such a package has left
    // no fingerprint.
    let records = fingerprints(build);
    let mut units = Units { all: ran.len() as u64, ..Units::default() };
    for (package, scripted) in graph.code_at_build().filter(|(package, _)| !ran.contains(&key(package))) {
        let record = match &records {
            None => Some(Record { script: true, library: true }),
            Some(records) => records.get(&package.name).copied(),
        };
        // The directory is there before its unit is built: only what lies in it tells.
        let finished = record.is_some_and(|record| if scripted { record.script } else { record.library });
        // Where cargo did not come to its end: what needs something that was built again was to be built again itself.
        if finished && (whole || !graph.needs_any(package, &changed)) {
            units.fresh += 1;
        } else if record.is_some() && !whole {
            units.not_reached += 1;
        }
    }
    units.all += units.fresh + units.not_reached;
    units
}

/// Its build script ran, or it is a proc-macro that was compiled.
fn runs_code(actor: &Actor) -> bool {
    let compiled = || compiles_a_macro(actor.argv.iter().map(Hostile::as_bytes));
    actor.kind == ActorKind::BuildScript && actor.pid != 0 || actor.kind == ActorKind::Rustc && compiled()
}

/// What of a package has been built, in this run or before it, as cargo notes it when it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Record {
    /// Its build script was run.
    script: bool,
    library: bool,
}

/// Of all packages cargo keeps a fingerprint of, by name, in `<profile>/.fingerprint` or `<triple>/<profile>/.fingerprint`; `None` where there is no
/// such directory (cargo is free to keep them elsewhere).
fn fingerprints(build: &Path) -> Option<HashMap<String, Record>> {
    let entries = |of: &Path| std::fs::read_dir(of).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let profiles = entries(build);
    let deeper: Vec<_> = profiles.iter().flat_map(|dir| entries(dir)).collect();
    let records = profiles.iter().chain(&deeper).map(|dir| dir.join(".fingerprint")).filter(|dir| dir.is_dir());
    let mut found: Option<HashMap<String, Record>> = None;
    for unit in records.flat_map(|record| entries(&record)) {
        let found = found.get_or_insert_default();
        let Some((name, _)) = unit.file_name().and_then(|name| name.to_str()?.rsplit_once('-')) else { continue };
        let record = found.entry(name.to_owned()).or_default();
        for file in entries(&unit) {
            let file = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            record.script |= file.starts_with("run-build-script-");
            record.library |= file.starts_with("lib-");
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_found_for_host_and_target() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(fingerprints(dir.path()), None);
        for (unit, file) in [
            ("debug/.fingerprint/serde-core-0123456789abcdef", "lib-serde_core"),
            ("debug/.fingerprint/serde-core-1123456789abcdef", "run-build-script-build-script-build"),
            ("debug/.fingerprint/waiting-0123456789abcdef", ""),
            ("wasm32-wasip1/release/.fingerprint/regex-0123456789abcdef", "lib-regex"),
        ] {
            std::fs::create_dir_all(dir.path().join(unit)).unwrap();
            if !file.is_empty() {
                std::fs::write(dir.path().join(unit).join(file), "").unwrap();
            }
        }
        let record = |script, library| Record { script, library };
        let expected = [("serde-core", record(true, true)), ("waiting", record(false, false)), ("regex", record(false, true))];
        assert_eq!(fingerprints(dir.path()), Some(expected.map(|(name, record)| (name.to_owned(), record)).into()));
    }
}
