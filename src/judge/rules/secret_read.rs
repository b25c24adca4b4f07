//! `secret/read`: something opened, listed, moved or linked a file that holds credentials.

use libc::EACCES;

use crate::judge::paths::{below, components, is_ancestor, name, parent};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm, is_directory};
use crate::model::{Object, Rule, Severity};

/// By real path, and by inode: a hard link to a secret is still the secret. A probe that finds nothing is no alarm.
pub(crate) fn read(policy: &Policy, path: &[u8], object: Option<Object>) -> Option<Ruling> {
    let secrets = &policy.secrets;
    let (class, alias) = match secrets.class_of(path) {
        Some(class) => (class, ""),
        None => (secrets.class_of_object(object)?, ", by another name"),
    };
    if object.is_none() {
        return Some(Ruling::Quiet(libc::ENOENT));
    }
    // By its own name only: through another one it is whatever the profile says.
    if alias.is_empty() && policy.naming(path, object).next().is_some() {
        return Some(if policy.revealed_in(path).is_some() { Ruling::Redact } else { Ruling::Allow });
    }
    if path.starts_with(b"/etc/ssl/") || name(path) == b"known_hosts" {
        return Some(Ruling::Quiet(EACCES));
    }
    let severity = if is_directory(object) { Severity::Medium } else { Severity::High };
    Some(alarm(policy, Rule::SecretRead, severity, &format!("secrets ({class}{alias})")))
}

/// Cargo keeps the values of the variables that build scripts name in `rerun-if-env-changed` — withheld ones too, for cargo has them — in
/// the JSON half of its fingerprints. A nested cargo reads that half only to say why it rebuilds.
pub(crate) fn fingerprint(policy: &Policy, path: &[u8], object: Option<Object>) -> Option<Ruling> {
    // The second is cargo's newer layout: `build/<package>/<hash>/fingerprint`.
    let kept = components(parent(policy.places.result(path)?)).any(|part| matches!(part, b".fingerprint" | b"fingerprint"));
    if !kept || !path.ends_with(b".json") || policy.write_depth(path).is_some() {
        return None;
    }
    if object.is_none() {
        return Some(Ruling::Quiet(libc::ENOENT));
    }
    Some(match policy.is_build_time() {
        true => alarm(policy, Rule::SecretRead, Severity::High, "secrets (cargo's fingerprints hold the values of variables)"),
        false => Ruling::Quiet(EACCES),
    })
}

/// Renaming a secret makes it another name's content.
pub(crate) fn moved(policy: &Policy, from: &[u8], object: Option<Object>) -> Ruling {
    match (policy.is_trusted(), policy.secrets.class_of(from).or_else(|| policy.secrets.class_of_object(object))) {
        (false, Some(class)) if object.is_some() => alarm(policy, Rule::SecretRead, Severity::High, &format!("secrets ({class}), moved")),
        _ => Ruling::Allow,
    }
}

/// The directory that the innermost `.git`, `.cargo`, `.hg` or `.jj` on the way lies in.
fn repository(path: &[u8]) -> &[u8] {
    let mut at = parent(path);
    while at.len() > 1 {
        if matches!(name(at), b".git" | b".cargo" | b".hg" | b".jj") {
            return parent(at);
        }
        at = parent(at);
    }
    parent(parent(path))
}

/// Git's and cargo's own configuration, where it is the user's or the repository's: handed over without credentials. In a place the
/// profile does not grant it is judged like any other file.
pub(crate) fn redacted(policy: &Policy, path: &[u8], object: Option<Object>) -> Option<Ruling> {
    let (_, rooted) = policy.secrets.is_redacted(path)?;
    if object.is_none() || is_directory(object) || policy.secrets.is_public(path) {
        return None;
    }
    if policy.own.outputs.iter().any(|tree| below(path, tree).is_some()) {
        return None;
    }
    let repository = repository(path);
    let above = policy.places.workspace.iter().chain(&policy.own.package).any(|place| is_ancestor(repository, place));
    (rooted || above || policy.may_read(path)).then_some(Ruling::Redact)
}
