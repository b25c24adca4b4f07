//! `exec/dropped`: running a file the actor, or another part of the build, could have written. `OUT_DIR` is the exception the profile makes: configure
//! scripts and generators compile their probes there.

use crate::judge::paths::{below, deepest, name};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Breach, Hostile, Rule, Severity};

pub(crate) fn exec(policy: &Policy, path: &[u8], argv: &[Hostile]) -> Option<Ruling> {
    if has_no_file(path) || is_dropped(policy, path) {
        return Some(dropped(policy));
    }
    // The loader runs its first argument without asking for the right to execute it.
    let last = name(path);
    if last.starts_with(b"ld-linux") || last.starts_with(b"ld-musl") || last == b"ld.so" {
        let program = argv.iter().skip(1).map(Hostile::as_bytes).find(|argument| !argument.starts_with(b"-"));
        if program.is_some_and(|program| !program.starts_with(b"/") || is_dropped(policy, program)) {
            return Some(dropped(policy));
        }
    }
    None
}

fn dropped(policy: &Policy) -> Ruling {
    alarm(policy, Rule::ExecDropped, Severity::High, "exec (a file the build may have written)")
}

/// Cargo was led to start it.
pub fn in_a_compilers_place() -> Breach {
    let reason = "something the build had written was started as the compiler".to_owned();
    Breach { rule: Rule::ExecDropped, severity: Severity::High, reason }
}

/// A memory file, or one that was deleted after it was opened.
pub(crate) fn has_no_file(path: &[u8]) -> bool {
    path.starts_with(b"/memfd:") || path.starts_with(b"memfd:") || path.ends_with(b" (deleted)")
}

/// Could it have left it in its own package (`judge::records`)?
fn may_leave(policy: &Policy, path: &[u8]) -> bool {
    let package = policy.own.package.as_ref().filter(|_| policy.is_program() && policy.places.result(path).is_none());
    package.and_then(|package| below(path, package)).is_some_and(|rest| policy.records.hold(rest, path, true))
}

/// Writable more specifically than executable; or where builds and everybody else leave files, and nobody granted it.
fn is_dropped(policy: &Policy, path: &[u8]) -> bool {
    match (policy.write_depth(path), deepest(path, &policy.exec)) {
        // Its own package's programs and scripts a test may run, and what tests leave in there it may write: not both.
        (None, Some(_)) if may_leave(policy, path) => true,
        (Some(written), Some(granted)) => written > granted,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => {
            let scratch = [b"/tmp/".as_slice(), b"/var/tmp/", b"/dev/shm/"].iter().any(|dir| path.starts_with(dir));
            scratch || policy.places.result(path).is_some()
        }
    }
}
