//! `fs/foreign-artifact`: a write to what another crate builds from or built: its unpacked source, its `OUT_DIR`, the shared `deps`,
//! fingerprints, incremental data. A shared object planted there runs under another crate's name.

use crate::judge::Policy;
use crate::judge::paths::{below, components, name, parent};
use crate::judge::rules::{Ruling, alarm};
use crate::model::{Act, ActorKind, Rule, Severity};

/// Directories of a target tree in which one unit leaves things for others.
const SHARED: [&[u8]; 7] = [b"deps", b"build", b".fingerprint", b"incremental", b"examples", b"debug", b"release"];

pub(crate) fn write(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    let places = &policy.places;
    if let Some(rest) = places.result(path) {
        let shared = components(rest).any(|part| SHARED.contains(&part));
        return shared.then(|| alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (another unit's build output)"));
    }
    let published = ["registry", "git"].iter().any(|dir| below(path, &places.cargo_home.join(dir)).is_some());
    if !published {
        return None;
    }
    let own = policy.own.package.as_ref().is_some_and(|package| below(path, package).is_some());
    let severity = if own { Severity::Medium } else { Severity::High };
    let why = if own { "write (its own unpacked source, shared by all your builds)" } else { "write (another crate's source)" };
    Some(alarm(policy, Rule::FsForeignArtifact, severity, why))
}

/// In the shared `deps` a compiler may touch only what carries its own hash: `lib<crate>-<16 hex digits>.…`.
pub(crate) fn neighbour(policy: &Policy, act: &Act, path: &[u8]) -> Option<Ruling> {
    if matches!(act, Act::Metadata { .. }) || !matches!(policy.kind, ActorKind::Rustc | ActorKind::Linker | ActorKind::ProcMacro) {
        return None;
    }
    let own = policy.own.extra_filename.as_deref().filter(|own| !own.is_empty())?.trim_start_matches('-').as_bytes();
    if name(parent(path)) != b"deps" {
        return None;
    }
    let theirs = hash_in(name(path))?;
    (theirs != own).then(|| alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (another unit's artifact)"))
}

/// The 16 hex digits after the last `-` that has them.
fn hash_in(name: &[u8]) -> Option<&[u8]> {
    name.split(|b| *b == b'-').skip(1).filter_map(|part| part.get(..16)).filter(|hash| hash.iter().all(u8::is_ascii_hexdigit)).last()
}
