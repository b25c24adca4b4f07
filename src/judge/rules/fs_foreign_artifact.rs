//! `fs/foreign-artifact`: a write to what another crate builds from or built: its unpacked source, its `OUT_DIR`, the shared `deps`,
//! fingerprints, incremental data, its headers in `cxxbridge` and its pages in `doc`, what another compiler keeps there while it works. A
//! shared object planted there runs under another crate's name.

use std::os::unix::ffi::OsStrExt;

use libc::EACCES;

use crate::judge::paths::{below, components, is_clean, is_drawn, name, parent};
use crate::judge::policy::Policy;
use crate::judge::ruling::{Ruling, alarm, is_directory};
use crate::model::act::ObjectKind;
use crate::model::{Act, ActorKind, Breach, Object, Rule, Severity};

/// Directories of a target tree in which one unit leaves things for others.
const SHARED: [&[u8]; 8] = [b"deps", b"build", b".fingerprint", b"incremental", b"examples", b"debug", b"release", b"doc"];

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

/// A link where others look for a directory or a file of cargo's: in the place of a grant's root, which the next run would grant, and among
/// artifacts, where cargo opens what compilers left (dep-info, metadata). Neither compilers nor linkers make links there. A root may not be
/// moved away or exchanged either; made anew as a directory it is what it was.
pub(crate) fn laid(policy: &Policy, act: &Act, object: Option<Object>) -> Option<Ruling> {
    let kind = object.map(|object| object.kind);
    let (path, is_link) = match act {
        Act::Symlink { path, .. } => (path, true),
        Act::Rename { to, .. } | Act::Link { to, .. } => (to, kind == Some(ObjectKind::Symlink)),
        _ => return None,
    };
    let path = path.as_bytes();
    let is_root = |path: &[u8]| policy.write.iter().any(|root| root.as_os_str().as_bytes() == path);
    let moved = |path: &[u8]| is_root(path) && kind == Some(ObjectKind::Directory);
    let from = if let Act::Rename { from, .. } = act { from.as_bytes() } else { &[] };
    if is_link && is_root(path) || moved(path) || moved(from) {
        return Some(alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (the root of a grant is not to be exchanged)"));
    }
    let among_artifacts = is_link && is_compiler(policy) && thing(policy, path).is_some_and(|thing| thing.len() == path.len());
    among_artifacts.then(|| alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (a link among artifacts, which cargo follows)"))
}

/// What cargo started as a product of the build was something else: who exchanged it has a finding, too, where that was refused.
pub fn exchanged() -> Breach {
    let reason = "what cargo meant to start had been exchanged for a link or another file".to_owned();
    Breach { rule: Rule::FsForeignArtifact, severity: Severity::High, reason }
}

/// Directories that all compilers of a profile write into. `deps` is also on the `LD_LIBRARY_PATH` of everything cargo starts: a
/// `libz.so.1` planted there runs under every other crate's name.
const COMMON: [&[u8]; 2] = [b"deps", b"examples"];

/// Where all compilers write, one may touch only what is its own: `lib<crate>-<its hash>.…` in `deps`, its session in `incremental`, and
/// for a moment what it made itself. Times and modes included: they tell cargo what is fresh.
pub(crate) fn neighbour(policy: &Policy, act: &Act, path: &[u8], object: Option<Object>) -> Option<Ruling> {
    match policy.kind {
        ActorKind::BuildScript => return header(policy, act, path, object),
        ActorKind::Rustdoc => return page(policy, act, path),
        _ => {}
    }
    if !is_compiler(policy) {
        return None;
    }
    let refused = || Some(alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (another unit's artifact)"));
    let (own, last) = (&policy.own, name(path));
    // What a compiler leaves for cargo to start, load or copy is a file it wrote. A link there leads cargo somewhere else.
    if matches!(act, Act::Symlink { .. }) && own.outputs.iter().any(|output| below(path, output).is_some()) {
        return Some(alarm(policy, Rule::FsForeignArtifact, Severity::High, "symlink (in an artifact's place)"));
    }
    if (is_common(last) || last == b"incremental") && own.outputs.iter().any(|output| output.as_os_str().as_bytes() == path) {
        // The directory itself is everybody's: it may be made, not moved away.
        return if matches!(act, Act::Create { .. }) { None } else { refused() };
    }
    if let Some(thing) = thing(policy, path) {
        let within_an_output = own.outputs.iter().any(|output| output.as_os_str().len() > thing.len() && below(path, output).is_some());
        if within_an_output || is_own_artifact(policy, name(thing)) {
            return None;
        }
        let comes = thing.len() == path.len() && is_new(act, path);
        return if is_passing(name(thing)) && (comes || policy.made.holds(thing)) { None } else { refused() };
    }
    let sessions = own.outputs.iter().filter(|output| output.ends_with("incremental")).find_map(|output| below(path, output))?;
    let session = components(sessions).next()?;
    let named = own.crate_name.as_ref().is_none_or(|own| session.strip_prefix(own.as_bytes()).is_some_and(|rest| rest.starts_with(b"-")));
    if named && policy.made.is_session(session) { None } else { refused() }
}

/// `cxx-build` shows what it generated in `cxxbridge/<its package>/`, by links into `OUT_DIR`, and cxx's own header as `rust/cxx.h`. A link
/// below a prefix the crate chose itself cannot be told from one below another's name: cxx does without, and so it is refused quietly.
fn header(policy: &Policy, act: &Act, path: &[u8], object: Option<Object>) -> Option<Ruling> {
    let rest = policy.places.results().find_map(|tree| below(path, &tree.join("cxxbridge")))?;
    let refused = || Some(alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (another crate's headers)"));
    let Some(first) = components(rest).next() else {
        // The directory itself is everybody's: it may be made, not moved away.
        return if matches!(act, Act::Create { .. }) { None } else { refused() };
    };
    let own = policy.own.name.as_ref().is_some_and(|name| name.as_bytes() == first || name.replace('-', "_").as_bytes() == first);
    let makes_directory = matches!(act, Act::Create { .. }) && is_directory(object);
    if own || rest == b"rust" && makes_directory {
        return None;
    }
    match act {
        Act::Remove { .. } if rest == b"rust/cxx.h" => None,
        Act::Symlink { target, .. } if rest == b"rust/cxx.h" && is_cxx_header(policy, target.as_bytes()) => None,
        Act::Symlink { target, .. } if leads_into_output(policy, parent(path), target.as_bytes()) => Some(Ruling::Quiet(EACCES)),
        Act::Create { .. } if makes_directory => Some(Ruling::Quiet(EACCES)),
        _ => refused(),
    }
}

/// The header of the package `cxx`: published, or in the user's own workspace.
fn is_cxx_header(policy: &Policy, target: &[u8]) -> bool {
    let published = [policy.places.cargo_home.join("registry/src"), policy.places.cargo_home.join("git/checkouts")];
    let of_cxx = |rest: &[u8]| components(rest).nth(1).is_some_and(is_cxx) || components(rest).next().is_some_and(is_cxx);
    let own = policy.places.workspace.iter().chain(&policy.places.packages);
    is_clean(target)
        && target.ends_with(b"/include/cxx.h")
        && (published.iter().filter_map(|tree| below(target, tree)).any(of_cxx)
            || policy.places.result(target).is_none() && own.into_iter().any(|tree| below(target, tree).is_some()))
}

/// `cxx-1.0.190`, `cxx-<hash>`.
fn is_cxx(part: &[u8]) -> bool {
    part.strip_prefix(b"cxx-").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_hexdigit) && !rest.contains(&b'-'))
}

/// Does a link with this text, made in this directory, lead to the actor's own output? By its words alone.
fn leads_into_output(policy: &Policy, directory: &[u8], target: &[u8]) -> bool {
    let mut parts: Vec<&[u8]> = if target.starts_with(b"/") { Vec::new() } else { components(directory).collect() };
    for part in components(target) {
        match part {
            b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let whole = parts.iter().flat_map(|part| [b"/", *part].concat()).collect::<Vec<u8>>();
    policy.own.outputs.iter().any(|tree| below(&whole, tree).is_some())
}

/// Directories of the documentation that are about one crate by the name below them, besides those of the crates themselves.
const BY_CRATE: [&[u8]; 2] = [b"src", b"search.desc"];
/// Directories that are about all crates.
const OF_ALL: [&[u8]; 5] = [b"static.files", b"search.index", b"trait.impl", b"type.impl", b"implementors"];

/// In the documentation a crate has its own pages; indexes, style sheets and lists of implementors are all crates'. Who was not told to write
/// pages there (`rustdoc --test`, and the doctests it runs) has no grant of the directory.
fn page(policy: &Policy, act: &Act, path: &[u8]) -> Option<Ruling> {
    let rest = below_pages(policy, path)?;
    let makes = matches!(act, Act::Create { .. });
    let mut parts = components(rest);
    let (first, second) = (parts.next(), parts.next());
    let allowed = match first {
        None => makes,
        Some(first) if BY_CRATE.contains(&first) => second.is_none() && makes || is_own_crate(policy, second),
        // rustdoc writes its search index anew each time, directory and all.
        Some(first) if OF_ALL.contains(&first) => second.is_some() || makes || matches!(act, Act::Remove { .. }),
        // A file at the top, by the shape of its name: no crate is called so.
        Some(first) => is_own_crate(policy, Some(first)) || second.is_none() && first.contains(&b'.'),
    };
    if allowed { None } else { Some(alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (another crate's pages)")) }
}

fn below_pages<'p>(policy: &Policy, path: &'p [u8]) -> Option<&'p [u8]> {
    policy.own.outputs.iter().filter(|output| output.ends_with("doc")).find_map(|output| below(path, output))
}

fn is_own_crate(policy: &Policy, name: Option<&[u8]>) -> bool {
    name.is_some_and(|name| policy.own.crate_name.as_ref().is_some_and(|own| own.as_bytes() == name))
}

/// What of an allowed act is rustdoc's own business: scripts, style sheets and indexes that every page of every crate loads, and pages at
/// the top. Macros that run inside of it have none there. Directories hold nothing themselves.
pub(crate) fn of_all_pages(policy: &Policy, act: &Act, object: Option<Object>) -> Option<Ruling> {
    let path = match act {
        Act::Create { path } | Act::Write { path } | Act::Remove { path } | Act::Symlink { path, .. } => path,
        Act::Rename { to, .. } | Act::Link { to, .. } => to,
        _ => return None,
    };
    if policy.kind != ActorKind::Rustdoc || is_directory(object) {
        return None;
    }
    let first = components(below_pages(policy, path.as_bytes())?).next()?;
    let by_crate = BY_CRATE.contains(&first) || is_own_crate(policy, Some(first));
    (!by_crate).then(|| alarm(policy, Rule::FsForeignArtifact, Severity::High, "write (pages and scripts that all crates share)"))
}

fn is_compiler(policy: &Policy) -> bool {
    matches!(policy.kind, ActorKind::Rustc | ActorKind::Linker | ActorKind::ProcMacro)
}

fn is_common(directory: &[u8]) -> bool {
    COMMON.contains(&directory)
}

/// The entry of a common directory that `path` is or lies in.
fn thing<'p>(policy: &Policy, path: &'p [u8]) -> Option<&'p [u8]> {
    let common = policy.own.outputs.iter().filter(|output| is_common(name(output.as_os_str().as_bytes())));
    let rest = common.filter_map(|output| below(path, output)).min_by_key(|rest| rest.len()).filter(|rest| !rest.is_empty())?;
    let deeper = rest.iter().position(|b| *b == b'/').map_or(0, |at| rest.len() - at);
    Some(&path[..path.len() - deeper])
}

/// Does the act put something at `path`, where nothing was? (What a rename replaces is removed first, as an act of its own.)
fn is_new(act: &Act, path: &[u8]) -> bool {
    match act {
        Act::Create { .. } | Act::Symlink { .. } => true,
        Act::Rename { to, .. } | Act::Link { to, .. } => to.as_bytes() == path,
        _ => false,
    }
}

pub(crate) fn done(policy: &Policy, act: &Act) {
    if !is_compiler(policy) {
        return;
    }
    let passing = |path: &[u8]| thing(policy, path).is_some_and(|thing| thing.len() == path.len() && is_passing(name(thing)));
    if let Act::Rename { from: path, .. } | Act::Remove { path } = act {
        policy.made.leave(path.as_bytes());
    }
    if let Act::Create { path } | Act::Symlink { path, .. } | Act::Rename { to: path, .. } | Act::Link { to: path, .. } = act
        && passing(path.as_bytes())
    {
        policy.made.enter(path.as_bytes());
    }
}

/// Some crates (`cdylib`) carry no hash: then the crate's name must do.
fn is_own_artifact(policy: &Policy, last: &[u8]) -> bool {
    let own = policy.own.extra_filename.as_deref().unwrap_or_default().trim_start_matches('-').as_bytes();
    if !own.is_empty() {
        let names_own_alone = || hashes_in(last).all(|theirs| theirs == own) && last.windows(own.len()).any(|part| part == own);
        return is_own_object(policy, last) || names_own_alone();
    }
    let Some(crate_name) = policy.own.crate_name.as_deref().filter(|name| !name.is_empty()) else {
        return hashes_in(last).next().is_none();
    };
    let stem = last.strip_prefix(b"lib").filter(|stem| stem.starts_with(crate_name.as_bytes())).unwrap_or(last);
    let stem = stem.strip_prefix(crate_name.as_bytes());
    hashes_in(last).next().is_none()
        && stem.is_some_and(|rest| rest.first().is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_'))
}

/// With link-time optimization the compiler writes objects of others' code beside its own, and names them after both:
/// `<crate>-<its hash>.<other>-<other's hash>.….rcgu.o`. Nobody else's file begins so.
fn is_own_object(policy: &Policy, last: &[u8]) -> bool {
    let stem = policy.own.crate_name.iter().chain(&policy.own.extra_filename).flat_map(|part| part.bytes()).collect::<Vec<u8>>();
    let after = policy.own.crate_name.as_ref().and_then(|_| last.strip_prefix(&stem[..]));
    after.is_some_and(|rest| rest.starts_with(b".")) && last.ends_with(b".rcgu.o")
}

/// What compilers and linkers make beside their result and remove again: rustc's `rmetaXXXXXX` and `.tmpXXXXXX.temp-archive`, `stXXXXXX`
/// of GNU strip, mold's own. No loader asks for such a name; but what lies in another's `rustcXXXXXX` is linked into it.
fn is_passing(last: &[u8]) -> bool {
    let last = last.strip_suffix(b".temp-archive").unwrap_or(last);
    [&b"rmeta"[..], b"rustc", b"st", b".mold-", b".tmp"].iter().any(|front| last.strip_prefix(*front).is_some_and(is_drawn))
}

/// The 16 hex digits after each `-` that has them.
fn hashes_in(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|b| *b == b'-').skip(1).filter_map(|part| part.get(..16)).filter(|hash| hash.iter().all(u8::is_ascii_hexdigit))
}
