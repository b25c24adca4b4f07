//! What findings are evidence of: one incident for each version of a crate in each program that its code ran in, whatever rules it broke there. In: a
//! `&Report`. Out: incidents, the worst first, each with what was done in order of time, and what is known besides.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::findings::was_done;
use super::parties::is_network;
use super::wording::{Medium, is_correlated};
use crate::model::report::{Report, ReportedActor};
use crate::model::{Act, ActorId, ActorKind, Evidence, Finding, Hostile, Package, Rule, Severity, Standing, Status};

/// One crate in one program. Its findings are numbered as in the report.
#[derive(Clone)]
pub struct Incident<'r> {
    /// `I1`, `I2` … from the worst on.
    pub id: String,
    /// Of its worst finding.
    pub severity: Severity,
    /// The worst that became of one of its acts.
    pub status: Status,
    /// Who did it; where nobody inside the program is named, whose program it was.
    pub whom: Option<&'r Package>,
    /// What it ran in; the first of those that are told alike. Nothing where its code did not get to run.
    pub actor: Option<&'r ReportedActor>,
    /// All of these: a library and its tests are compiled one by one.
    pub actors: Vec<ActorId>,
    /// The worst first; never empty.
    pub findings: Vec<&'r Finding>,
    /// The earlier run that found it, where the code did not run again since.
    pub standing: Option<&'r Standing>,
}

/// One act by one way, in whichever of the actors.
pub struct Deed<'r> {
    pub evidence: &'r Evidence,
    /// The finding it is evidence of: the worst, but for a correlation, which is about acts of others.
    pub finding: &'r Finding,
    pub count: u64,
    /// When it was first tried, in milliseconds since the run began; 0 where that was not written down.
    pub at_ms: u64,
}

impl Deed<'_> {
    /// "tried to connect to `h.example` through `ureq` 2.0.0"
    pub fn told(&self, medium: Medium) -> String {
        let act = medium.deed(&self.evidence.act, self.finding.status_of(self.evidence));
        match self.finding.through.first() {
            Some(library) => format!("{act} through {}", medium.package(library)),
            None => act,
        }
    }
}

type Name<'r> = Option<(&'r str, &'r str)>;

/// Kind and package, those of the compiler it was found in, its name, its role. Of a build script the name does not count: cargo calls it by several.
type Program<'r> = (ActorKind, Name<'r>, Option<(ActorKind, Name<'r>)>, Option<&'r str>, Option<&'r str>);

/// What makes two findings one incident: the run, who did it, what it ran in.
type Key<'r> = (usize, Name<'r>, Option<Program<'r>>);

fn name(package: Option<&Package>) -> Name<'_> {
    package.map(|package| (package.name.as_str(), package.version.as_str()))
}

/// All incidents of a report, also of those of earlier runs that stand.
pub fn incidents(report: &Report) -> Vec<Incident<'_>> {
    let own = report.findings.iter().map(|finding| (None, finding));
    let standing = report.standing.iter().enumerate();
    let standing = standing.flat_map(|(at, one)| one.findings.iter().map(move |finding| (Some((at, one)), finding)));
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    let mut all: Vec<Incident> = Vec::new();
    for (standing, finding) in own.chain(standing) {
        let actor = report.actor(finding.actor);
        let whom = finding.offender.as_ref().or_else(|| actor.and_then(|actor| actor.package.as_ref()));
        let program = actor.map(|actor| {
            let host = actor.host.and_then(|host| report.actor(host));
            let called = actor.crate_name.as_deref().filter(|_| actor.kind != ActorKind::BuildScript);
            (
                actor.kind,
                name(actor.package.as_ref()),
                host.map(|host| (host.kind, name(host.package.as_ref()))),
                called,
                actor.role.as_deref(),
            )
        });
        let at = *known.entry((standing.map_or(0, |(at, _)| at + 1), name(whom), program)).or_insert(all.len());
        match all.get_mut(at) {
            Some(incident) => incident.add(finding),
            None => all.push(Incident {
                id: String::new(),
                severity: finding.severity,
                status: finding.status,
                whom,
                actor,
                actors: vec![finding.actor],
                findings: vec![finding],
                standing: standing.map(|(_, one)| one),
            }),
        }
    }
    all.sort_by_key(|incident| Reverse(incident.severity));
    for (number, incident) in all.iter_mut().enumerate() {
        incident.findings.sort_by_key(|finding| Reverse(finding.severity));
        incident.id = format!("I{}", number + 1);
    }
    all
}

/// The incident of each finding, by where that stands in the report.
pub fn by_finding<'i, 'r>(incidents: &'i [Incident<'r>]) -> HashMap<*const Finding, &'i Incident<'r>> {
    let pairs = incidents.iter().flat_map(|incident| incident.findings.iter().map(move |finding| (std::ptr::from_ref(*finding), incident)));
    pairs.collect()
}

