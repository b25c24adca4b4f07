//! The sentences every renderer shares: who did what, and what became of it. In: parts of the report and a medium's two escapers. Out:
//! text that is safe in that medium.

use std::collections::BTreeSet;

use super::escape;
use crate::model::report::{Phases, Report, ReportedActor, ReviewedUse};
use crate::model::{Act, Actor, ActorKind, Endpoint, Evidence, Finding, Hostile, Package, Reviewed, Rule, Status};

/// How a medium shows text of others. Both mark it as a quotation (backticks, `<code>` …) and escape it.
#[derive(Clone, Copy)]
pub struct Medium {
    pub text: fn(&Hostile) -> String,
    pub name: fn(&str) -> String,
}

/// Between backticks, as on a terminal: in Markdown nothing is markup there, and the escapes leave none inside.
pub const QUOTED: Medium = Medium { text: |text| format!("`{}`", escape::quoted(text)), name: |name| format!("`{}`", escape::name(name)) };

impl Medium {
    /// "build script of `x` 1.0.0 tried to read `{workspace}/.env` — refused"
    pub fn title(self, report: &Report, finding: &Finding) -> String {
        if let (Some(is), Some(package)) = (barred(finding.rule), &finding.offender) {
            return format!("package {} {is} — {}", self.package(package), fate(finding));
        }
        let actor = report.actor(finding.actor);
        let mut subject = actor.map_or_else(|| "an unknown actor".to_owned(), |actor| self.subject(report, actor));
        let own = report.actor(finding.actor).and_then(|actor| actor.package.as_ref());
        let other = finding.offender.as_ref().filter(|offender| !own.is_some_and(|own| same(own, offender)));
        let through = match (other, finding.through.first()) {
            (Some(caller), Some(library)) => format!(", {}, through {},", self.package(caller), self.package(library)),
            (Some(by), None) | (None, Some(by)) => format!(", through {},", self.package(by)),
            (None, None) => String::new(),
        };
        if !through.is_empty() {
            subject.truncate(subject.trim_end_matches(',').len());
        }
        let mut did = match (finding.rule, finding.evidence.first()) {
            (Rule::SecretThenNetwork, _) => format!("{} after a secret and the network", if is_many(actor) { "were" } else { "was" }),
            (_, Some(evidence)) => self.act(&evidence.act, finding.status_of(evidence)),
            (_, None) => format!("broke {}", finding.rule.id()),
        };
        // The same act may have come by several ways.
        let acts: BTreeSet<_> = finding.evidence.iter().map(|evidence| &evidence.act).collect();
        let more = (acts.len().saturating_sub(1) as u64).saturating_add(finding.truncated);
        if more > 0 && finding.rule != Rule::SecretThenNetwork {
            did.push_str(&format!(" and {more} more"));
        }
        let became = |evidence: &Evidence| finding.status_of(evidence);
        let first = finding.evidence.first().filter(|_| !is_correlated(finding)).map_or(finding.status, became);
        let mixed = !is_correlated(finding) && finding.evidence.iter().any(|evidence| became(evidence) != first);
        let mixed = if mixed { ", not all of it" } else { "" };
        format!("{subject}{through} {did} — {}{mixed}", fate_of(finding.rule, first))
    }

    /// "who called `ureq` 2.0.0 is not on the stack: `a` 1.0.0 or `b` 1.0.0"
    pub fn candidates(self, finding: &Finding) -> Option<String> {
        const LISTED: usize = 10;
        let offender = finding.offender.as_ref().filter(|_| !finding.candidates.is_empty())?;
        let mut all: Vec<_> = finding.candidates.iter().take(LISTED).map(|package| self.package(package)).collect();
        if finding.candidates.len() > LISTED {
            all.push(format!("{} more", finding.candidates.len() - LISTED));
        }
        let all = all.join(" or ");
        Some(match finding.compiled {
            true => {
                format!("it is the compiler's doing, for the text of {}, which a macro may have written: {all}", self.package(offender))
            }
            false => format!("who called {} is not on the stack: {all}", self.package(offender)),
        })
    }

