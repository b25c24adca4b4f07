//! `fs/persist`: a write to a place where it runs later, outside every wall: shell start-up, authorised keys, git hooks, units, the
//! toolchain, cargo's configuration, Brig's own policy.

use crate::judge::paths::{below, name};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Rule, Severity};

/// Brig's policy, baseline and reports: no grant opens them.
pub(crate) fn own_files(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    let places = &policy.places;
    let policy_file = places
        .workspace
        .as_ref()
        .and_then(|workspace| below(path, workspace))
        .is_some_and(|rest| matches!(rest, b"brig.toml" | b"brig.lock" | b".config/brig.toml"));
    let report = !places.report_dir.as_os_str().is_empty() && below(path, &places.report_dir).is_some();
    let memory = places.memory.as_ref().is_some_and(|memory| below(path, memory).is_some());
    let own = places.home.as_ref().is_some_and(|home| below(path, &home.join(".config/brig")).is_some());
    (policy_file || own || report || memory)
        .then(|| alarm(policy, Rule::FsPersist, Severity::High, "Brig's own policy, reports and memory"))
}

pub(crate) fn write(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    let places = &policy.places;
    if below(path, &places.toolchain).is_some() {
        return Some(alarm(policy, Rule::FsPersist, Severity::Critical, "write (the toolchain: every later build runs it)"));
    }
    if name(path).is_empty() || policy.secrets.is_public(path) && places.result(path).is_some() {
        return None;
    }
    policy.secrets.is_persistence(path)?;
    let published = [places.cargo_home.join("registry/src"), places.cargo_home.join("git/checkouts")];
    if published.iter().any(|tree| below(path, tree).is_some()) {
        return None;
    }
    Some(alarm(policy, Rule::FsPersist, Severity::High, "write (a place that runs later)"))
}

/// A wide grant (a whole workspace, home) does not reach `.git/hooks` or `.bashrc`; a grant that names the place does. What an actor
/// does below the build's own output is its own affair: a checkout in `OUT_DIR` has hooks, too.
pub(crate) fn despite_grant(policy: &Policy, path: &[u8], granted: usize) -> Option<Ruling> {
    let places = &policy.places;
    let scratch = policy.own.outputs.iter().chain(places.results()).chain([&policy.own.tmp, &places.tmp]);
    if scratch.filter(|tree| tree.is_absolute()).any(|tree| below(path, tree).is_some()) {
        return None;
    }
    policy.secrets.is_persistence(path)?;
    // The grant itself is (inside) such a place: then it was meant.
    let named = path.get(..granted).is_some_and(|tree| policy.secrets.is_persistence(tree).is_some());
    (!named).then(|| alarm(policy, Rule::FsPersist, Severity::High, "write (a place that runs later; grant it by name)"))
}
