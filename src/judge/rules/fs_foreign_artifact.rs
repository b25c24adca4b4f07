//! `fs/foreign-artifact`: a write to what another crate builds from or built: its unpacked source, its `OUT_DIR`, the shared `deps`,
//! fingerprints, incremental data. A shared object planted there runs under another crate's name.

use std::os::unix::ffi::OsStrExt;

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

/// Directories that all compilers of a profile write into. `deps` is also on the `LD_LIBRARY_PATH` of everything cargo starts: a
/// `libz.so.1` planted there runs under every other crate's name.
const COMMON: [&[u8]; 2] = [b"deps", b"examples"];

/// Where all compilers write, one may touch only what is its own: `lib<crate>-<its hash>.…` in `deps`, `<crate>-…/` in `incremental`.
pub(crate) fn neighbour(policy: &Policy, act: &Act, path: &[u8]) -> Option<Ruling> {
    if matches!(act, Act::Metadata { .. }) || !matches!(policy.kind, ActorKind::Rustc | ActorKind::Linker | ActorKind::ProcMacro) {
        return None;
    }
    let refused = || Some(alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (another unit's artifact)"));
    let (own, last) = (&policy.own, name(path));
    let common = |dir: &[u8]| COMMON.contains(&dir);
    if common(name(parent(path))) {
        return if is_own_artifact(policy, last) || is_passing(last) { None } else { refused() };
    }
    if (common(last) || last == b"incremental") && own.outputs.iter().any(|output| output.as_os_str().as_bytes() == path) {
        // The directory itself is everybody's: it may be made, not moved away.
        return if matches!(act, Act::Create { .. }) { None } else { refused() };
    }
    let sessions = own.outputs.iter().filter(|output| output.ends_with("incremental")).find_map(|output| below(path, output))?;
    let session = components(sessions).next()?;
    let ours = own.crate_name.as_ref().is_none_or(|own| session.strip_prefix(own.as_bytes()).is_some_and(|rest| rest.starts_with(b"-")));
    if ours { None } else { refused() }
}

/// Some crates (`cdylib`) carry no hash: then the crate's name must do.
fn is_own_artifact(policy: &Policy, last: &[u8]) -> bool {
    let own = policy.own.extra_filename.as_deref().unwrap_or_default().trim_start_matches('-').as_bytes();
    if !own.is_empty() {
        return hash_in(last).is_none_or(|theirs| theirs == own) && last.windows(own.len()).any(|part| part == own);
    }
    let Some(crate_name) = policy.own.crate_name.as_deref().filter(|name| !name.is_empty()) else { return hash_in(last).is_none() };
    let stem = last.strip_prefix(b"lib").filter(|stem| stem.starts_with(crate_name.as_bytes())).unwrap_or(last);
    let stem = stem.strip_prefix(crate_name.as_bytes());
    hash_in(last).is_none() && stem.is_some_and(|rest| rest.first().is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_'))
}

/// What compilers and linkers make beside their result and remove again: rustc's `rmetaXXXXXX` and `.tmpXXXXXX.temp-archive`, `stXXXXXX`
/// of GNU strip, mold's own. No loader asks for such a name.
fn is_passing(last: &[u8]) -> bool {
    let last = last.strip_suffix(b".temp-archive").unwrap_or(last);
    let random = |rest: &[u8]| rest.len() == 6 && rest.iter().all(u8::is_ascii_alphanumeric);
    [&b"rmeta"[..], b"rustc", b"st", b".mold-", b".tmp"].iter().any(|front| last.strip_prefix(*front).is_some_and(random))
}

/// The 16 hex digits after the last `-` that has them.
fn hash_in(name: &[u8]) -> Option<&[u8]> {
    name.split(|b| *b == b'-').skip(1).filter_map(|part| part.get(..16)).filter(|hash| hash.iter().all(u8::is_ascii_hexdigit)).last()
}
