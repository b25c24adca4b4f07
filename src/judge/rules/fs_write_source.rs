//! `fs/write-source`: a write into the workspace's sources. Generators that write next to their input exist; so do those who edit
//! `build.rs`, `Cargo.lock` or an editor's task list. A program may leave in its own package what the profile says that tests leave there.

use crate::judge::paths::{below, components, name};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm, is_directory};
use crate::model::act::ObjectKind;
use crate::model::{Act, Object, Rule, Severity};

/// How the gate calls a file that has no name yet.
const UNNAMED: &[u8] = b"(unnamed)";

/// Allowed, or nothing to say: what a program may leave in its own package (`judge::records`). Secrets are nobody's to write, and no name
/// is allowed that runs later.
pub(crate) fn record(policy: &Policy, act: &Act, path: &[u8], object: Option<Object>) -> Option<Ruling> {
    let rest = own_file(policy, path)?;
    if policy.secrets.class_of(path).is_some() || policy.secrets.is_persistence(path).is_some() {
        return None;
    }
    // Whoever reads a FIFO waits for its writer, or is told what that writer likes. Sockets are what servers under test make.
    let arrives = matches!(act, Act::Create { .. }) || is_end_of(act, path);
    if arrives && object.is_some_and(|object| object.kind == ObjectKind::Special) && !rest.ends_with(b".sock") {
        return None;
    }
    let found = !matches!(act, Act::Create { .. }) && !is_end_of(act, path) && !policy.made.holds(path);
    let held = match act {
        Act::Create { .. } | Act::Remove { .. } | Act::Rename { .. } | Act::Metadata { .. } if is_directory(object) => {
            policy.records.hold_directory(rest)
        }
        // `O_TMPFILE`: it gets a name by a link, which is judged then.
        Act::Create { .. } if rest.ends_with(UNNAMED) => policy.records.hold_directory(rest),
        Act::Create { .. } | Act::Write { .. } | Act::Remove { .. } | Act::Rename { .. } | Act::Metadata { .. } => {
            policy.records.hold(rest, path, found)
        }
        _ => false,
    };
    held.then_some(Ruling::Allow)
}

/// An act was done: what a program made itself was not there before.
pub(crate) fn done(policy: &Policy, act: &Act) {
    if !policy.is_program() {
        return;
    }
    if let Act::Rename { from: path, .. } | Act::Remove { path } = act {
        policy.made.leave(path.as_bytes());
    }
    if let Act::Create { path } | Act::Rename { to: path, .. } = act
        && own_file(policy, path.as_bytes()).is_some()
    {
        policy.made.enter(path.as_bytes());
    }
}

pub(crate) fn write(policy: &Policy, path: &[u8]) -> Option<Ruling> {
    let places = &policy.places;
    if places.result(path).is_some() {
        return None;
    }
    let trees = || places.workspace.iter().chain(&places.packages).chain(&policy.own.package);
    let rest = trees().find_map(|tree| below(path, tree))?;
    if let Some(class) = policy.secrets.class_of(path) {
        return Some(alarm(policy, Rule::FsWriteSource, Severity::High, &format!("write (secrets: {class})")));
    }
    let steers = is_source_like(rest);
    let severity = if steers { Severity::High } else { Severity::Medium };
    Some(alarm(policy, Rule::FsWriteSource, severity, if steers { "write (sources)" } else { "write (workspace)" }))
}

/// What is left of the path below the package of a program, where that is no output of the build. The package ends where another one of the
/// build's begins.
fn own_file<'p>(policy: &Policy, path: &'p [u8]) -> Option<&'p [u8]> {
    if !policy.is_program() || policy.places.result(path).is_some() {
        return None;
    }
    let package = policy.own.package.as_ref()?;
    let rest = below(path, package).filter(|rest| !rest.is_empty())?;
    let others = policy.places.members.iter().chain(&policy.places.packages);
    let is_anothers = others.filter(|other| *other != package && other.starts_with(package)).any(|other| below(path, other).is_some());
    (!is_anothers).then_some(rest)
}

/// Is this where something moves to? What it replaces is removed first, as an act of its own.
fn is_end_of(act: &Act, path: &[u8]) -> bool {
    matches!(act, Act::Rename { to, .. } if to.as_bytes() == path)
}

/// Does something read, compile or run it without being told to? Code and the names of build files, workflows and instructions; only how
/// grave it is hangs on this.
fn is_source_like(rest: &[u8]) -> bool {
    let last = name(rest).to_ascii_lowercase();
    let ending = last.iter().rposition(|b| *b == b'.').map(|dot| &last[dot + 1..]);
    components(rest).any(|part| part.starts_with(b"."))
        || components(rest).next() == Some(b"src")
        || ending.is_none_or(|ending| !INERT.contains(&ending))
}

/// Endings of files that are looked at, not obeyed.
const INERT: [&[u8]; 13] = [b"new", b"txt", b"csv", b"log", b"png", b"jpg", b"svg", b"snap", b"stderr", b"stdout", b"html", b"db", b"bin"];
