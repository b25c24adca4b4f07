//! What each crate did, in a few lists: the answer to "which crates used the network", "which ran programs", "what did this one do", on clean runs too. In:
//! a report. Out: a summary for each package, and for each how unusual it is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::capabilities;
use super::classes::{Class, Classes};
use super::incidents::Incident;
use super::wording::is_correlated;
use crate::model::report::{Behaviour, Report, ReportedActor};
use crate::model::{Act, ActorId, ActorKind, Endpoint, Hostile, Package, Rule, Severity, Status};

/// Entries of one list; the rest is counted.
const LISTED: usize = 50;

/// One thing used, and the worst that became of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    pub what: Hostile,
    pub status: Status,
    pub count: u64,
}

/// What was used in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List(pub Vec<Used>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What of it ran: `build-script`, `proc-macro`, `tests` …
    pub ran: BTreeSet<String>,
    /// Addresses and names it was after.
    pub network: List,
    /// Programs it ran, or tried to; what its compiler runs to link is none.
    pub programs: List,
    /// What it read that is neither its own, nor the system's or the compiler's.
    pub reads_outside: List,
    /// The same of what it changed; and of its own, what it may not.
    pub writes_outside: List,
    /// Credentials it was after.
    pub secrets: List,
    /// What its own code used or tried to, in the words of Capslock; of a compiler only what is blamed on somebody in it.
    pub capabilities: BTreeSet<&'static str>,
    /// Variables that were withheld from it.
    pub withheld: BTreeSet<String>,
    /// Reviewed allows and exceptions it used.
    pub reviewed: BTreeSet<String>,
    pub findings: Vec<String>,
    pub incidents: Vec<String>,
    /// Distinct acts that were refused, with an alarm or without.
    pub refused: u64,
    /// Entries of these lists there was no room for.
    #[serde(skip_serializing_if = "is_zero")]
    pub truncated: u64,
    /// Of its findings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<Severity>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Summary {
    /// Does it run code while a workspace is built?
    pub fn acts(&self) -> bool {
        self.ran.iter().any(|what| what == "build-script" || what == "proc-macro") || !self.findings.is_empty()
    }

    /// The more unusual the later: by the gravest of what it did, then by how much.
    pub fn weight(&self) -> (Option<Severity>, [usize; 5]) {
        let lists = [&self.secrets, &self.network, &self.writes_outside, &self.programs, &self.reads_outside];
        (self.worst, lists.map(|list| list.0.len()))
    }
}

/// `name version`, as a key.
pub fn key(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// Who is named for an act: the one a finding blames, else whose actor it was.
pub struct Blamed<'r>(HashMap<(ActorId, &'r Act), Option<&'r Package>>);

impl<'r> Blamed<'r> {
    pub fn of(report: &'r Report) -> Self {
        let mut blamed = HashMap::new();
        for finding in report.findings.iter().filter(|finding| !is_correlated(finding)) {
            for evidence in &finding.evidence {
                let whom = blamed.entry((finding.actor, &evidence.act)).or_insert(None);
                *whom = whom.or(finding.offender.as_ref());
            }
        }
        Blamed(blamed)
    }

    /// Is a finding about it?
    fn is_told(&self, did: &'r Behaviour) -> bool {
        self.0.contains_key(&(did.actor, &did.act))
    }

    pub fn whose(&self, actor: Option<&'r ReportedActor>, did: &'r Behaviour) -> Option<&'r Package> {
        self.0.get(&(did.actor, &did.act)).copied().flatten().or_else(|| actor?.package.as_ref())
    }

    /// The same where it is not whose actor it was.
    pub fn another(&self, actor: Option<&'r ReportedActor>, did: &'r Behaviour) -> Option<&'r Package> {
        let own = actor.and_then(|actor| actor.package.as_ref());
        let is_own = |whom: &Package| own.is_some_and(|own| (&own.name, &own.version) == (&whom.name, &whom.version));
        self.whose(actor, did).filter(|whom| !is_own(whom))
    }
}

/// What was used, the worst that became of it, how often.
type Uses<'r> = BTreeMap<Cow<'r, Hostile>, (Status, u64)>;