    /// "build script of `x` 1.0.0", "tests of `app` 0.1.0"
    pub fn subject(self, report: &Report, actor: &ReportedActor) -> String {
        let whose = match (&actor.package, &actor.crate_name) {
            (Some(package), _) => self.package(package),
            (None, Some(name)) => format!("{} (package unknown)", (self.name)(name)),
            (None, None) => "an unknown package".to_owned(),
        };
        match actor.kind {
            ActorKind::BuildScript => format!("build script of {whose}"),
            // A macro's host is a compiler. In a stored report it may be anything, itself or another macro: no way leads in circles.
            ActorKind::ProcMacro => match actor.host.and_then(|host| report.actor(host)).filter(|host| host.kind != ActorKind::ProcMacro) {
                Some(host) => format!("proc-macro {whose} inside the {}", self.subject(report, host)),
                None => format!("proc-macro {whose}"),
            },
            ActorKind::Rustc => format!("compiler of {whose}"),
            ActorKind::Linker => format!("linker of {whose}"),
            ActorKind::Rustdoc => format!("rustdoc of {whose}"),
            ActorKind::Program if actor.crate_name.as_deref() == Some(Actor::CONFIGURATION) => {
                format!("program named in {} of {whose}", (self.name)(Actor::CONFIGURATION))
            }
            ActorKind::Program => format!("{} of {whose}", role(actor)),
            ActorKind::Tool => match actor.crate_name.as_deref() {
                Some(Actor::CARGO) if actor.package.is_none() => "cargo, led by a link among its results,".to_owned(),
                Some(Actor::CARGO) => format!("cargo, led by a link of {whose},"),
                Some(Actor::FIX) => format!("cargo, told so by the compiler of {whose},"),
                Some(name) => format!("tool {}", (self.name)(name)),
                None => "a tool started by cargo".to_owned(),
            },
        }
    }

    pub fn package(self, package: &Package) -> String {
        // A version stands outside the quotation, but only if it is one: it comes from somebody's `Cargo.toml`.
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
        let sound =
            package.version.starts_with(|c: char| c.is_ascii_digit()) && package.version.len() < 60 && package.version.chars().all(plain);
        let version = if sound { package.version.clone() } else { (self.name)(&package.version) };
        format!("{} {version}", (self.name)(&package.name))
    }

    /// "`x-macros` 1.0.0": whom a reviewed allow is for.
    pub fn user(self, by: &Reviewed) -> String {
        let (name, version) = (by.name.clone(), by.version.clone());
        self.package(&Package { name, version, source: None, checksum: None, manifest_dir: None })
    }

    /// "`x-macros` 1.0.0 (proc-macro): write `{out-of:x}/made`, 3 times; a generator (`profiles/reviewed.toml:9`)"; `ours` escapes a
    /// sentence for this medium.
    pub fn reviewed(self, used: &ReviewedUse, ours: fn(&str) -> String) -> String {
        let (by, kind) = (&used.by, used.by.actor.name());
        let (grant, origin) = ((self.name)(&by.grant), (self.name)(&by.origin));
        format!("{} ({kind}): {} {grant}, {}; {} ({origin})", self.user(by), ours(&by.list), count(used.count, "time"), ours(&by.reason))
    }

