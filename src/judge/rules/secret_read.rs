//! `secret/read`: something opened, listed, moved or linked a file that holds credentials.

use libc::EACCES;

use crate::judge::Policy;
use crate::judge::paths::{is_ancestor, name, parent};
use crate::judge::rules::{Ruling, alarm, is_directory};
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
    if path.starts_with(b"/etc/ssl/") || name(path) == b"known_hosts" {
        return Some(Ruling::Quiet(EACCES));
    }
    let severity = if is_directory(object) { Severity::Medium } else { Severity::High };
    Some(alarm(policy, Rule::SecretRead, severity, &format!("secrets ({class}{alias})")))
}

/// Renaming a secret makes it another name's content.
pub(crate) fn moved(policy: &Policy, from: &[u8], object: Option<Object>) -> Ruling {
    match (policy.is_trusted(), policy.secrets.class_of(from)) {
        (false, Some(class)) if object.is_some() => alarm(policy, Rule::SecretRead, Severity::High, &format!("secrets ({class}), moved")),
        _ => Ruling::Allow,
    }
}

/// Git's and cargo's own configuration, where it is the user's or the repository's: handed over without credentials. In a place the
/// profile does not grant it is judged like any other file.
pub(crate) fn redacted(policy: &Policy, path: &[u8], object: Option<Object>) -> Option<Ruling> {
    let hit = policy.secrets.is_redacted(path)?;
    if object.is_none() || is_directory(object) || policy.secrets.is_public(path) {
        return None;
    }
    if policy.own.outputs.iter().any(|tree| crate::judge::paths::below(path, tree).is_some()) {
        return None;
    }
    let repository = parent(parent(path));
    let above = policy.places.workspace.iter().chain(&policy.own.package).any(|place| is_ancestor(repository, place));
    (hit.rooted || above || policy.may_read(path)).then_some(Ruling::Redact)
}