/// Of each package, by `name version`.
pub fn crates(report: &Report, incidents: &[Incident]) -> BTreeMap<String, Summary> {
    let (classes, blamed) = (Classes::of(report), Blamed::of(report));
    let mut all: BTreeMap<String, Summary> = BTreeMap::new();
    for actor in &report.actors {
        let Some(package) = &actor.package else { continue };
        let summary = all.entry(key(package)).or_default();
        let of_a_macro = actor.role.as_deref() == Some(ReportedActor::OF_A_MACRO);
        summary.ran.insert(match (actor.kind, &actor.role) {
            (ActorKind::Program, Some(role)) => role.clone(),
            (ActorKind::Rustc, _) if of_a_macro => ActorKind::ProcMacro.name().to_owned(),
            (kind, _) => kind.name().to_owned(),
        });
        summary.withheld.extend(actor.withheld.iter().cloned());
    }
    let mut lists: HashMap<(String, usize), Uses> = HashMap::new();
    for did in &report.behaviour {
        let actor = report.actor(did.actor);
        let Some(package) = blamed.whose(actor, did) else { continue };
        let name = key(package);
        let is_compiler = actor.is_some_and(|actor| {
            matches!(actor.kind, ActorKind::Rustc | ActorKind::Rustdoc | ActorKind::Linker | ActorKind::Tool)
                && actor.package.as_ref() == Some(package)
        });
        if did.status == Status::Refused {
            all.entry(name.clone()).or_default().refused += 1;
        }
        let class = classes.class(actor, &did.act);
        // What every program reads before its first instruction says nothing of it.
        if !is_compiler && class != Some(Class::Loader) && !capabilities::of(&did.act).is_empty() {
            all.entry(name.clone()).or_default().capabilities.extend(capabilities::of(&did.act));
        }
        // What broke a rule was none of its business, wherever it lies: its own sources, which it may not change, too.
        let is_outside = || blamed.is_told(did) || class.is_some_and(Class::is_outside);
        let (list, what) = match &did.act {
            Act::Connect { to } | Act::Send { to } | Act::Bind { to } => (0, Cow::Owned(endpoint(to, did.status))),
            Act::Lookup { name, .. } => (0, Cow::Borrowed(name)),
            Act::Socket { family, kind } => (0, Cow::Owned(Hostile::from(&*format!("{family} {kind}")))),
            // A compiler's own program is no choice of the crate's; one that was refused may be.
            Act::Exec { path, .. } if !is_compiler || did.status != Status::Allowed => (1, Cow::Borrowed(path)),
            Act::Exec { .. } | Act::Withhold { .. } | Act::Tell { .. } | Act::Signal { .. } | Act::Tamper { .. } => continue,
            Act::Survive { .. } | Act::Linger { .. } => continue,
            _ if !is_outside() => continue,
            Act::Read { path } => (2, Cow::Borrowed(path)),
            act => match act.path() {
                Some(path) => (3, Cow::Borrowed(path)),
                None => continue,
            },
        };
        let (status, count) = lists.entry((name, list)).or_default().entry(what).or_insert((did.status, 0));
        (*status, *count) = (did.status.max(*status), count.saturating_add(did.count));
    }
    for finding in report.findings.iter().filter(|finding| finding.rule == Rule::SecretRead) {
        let Some(package) = &finding.offender else { continue };
        for evidence in &finding.evidence {
            let Some(path) = evidence.act.path() else { continue };
            let list = lists.entry((key(package), 4)).or_default();
            let (status, count) = list.entry(Cow::Borrowed(path)).or_insert((finding.status, 0));
            (*status, *count) = (finding.status.max(*status), count.saturating_add(evidence.count));
        }
    }
    for ((name, list), used) in lists {
        let summary = all.entry(name).or_default();
        summary.truncated = summary.truncated.saturating_add(used.len().saturating_sub(LISTED) as u64);
        let mut used: Vec<_> = used.into_iter().collect();
        // What was refused is never what is left out.
        used.sort_by_key(|(_, (status, _))| std::cmp::Reverse(*status));
        let one = |(what, (status, count)): (Cow<Hostile>, _)| Used { what: what.into_owned(), status, count };
        let used: Vec<Used> = used.into_iter().take(LISTED).map(one).collect();
        let lists =
            [&mut summary.network, &mut summary.programs, &mut summary.reads_outside, &mut summary.writes_outside, &mut summary.secrets];
        if let Some(list) = lists.into_iter().nth(list) {
            list.0 = used;
        }
    }
    for used in &report.reviewed {
        let summary = all.entry(format!("{} {}", used.by.name, used.by.version)).or_default();
        summary.reviewed.insert(format!("{} {}", used.by.list, used.by.grant));
    }
    for incident in incidents.iter().filter(|incident| incident.standing.is_none()) {
        let Some(package) = incident.whom else { continue };
        let summary = all.entry(key(package)).or_default();
        summary.incidents.push(incident.id.clone());
        summary.findings.extend(incident.numbers().map(str::to_owned));
        summary.worst = summary.worst.max(Some(incident.severity));
    }
    all
}

/// `tcp 203.0.113.7:443 (h.example)`; of a name to which a sink gave the address, `tcp h.example:443`.
fn endpoint(to: &Endpoint, status: Status) -> Hostile {
    match to {
        Endpoint::Ip { protocol, address, host: Some(host) } if status == Status::Decoy => {
            Hostile::new([format!("{protocol} ").as_bytes(), host.as_bytes(), format!(":{}", address.port()).as_bytes()].concat())
        }
        Endpoint::Ip { protocol, address, host: None } => Hostile::from(&*format!("{protocol} {address}")),
        Endpoint::Ip { protocol, address, host: Some(host) } => {
            Hostile::new([format!("{protocol} {address} (").as_bytes(), host.as_bytes(), b")"].concat())
        }
        Endpoint::UnixPath { path } => Hostile::new([b"unix ", path.as_bytes()].concat()),
        Endpoint::UnixAbstract { name } => Hostile::new([b"unix @", name.as_bytes()].concat()),
        Endpoint::Other { name } => Hostile::from(&**name),
    }
}