    /// "tried to read `…`", and of what was done "read `…`". Whether somebody answered at the other end of a connection that was let through is not
    /// known, so such a one stays tried.
    pub fn act(self, act: &Act, status: Status) -> String {
        let text = self.text;
        let verb = |tried: &str, done: &str| if status == Status::Refused { format!("tried to {tried}") } else { done.to_owned() };
        match act {
            Act::Read { path } => format!("{} {}", verb("read", "read"), text(path)),
            Act::Write { path } => format!("{} {}", verb("write", "wrote"), text(path)),
            Act::Create { path } => format!("{} {}", verb("create", "created"), text(path)),
            Act::Remove { path } => format!("{} {}", verb("remove", "removed"), text(path)),
            Act::Rename { from, to } => format!("{} {} to {}", verb("rename", "renamed"), text(from), text(to)),
            Act::Link { from, to } => format!("{} {} as {}", verb("hard-link", "hard-linked"), text(from), text(to)),
            Act::Symlink { target, path } => format!("{} {} at {}", verb("point", "pointed"), text(path), text(target)),
            Act::Metadata { call, path } => {
                let call = (self.name)(call);
                format!("{} {}", verb(&call, &format!("called {call} for")), text(path))
            }
            Act::Exec { path, .. } => format!("{} {}", verb("run", "ran"), text(path)),
            Act::Socket { family, kind } => {
                format!("{} a socket of {} {}", verb("open", "opened"), (self.name)(family), (self.name)(kind))
            }
            Act::Connect { to } => format!("tried to connect to {}", self.endpoint(to, status)),
            Act::Send { to } => format!("tried to send to {}", self.endpoint(to, status)),
            Act::Bind { to } => format!("{} {}", verb("listen on", "listened on"), self.endpoint(to, status)),
            Act::Lookup { name, .. } => format!("tried to look up {}", text(name)),
            Act::Signal { signal, to } if signal == "0" => format!("{} about the process {}", verb("find out", "found out"), text(to)),
            Act::Signal { signal, to } => format!("{} {} to {}", verb("send", "sent"), (self.name)(signal), text(to)),
            Act::Tamper { call, detail } if detail.is_empty() => format!("{} {}", verb("call", "called"), (self.name)(call)),
            Act::Tamper { call, detail } => format!("{} {}: {}", verb("call", "called"), (self.name)(call), text(detail)),
            Act::Linger { exe } => format!("was still running {} when the time was over", text(exe)),
            Act::Survive { exe } => format!("tried to outlive the build as {}", text(exe)),
            Act::Withhold { name } => format!("was to be given {}", (self.name)(name)),
            Act::Tell { directive, value } => format!("told cargo {} {}", (self.name)(directive), text(value)),
        }
    }

    /// The same with everything that is known of it: "tried to run `/usr/bin/curl`: `curl -F file=@.env …`".
    pub fn deed(self, act: &Act, status: Status) -> String {
        match act {
            Act::Exec { argv, .. } if argv.len() > 1 => format!("{}: {}", self.act(act, status), (self.text)(&command(argv))),
            act => self.act(act, status),
        }
    }

    /// "`h.example` (tcp, `203.0.113.7:443`)"; the address that a sink gave to a name is nobody's, and is not told: "`h.example` (tcp, port 443)".
    pub fn endpoint(self, to: &Endpoint, status: Status) -> String {
        match to {
            Endpoint::Ip { protocol, address, host: Some(host) } if status == Status::Decoy => {
                format!("{} ({}, port {})", (self.text)(host), plain(protocol), address.port())
            }
            Endpoint::Ip { protocol, address, host } => {
                let address = (self.name)(&address.to_string());
                let protocol = plain(protocol);
                match host {
                    Some(host) => format!("{} ({protocol}, {address})", (self.text)(host)),
                    None => format!("{address} ({protocol})"),
                }
            }
            Endpoint::UnixPath { path } => format!("the socket {}", (self.text)(path)),
            Endpoint::UnixAbstract { name } => format!("the abstract socket {}", (self.text)(name)),
            Endpoint::Other { name } => format!("an address of {}", (self.name)(name)),
        }
    }
}

fn plain(protocol: &str) -> String {
    protocol.chars().filter(char::is_ascii_alphanumeric).take(12).collect()
}

/// The roles `assemble` knows, and no word of others: it stands outside every quotation.
fn role(actor: &ReportedActor) -> &'static str {
    let known = ["tests", "doctests", "benches", "example"].into_iter().find(|known| actor.role.as_deref() == Some(known));
    known.unwrap_or("program")
}

fn same(a: &Package, b: &Package) -> bool {
    a.name == b.name && a.version == b.version
}

