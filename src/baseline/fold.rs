//! What a report says that code of others did, as lines that do not depend on the machine, the user, debug or release, a warm or a cold cache. In: a report, the
//! directories of its packages. Out: lines by package and kind of actor. What everybody does who is built (reads of its own sources, of the system and the
//! toolchain, writes to its own results) is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::line::Line;
use super::programs::{self, Program};
use crate::model::report::{Behaviour, Report, ReportedActor};
use crate::model::{Act, Actor, ActorId, ActorKind, Endpoint, Evidence, Finding, Hostile, Package, Severity, Status};

/// Where the packages lie that are not the workspace's own, as a report writes paths.
#[derive(Clone, Debug, Default)]
pub struct Dirs {
    /// Directory, name, version; deepest first.
    known: Vec<(Vec<u8>, String, String)>,
    /// A report of another day has other versions.
    any_version: bool,
}

impl Dirs {
    pub fn new(packages: impl IntoIterator<Item = (Hostile, String, String)>) -> Dirs {
        let mut known: Vec<_> = packages.into_iter().map(|(dir, name, version)| (dir.as_bytes().to_vec(), name, version)).collect();
        known.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        Dirs { known, any_version: false }
    }

    /// For reports of another day: packages by their names alone.
    pub fn of_any_version(self) -> Dirs {
        Dirs { any_version: true, ..self }
    }

    /// Is this package somebody else's?
    pub fn are_of(&self, package: &Package) -> bool {
        self.known.iter().any(|(_, name, version)| *name == package.name && (self.any_version || *version == package.version))
    }

    /// Whose directory a path lies in, and what is left of it.
    fn whose<'a>(&'a self, path: &'a [u8]) -> Option<(&'a str, &'a [u8])> {
        let found = self.known.iter().find_map(|(dir, name, _)| {
            let rest = path.strip_prefix(dir.as_slice())?;
            (rest.is_empty() || rest[0] == b'/').then_some((name.as_str(), rest))
        });
        found.or_else(|| published(path))
    }
}

/// Package and kind of actor.
pub type Key = (String, ActorKind);

/// What one line stands for.
#[derive(Clone, Debug)]
pub struct Did<'r> {
    pub actor: ActorId,
    pub version: &'r str,
    pub act: &'r Act,
    pub status: Status,
    pub count: u64,
}

/// All lines of a report, each with the acts behind it.
pub struct Folded<'r> {
    pub lines: BTreeMap<Key, BTreeMap<Line, Vec<Did<'r>>>>,
    /// Units whose code ran: build scripts, and macros that were compiled.
    pub ran: BTreeSet<(String, String, ActorKind)>,
}

/// What an act is looked at with.
struct Light<'r> {
    /// Of the machine.
    arch: &'r str,
    dirs: &'r Dirs,
    resolvers: BTreeSet<SocketAddr>,
}

pub fn fold<'r>(report: &'r Report, dirs: &'r Dirs) -> Folded<'r> {
    // Acts of findings: the others that were refused are habits, which got nothing.
    let loud = || report.findings.iter().filter(|finding| finding.severity > Severity::Info);
    let told: BTreeSet<(ActorId, &Act)> = loud().flat_map(|finding| finding.evidence.iter().map(|one| (finding.actor, &one.act))).collect();
    let resolvers = report.behaviour.iter().filter_map(|did| match &did.act {
        Act::Lookup { via: Endpoint::Ip { address, .. }, .. } => Some(*address),
        _ => None,
    });
    let light = Light { arch: &report.host.arch, dirs, resolvers: resolvers.collect() };
    let mut folded = Folded { lines: BTreeMap::new(), ran: BTreeSet::new() };
    let by_id: BTreeMap<ActorId, &ReportedActor> = report.actors.iter().map(|actor| (actor.id, actor)).collect();
    for actor in report.actors.iter().filter(|actor| actor.attributed_by != Actor::ABSENT) {
        let Some(package) = actor.package.as_ref().filter(|package| dirs.are_of(package)) else { continue };
        let kind = match (actor.kind, actor.role.as_deref()) {
            (ActorKind::BuildScript, _) => ActorKind::BuildScript,
            (ActorKind::Rustc, Some(ReportedActor::OF_A_MACRO)) => ActorKind::ProcMacro,
            _ => continue,
        };
        folded.ran.insert((package.name.clone(), package.version.clone(), kind));
    }
    for Behaviour { actor: id, act, status, count, .. } in &report.behaviour {
        let Some(actor) = by_id.get(id) else { continue };
        let Some(package) = actor.package.as_ref().filter(|package| dirs.are_of(package)) else { continue };
        // Habits got nothing.
        if *status == Status::Refused && !told.contains(&(*id, act)) {
            continue;
        }
        if let Some(line) = light.line(&package.name, actor.kind, act, *status) {
            let did = Did { actor: *id, version: &package.version, act, status: *status, count: *count };
            folded.lines.entry((package.name.clone(), actor.kind)).or_default().entry(line).or_default().push(did);
        }
    }
    // Whom the stack names inside a program of the workspace's own.
    for finding in &report.findings {
        let (Some(actor), Some(offender)) = (by_id.get(&finding.actor), &finding.offender) else { continue };
        let own = actor.package.as_ref().is_some_and(|own| (&own.name, &own.version) == (&offender.name, &offender.version));
        if own || !dirs.are_of(offender) {
            continue;
        }
        for (one, status) in acts(finding) {
            if let Some(line) = light.line(&offender.name, actor.kind, &one.act, status) {
                let did = Did { actor: finding.actor, version: &offender.version, act: &one.act, status, count: one.count };
                folded.lines.entry((offender.name.clone(), actor.kind)).or_default().entry(line).or_default().push(did);
            }
        }
    }
    folded
}

