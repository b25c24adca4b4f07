//! `fs/write-outside`: a write nobody granted, to a place that is nobody's in particular.

use libc::EPERM;

use crate::judge::paths::{below, below_bytes, components, is_drawn, name};
use crate::judge::policy::Policy;
use crate::judge::rules::fs_read_outside::{foreign_terminal, is_jobserver};
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Act, ActorKind, Object, Rule, Severity};

/// `/dev`: what everybody writes to. Only that: the nodes themselves are the machine's, and where a build runs as root, nothing but this
/// keeps them. (Tools that are told to write their result to `/dev/null` have changed its mode and owner before, without meaning harm.)
pub(crate) fn device(policy: &Policy, act: &Act, path: &[u8]) -> Option<Ruling> {
    let rest = below_bytes(path, b"/dev")?;
    let everybodys = matches!(rest, b"null" | b"zero" | b"full" | b"random" | b"urandom" | b"stdout" | b"stderr" | b"ptmx" | b"pts/ptmx");
    let program = policy.is_program();
    if let Some(ruling) = foreign_terminal(policy, rest) {
        return Some(ruling);
    }
    if !(everybodys || rest.starts_with(b"fd/") || rest.is_empty() && program) {
        return None;
    }
    Some(match act {
        Act::Write { .. } => Ruling::Allow,
        Act::Metadata { .. } => Ruling::Quiet(EPERM),
        _ => alarm(policy, Rule::FsWriteOutside, Severity::High, "write (a device of the machine)"),
    })
}

/// Below home: caches that honest tools fill when they can.
const CACHES: [&str; 12] = [
    ".cache/fontconfig",
    ".cache/ccache",
    ".ccache",
    ".cache/clang",
    ".cache/go-build",
    ".cache/mesa_shader_cache",
    ".cache/pip",
    ".cmake",
    ".cache/uv",
    ".cache/python",
    ".rnd",
    ".local/state",
];

/// Writes honest tools try and do without: refused, recorded, no alarm (COMPAT: git-version, python, nested cargo).
pub(crate) fn is_habit(policy: &Policy, act: &Act, path: &[u8]) -> bool {
    let last = name(path);
    let compiler_temp = |prefix: &[u8]| last.strip_prefix(prefix).is_some_and(is_drawn);
    if compiler_temp(b"rmeta") || compiler_temp(b"rustc") {
        return true;
    }
    // The lock itself and the rename that would publish it.
    if path.ends_with(b"/.git/index.lock") || (path.ends_with(b"/.git/index") && matches!(act, Act::Rename { .. })) {
        return true;
    }
    // What code that was instrumented for coverage leaves as it ends, and only complains about where it cannot.
    if last.ends_with(b".profraw") && matches!(act, Act::Create { .. } | Act::Write { .. }) {
        return true;
    }
    if last == b"__pycache__" || path.windows(13).any(|part| part == b"/__pycache__/") {
        return true;
    }
    let places = &policy.places;
    // What a nested `cargo metadata` remembers of rustc. Cargo goes on when it cannot; and the outer one believes what it finds there.
    let nests = (policy.kind == ActorKind::BuildScript || policy.is_program()) && matches!(act, Act::Write { .. } | Act::Create { .. });
    if nests && places.result(path) == Some(b".rustc_info.json") {
        return true;
    }
    if let Some(rest) = below(path, &places.cargo_home) {
        let first = components(rest).next().unwrap_or_default();
        return first.starts_with(b".package-cache") || first.starts_with(b".global-cache") || rest.starts_with(b"registry/index");
    }
    if policy.is_program() && matches!(act, Act::Create { .. } | Act::Write { .. }) && is_history(policy, path) {
        return true;
    }
    if let Some(rest) = places.home.as_ref().and_then(|home| below(path, home)) {
        return CACHES.iter().any(|cache| below_bytes(rest, cache.as_bytes()).is_some()) || rest == b".cache" || rest == b".config";
    }
    let own = policy.own.package.as_ref().is_some_and(|package| below(path, package).is_some());
    (own && matches!(act, Act::Metadata { .. })) || path.starts_with(b"/var/cache/fontconfig/")
}

/// What a shell or an interpreter that a test starts adds to as it ends, by its own name or by that of the file that takes its place (`history_tempfile`,
/// GNU readline).
fn is_history(policy: &Policy, path: &[u8]) -> bool {
    let replaced = path.strip_suffix(b".tmp").and_then(|rest| {
        let at = rest.iter().rposition(|byte| *byte == b'-')?;
        rest[at + 1..].iter().all(u8::is_ascii_digit).then_some(&rest[..at])
    });
    policy.secrets.class_of(replaced.unwrap_or(path)) == Some("history")
}

pub(crate) fn write(policy: &Policy, path: &[u8], object: Option<Object>) -> Ruling {
    if is_jobserver(path, object) {
        return Ruling::Allow;
    }
    let places = &policy.places;
    let at_home = places.home.as_ref().is_some_and(|home| below(path, home).is_some()) && places.result(path).is_none();
    let severity = match (at_home, path.starts_with(b"/dev/")) {
        (true, _) => Severity::High,
        (false, true) => Severity::Low,
        (false, false) => Severity::Medium,
    };
    alarm(policy, Rule::FsWriteOutside, severity, "write")
}