/// A command line with a word's blanks kept together.
pub fn command(argv: &[Hostile]) -> Hostile {
    let quote = |word: &Hostile| match word.as_bytes() {
        bytes if bytes.is_empty() || bytes.iter().any(u8::is_ascii_whitespace) => [b"\"", bytes, b"\""].concat(),
        bytes => bytes.to_vec(),
    };
    Hostile::new(argv.iter().map(quote).collect::<Vec<_>>().join(&b' '))
}

/// The acts of a correlation are of two kinds: its sentence tells neither.
pub fn is_correlated(finding: &Finding) -> bool {
    finding.rule == Rule::SecretThenNetwork
}

/// What a package is that was kept from a build.
fn barred(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::PackageMalicious => Some("is known to be malicious"),
        Rule::PackageDenied => Some("is denied"),
        Rule::BaselineUnaccepted => Some("runs code at build time that nobody has accepted"),
        _ => None,
    }
}

/// Is it told of in the plural?
fn is_many(actor: Option<&ReportedActor>) -> bool {
    let program = actor.filter(|actor| actor.kind == ActorKind::Program);
    program.is_some_and(|actor| role(actor).ends_with('s') && actor.crate_name.as_deref() != Some(Actor::CONFIGURATION))
}

/// What became of it.
pub fn fate(finding: &Finding) -> &'static str {
    fate_of(finding.rule, finding.status)
}

/// What became of one act of it.
fn fate_of(rule: Rule, status: Status) -> &'static str {
    match (status, rule) {
        (Status::Observed, _) => "let through, enforce would refuse it",
        (Status::Decoy, _) => "allowed on a decoy",
        (_, Rule::EnvWithheld | Rule::EnvLoader) => "withheld",
        (Status::Allowed, Rule::BaselineNew) => "let happen, and new",
        (_, Rule::PackageMalicious | Rule::PackageDenied | Rule::BaselineUnaccepted) => "kept from the build",
        (_, Rule::ProcTimeout) => "ended with the build",
        (Status::Refused, _) => "refused",
        (Status::Redacted, _) => "given a copy without its credentials",
        (Status::Allowed, _) => "recorded",
    }
}

/// Does it say that something is new, and not that a rule of the profile was broken?
pub fn is_of_the_lock(rule: Rule) -> bool {
    matches!(rule, Rule::BaselineNew | Rule::BaselineUnaccepted)
}

/// The signal that ended cargo, or the program that `cargo run` became; nothing where it ended by itself.
pub fn killed(report: &Report) -> Option<&'static str> {
    let number = report.outcome.cargo_exit.filter(|_| !report.outcome.timed_out)?.checked_sub(128)?;
    nix::sys::signal::Signal::try_from(number).ok().map(nix::sys::signal::Signal::as_str)
}

/// " (×2)"
pub fn times(count: u64) -> String {
    if count > 1 { format!(" (×{count})") } else { String::new() }
}

/// "1 act", "2 acts"
pub fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Build scripts and macros that did not run.
pub fn units(n: u64) -> String {
    if n == 1 { "1 build script or macro".to_owned() } else { format!("{n} build scripts and macros") }
}

/// Code that runs at build time; with libraries among it.
pub fn code(n: u64, linked: bool) -> String {
    match (linked, n) {
        (false, n) => units(n),
        (true, 1) => "1 library that is linked into code of a build".to_owned(),
        (true, n) => format!("{n} build scripts, macros and libraries linked into such"),
    }
}

/// When cargo itself had a network.
pub fn phases(phases: &Phases) -> &'static str {
    match (phases.fetched, phases.offline, phases.wanted > 0) {
        (_, false, _) => "in every phase",
        (true, true, false) => "while it fetched; none while it built",
        (true, true, true) => "while it fetched; none while it built, though it wanted one",
        (false, true, false) => "none: nothing was fetched",
        (false, true, true) => "none: nothing was fetched, though it wanted one",
    }
}
