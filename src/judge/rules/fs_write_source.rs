//! `fs/write-source`: a write into the workspace's sources. Generators that write next to their input exist; so do those who edit
//! `build.rs`, `Cargo.lock` or an editor's task list.

use crate::judge::paths::{below, components, name};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm};
use crate::model::{Act, ActorKind, Rule, Severity};

/// Names that decide what is built or run next.
const STEERING: [&[u8]; 18] = [
    b"Cargo.toml",
    b"Cargo.lock",
    b"Makefile",
    b"justfile",
    b"CMakeLists.txt",
    b"clippy.toml",
    b"rustfmt.toml",
    b"deny.toml",
    b".gitmodules",
    b".gitattributes",
    b".gitlab-ci.yml",
    b"CLAUDE.md",
    b"AGENTS.md",
    b".cursorrules",
    b".mcp.json",
    b".ripgreprc",
    b"Dockerfile",
    b"package.json",
];

const SOURCE_ENDINGS: [&[u8]; 16] =
    [b"rs", b"c", b"h", b"cc", b"cpp", b"hpp", b"s", b"py", b"sh", b"js", b"ts", b"pl", b"proto", b"mk", b"cmake", b"toml"];

pub(crate) fn write(policy: &Policy, act: &Act, path: &[u8]) -> Option<Ruling> {
    let places = &policy.places;
    if places.result(path).is_some() {
        return None;
    }
    let tree = places.workspace.iter().chain(&places.packages).chain(&policy.own.package).find(|tree| below(path, tree).is_some())?;
    let rest = below(path, tree)?;
    let steers = is_source_like(rest);
    // Tests record snapshots, regressions and scratch files next to themselves. Nothing of that is ever compiled or executed, so a
    // program may write it in its own package; what is source, steers a build, or hides, it may not.
    let own = policy.own.package.as_ref().is_some_and(|package| below(path, package).is_some_and(|rest| !rest.is_empty()));
    if policy.kind == ActorKind::Program && own && !steers {
        let harmless =
            matches!(act, Act::Create { .. } | Act::Write { .. } | Act::Metadata { .. } | Act::Remove { .. } | Act::Rename { .. });
        return harmless.then_some(Ruling::Allow).or_else(|| Some(alarm(policy, Rule::FsWriteSource, Severity::Low, "write (workspace)")));
    }
    let severity = if steers { Severity::High } else { Severity::Medium };
    Some(alarm(policy, Rule::FsWriteSource, severity, if steers { "write (sources)" } else { "write (workspace)" }))
}

/// Compiled, executed, or read by a build, an editor or an assistant: also anything hidden.
fn is_source_like(rest: &[u8]) -> bool {
    let last = name(rest);
    let ending = last.iter().rposition(|b| *b == b'.').map(|dot| &last[dot + 1..]);
    components(rest).any(|part| part.starts_with(b".") && !part.ends_with(b".snap.new"))
        || components(rest).next() == Some(b"src")
        || STEERING.contains(&last)
        || ending.is_some_and(|ending| SOURCE_ENDINGS.contains(&ending))
}