impl<'r> Incident<'r> {
    fn add(&mut self, finding: &'r Finding) {
        self.severity = finding.severity.max(self.severity);
        // What was let through is worse than what was refused.
        let harm = |status: Status| (was_done(status), status);
        self.status = std::cmp::max_by_key(finding.status, self.status, |status| harm(*status));
        if !self.actors.contains(&finding.actor) {
            self.actors.push(finding.actor);
        }
        self.findings.push(finding);
    }

    /// What gives the incident its name.
    pub fn worst(&self) -> &'r Finding {
        self.findings[0]
    }

    /// What of it is for everybody to read, and not only for those who ask.
    pub fn told(&self) -> Option<Incident<'r>> {
        let findings: Vec<&Finding> = self.findings.iter().copied().filter(|finding| finding.is_told()).collect();
        (!findings.is_empty()).then(|| Incident { findings, ..self.clone() })
    }

    /// What was done, in order of time, each act once.
    pub fn deeds(&self) -> Vec<Deed<'r>> {
        let mut known: BTreeMap<(&Act, &[Hostile]), usize> = BTreeMap::new();
        let mut deeds: Vec<Deed> = Vec::new();
        let mut add = |finding: &'r Finding, alone: bool| {
            for evidence in &finding.evidence {
                let at = *known.entry((&evidence.act, &evidence.chain)).or_insert(deeds.len());
                match deeds.get_mut(at) {
                    None => deeds.push(Deed { evidence, finding, count: evidence.count, at_ms: evidence.at_ms }),
                    // In another actor of the same description; another rule about the same act is no other act.
                    Some(deed) if alone && deed.finding.rule == finding.rule && deed.finding.id != finding.id => {
                        deed.count = deed.count.saturating_add(evidence.count);
                        deed.at_ms = deed.at_ms.min(evidence.at_ms);
                    }
                    Some(_) => {}
                }
            }
        };
        self.findings.iter().filter(|finding| !is_correlated(finding)).for_each(|finding| add(finding, true));
        self.findings.iter().filter(|finding| is_correlated(finding)).for_each(|finding| add(finding, false));
        // What has no time stays where its finding stands.
        deeds.sort_by_key(|deed| deed.at_ms);
        deeds
    }

    /// Acts that a finding had no room for.
    pub fn truncated(&self) -> u64 {
        self.findings.iter().fold(0, |sum, finding| sum.saturating_add(finding.truncated))
    }

    /// When it began, in milliseconds since the run did.
    pub fn began_ms(&self) -> Option<u64> {
        self.findings.iter().flat_map(|finding| &finding.evidence).map(|evidence| evidence.at_ms).filter(|at| *at > 0).min()
    }

    /// `F1`, `F4` …
    pub fn numbers(&self) -> impl Iterator<Item = &'r str> {
        self.findings.iter().map(|finding| finding.id.as_str())
    }

    /// The rules it broke, the worst first.
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        self.findings.iter().for_each(|finding| {
            if !rules.contains(&finding.rule) {
                rules.push(finding.rule)
            }
        });
        rules
    }

    /// Beside what was accepted: `Some(true)` where some of it is new, `None` where nothing tells.
    pub fn is_new(&self) -> Option<bool> {
        let told: Vec<bool> = self.findings.iter().filter_map(|finding| finding.baseline.as_deref()).map(|word| word == "new").collect();
        (!told.is_empty()).then(|| told.contains(&true))
    }

    /// The last version that was accepted and did not do this.
    pub fn before(&self) -> Option<&'r str> {
        self.findings.iter().find_map(|finding| finding.before.as_deref())
    }

    /// Secrets that were really read.
    pub fn read(&self) -> Vec<&'r Hostile> {
        let read = self.findings.iter().filter(|finding| finding.rule == Rule::SecretRead && finding.status == Status::Observed);
        let mut paths: Vec<&Hostile> = read.flat_map(|finding| &finding.evidence).filter_map(|evidence| evidence.act.path()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Was it after the network?
    pub fn networked(&self) -> bool {
        self.findings.iter().any(|finding| is_network(finding.rule) || finding.rule == Rule::ExecDownloader)
    }

    /// Numbers of the findings that `cargo brig allow --from` takes over.
    pub fn allowable(&self) -> Vec<&'r str> {
        let takes = |finding: &&&Finding| finding.except.as_ref().is_some_and(|proposal| !proposal.secret);
        self.findings.iter().filter(takes).map(|finding| finding.id.as_str()).collect()
    }
}

#[cfg(test)]
#[path = "incidents_tests.rs"]
mod tests;