/// With what became of each. One that was refused and is only a note is a habit.
fn acts(finding: &Finding) -> impl Iterator<Item = (&Evidence, Status)> {
    let all = finding.evidence.iter().map(|one| (one, finding.status_of(one)));
    all.filter(|(_, status)| finding.severity > Severity::Info || *status != Status::Refused)
}

/// The lines of a finding's acts, for whom it names.
pub fn of_finding(report: &Report, dirs: &Dirs, finding: &Finding) -> Option<(Key, Vec<Line>)> {
    let (actor, offender) = (report.actor(finding.actor)?, finding.offender.as_ref().filter(|offender| dirs.are_of(offender))?);
    let light = Light { arch: &report.host.arch, dirs, resolvers: BTreeSet::new() };
    let lines: Vec<Line> = acts(finding).filter_map(|(one, status)| light.line(&offender.name, actor.kind, &one.act, status)).collect();
    (!lines.is_empty()).then(|| ((offender.name.clone(), actor.kind), lines))
}

/// The line of one act that is allowed, as a report has it, while it happens. Nothing for what everybody does.
pub fn line_of(act: &Act, (package, kind): (&str, ActorKind), (arch, dirs): (&str, &Dirs)) -> Option<Line> {
    Light { arch, dirs, resolvers: BTreeSet::new() }.line(package, kind, act, Status::Allowed)
}

