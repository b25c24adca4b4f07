//! How much of the graph's code ran at build time. In: the graph, the actors, cargo's build directory. Out: packages with a build script or
//! macro that are part of this build, and those of them that cargo found fresh.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use crate::attribute::Graph;
use crate::model::{Actor, ActorKind};

/// (units, fresh).
pub fn units(graph: &Graph, actors: &[Actor], build: &Path) -> (u64, u64) {
    let ran: BTreeSet<(&str, &str)> = actors
        .iter()
        .filter(|actor| runs_code(actor))
        .filter_map(|actor| actor.package.as_ref())
        .map(|package| (&*package.name, &*package.version))
        .collect();
    // `cargo metadata` also resolves what only a weak feature mentions (`dep?/feature`), which no build contains: such a package has left
    // no fingerprint.
    let built = fingerprints(build);
    let is_built = |name: &str| built.as_ref().is_none_or(|built| built.contains(name));
    let idle = graph.code_at_build().filter(|package| !ran.contains(&(&*package.name, &*package.version)));
    let fresh = idle.filter(|package| is_built(&package.name)).count();
    ((ran.len() + fresh) as u64, fresh as u64)
}

/// Its build script ran, or it is a proc-macro that was compiled.
fn runs_code(actor: &Actor) -> bool {
    let compiles = |what: &[u8]| actor.argv.windows(2).any(|pair| pair[0].as_bytes() == b"--crate-type" && pair[1].as_bytes() == what);
    actor.kind == ActorKind::BuildScript && actor.pid != 0 || actor.kind == ActorKind::Rustc && compiles(b"proc-macro")
}

/// Names of all packages cargo keeps a fingerprint of, in `<profile>/.fingerprint` or `<triple>/<profile>/.fingerprint`; `None` where
/// there is no such directory (cargo is free to keep them elsewhere).
fn fingerprints(build: &Path) -> Option<HashSet<String>> {
    let directories = |of: &Path| std::fs::read_dir(of).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let profiles = directories(build);
    let deeper: Vec<_> = profiles.iter().flat_map(|dir| directories(dir)).collect();
    let records = profiles.iter().chain(&deeper).map(|dir| dir.join(".fingerprint")).filter(|dir| dir.is_dir());
    let mut found: Option<HashSet<String>> = None;
    for record in records {
        let names = directories(&record);
        let names = names.iter().filter_map(|dir| Some(dir.file_name()?.to_str()?.rsplit_once('-')?.0.to_owned()));
        found.get_or_insert_default().extend(names);
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
        for unit in ["debug/.fingerprint/serde-core-0123456789abcdef", "wasm32-wasip1/release/.fingerprint/regex-0123456789abcdef"] {
            std::fs::create_dir_all(dir.path().join(unit)).unwrap();
        }
        assert_eq!(fingerprints(dir.path()), Some(["serde-core", "regex"].map(str::to_owned).into()));
    }
}