impl Light<'_> {
    fn line(&self, package: &str, kind: ActorKind, act: &Act, status: Status) -> Option<Line> {
        match act {
            Act::Read { path } => self.read(package, path.as_bytes(), status),
            Act::Write { path } | Act::Create { path } | Act::Symlink { path, .. } | Act::Metadata { path, .. } => {
                self.change("write", package, kind, path.as_bytes(), status)
            }
            Act::Rename { to, .. } | Act::Link { to, .. } => self.change("write", package, kind, to.as_bytes(), status),
            Act::Remove { path } => self.change("remove", package, kind, path.as_bytes(), status),
            // Whatever compiler or linker the machine has.
            Act::Exec { .. } if status == Status::Allowed && matches!(kind, ActorKind::Rustc | ActorKind::Rustdoc) => None,
            Act::Exec { path, .. } => Some(Line::new("exec", &[&self.program(package, path.as_bytes())?])),
            Act::Connect { to } | Act::Send { to } => self.reach("connect", package, to),
            Act::Bind { to } => self.reach("bind", package, to),
            Act::Lookup { name, .. } => Some(Line::new("lookup", &[name.as_bytes()])),
            Act::Socket { family, kind } => Some(Line::new("socket", &[family.as_bytes(), kind.as_bytes()])),
            Act::Signal { signal, .. } if signal == "0" => None,
            Act::Signal { signal, to } => Some(Line::new("signal", &[signal.as_bytes(), &self.program(package, to.as_bytes())?])),
            Act::Tamper { call, .. } => Some(Line::new("tamper", &[call.as_bytes()])),
            Act::Survive { exe } => Some(Line::new("outlive", &[&self.program(package, exe.as_bytes()).unwrap_or_default()])),
            // What its own words to cargo are worth is found where they are worth something.
            Act::Tell { directive, .. } => (status != Status::Allowed).then(|| Line::new("tell", &[directive.as_bytes()])),
            // Of the machine and the moment.
            Act::Withhold { .. } | Act::Linger { .. } => None,
        }
    }

    fn read(&self, package: &str, path: &[u8], status: Status) -> Option<Line> {
        const ORDINARY: [&str; 6] = ["{out}", "{tmp}", "{target}", "{toolchain}", "{rustup-home}", "{cargo-home}/bin"];
        // Names above are looked at by whoever follows links.
        const ABOVE: [&str; 5] = ["{workspace}", "{home}", "{cargo-home}", "{cargo-home}/registry", "{cargo-home}/registry/src"];
        if ABOVE.iter().any(|place| path == place.as_bytes())
            || ORDINARY.iter().any(|place| below(path, place)) && status == Status::Allowed
        {
            return None;
        }
        if let Some((whose, _)) = self.dirs.whose(path) {
            return (whose != package).then(|| Line::new("read", &[format!("{{package:{whose}}}").as_bytes()]));
        }
        // What is no place of the build's is the machine's: what the profile lets everybody read there says nothing.
        let of_the_build = path.starts_with(b"{");
        (of_the_build || status != Status::Allowed).then(|| Line::new("read", &[&self.steady(package, path)]))
    }

    fn change(&self, verb: &str, package: &str, kind: ActorKind, path: &[u8], status: Status) -> Option<Line> {
        let own: &[&str] = if kind == ActorKind::BuildScript { &["{out}", "{tmp}"] } else { &["{target}", "{tmp}"] };
        if status == Status::Allowed && (own.iter().any(|place| below(path, place)) || path.starts_with(b"/dev/")) {
            return None;
        }
        Some(Line::new(verb, &[&self.steady(package, path)]))
    }

    /// Nothing for a program's own part.
    fn program(&self, package: &str, path: &[u8]) -> Option<Vec<u8>> {
        let arch = self.arch;
        for place in ["{toolchain}/bin/", "{cargo-home}/bin/"] {
            if let Some(file) = path.strip_prefix(place.as_bytes()) {
                return Some(programs::name(file, arch).to_vec());
            }
        }
        if below(path, "{toolchain}") {
            return None;
        }
        match programs::of(path, arch) {
            Some(Program::Named(name)) => Some(name.to_vec()),
            Some(Program::Part) => None,
            None => Some(self.steady(package, path)),
        }
    }

    fn reach(&self, verb: &str, package: &str, to: &Endpoint) -> Option<Line> {
        match to {
            Endpoint::Ip { address, .. } if self.resolvers.contains(address) => None,
            Endpoint::Ip { protocol, address, host } => {
                // Ports that the kernel draws (ip_local_port_range).
                let drawn = address.port() == 0 || address.ip().is_loopback() && address.port() >= 32768;
                let port = if drawn { "*".to_owned() } else { address.port().to_string() };
                let whom = match host {
                    Some(host) => host.as_bytes().to_vec(),
                    None if address.ip().is_loopback() => b"loopback".to_vec(),
                    None => address.ip().to_string().into_bytes(),
                };
                Some(Line::new(verb, &[protocol.as_bytes(), &[&whom[..], b":", port.as_bytes()].concat()]))
            }
            Endpoint::UnixPath { path } => Some(Line::new(verb, &[b"unix", &self.steady(package, path.as_bytes())])),
            Endpoint::UnixAbstract { name } => Some(Line::new(verb, &[b"unix", &[b"@", name.as_bytes()].concat()])),
            Endpoint::Other { name } => Some(Line::new(verb, &[name.as_bytes()])),
        }
    }

    /// A path without what differs from machine to machine and from build to build.
    fn steady(&self, package: &str, path: &[u8]) -> Vec<u8> {
        if let Some((whose, rest)) = self.dirs.whose(path) {
            let place = if whose == package { "{package}".to_owned() } else { format!("{{package:{whose}}}") };
            return [place.as_bytes(), rest].concat();
        }
        let Some(rest) = path.strip_prefix(b"{target}/") else { return path.to_vec() };
        // `{target}/debug`, `{target}/x86_64-unknown-linux-gnu/release`.
        let mut parts: Vec<Vec<u8>> = rest.split(|byte| *byte == b'/').map(without_hash).collect();
        let levels = if parts.first().is_some_and(|first| first.iter().filter(|byte| **byte == b'-').count() >= 2) { 2 } else { 1 };
        if parts.len() > levels {
            parts.splice(..levels, [b"*".to_vec()]);
        }
        [b"{target}/", &parts.join(&b'/')[..]].concat()
    }
}

/// Sources that cargo has unpacked say whose they are: `{cargo-home}/registry/src/<index>/<name>-<version>/…`.
fn published(path: &[u8]) -> Option<(&str, &[u8])> {
    let rest = path.strip_prefix(b"{cargo-home}/registry/src/")?;
    let rest = &rest[rest.iter().position(|byte| *byte == b'/')? + 1..];
    let (dir, rest) = rest.split_at(rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len()));
    let dir = std::str::from_utf8(dir).ok()?;
    let is_version = |text: &str| {
        let mut parts = text.splitn(3, '.');
        let mut number = || parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        number() && number() && text.matches('.').count() >= 2
    };
    let at = dir.match_indices('-').map(|(at, _)| at).find(|at| is_version(&dir[at + 1..]))?;
    Some((&dir[..at], rest))
}

fn below(path: &[u8], place: &str) -> bool {
    path.strip_prefix(place.as_bytes()).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
}

/// `foo-1f0a…` → `foo-*`: 16 hexadecimal digits, before an ending or at the end.
fn without_hash(part: &[u8]) -> Vec<u8> {
    let Some(at) = part.iter().rposition(|byte| *byte == b'-') else { return part.to_vec() };
    let digits = part[at + 1..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let ends = part.get(at + 1 + digits).is_none_or(|byte| *byte == b'.');
    if digits == 16 && ends { [&part[..=at], b"*", &part[at + 1 + digits..]].concat() } else { part.to_vec() }
}
