//! What a run comes to in numbers that agree with each other. In: a report's findings and its record. Out: acts, each once, by what is worst about it;
//! how often they were tried; whose they were.

use std::collections::{BTreeMap, BTreeSet};

use super::wording::{count, is_correlated, is_of_the_lock};
use crate::model::report::{Behaviour, Report};
use crate::model::{Act, ActorId, Finding, Hostile, Rule, Severity, Status};

/// What a run's findings above `info` come to, but for those that only say that something is new.
pub struct Tally {
    /// Each once, however often it was tried and however many findings are about it.
    pub acts: u64,
    pub tries: u64,
    /// Of the acts, those that were refused: the others were done, or done on a copy.
    pub refused: u64,
    pub crates: u64,
    /// "1 critical, 2 high", of acts.
    pub severities: String,
    pub actors: BTreeSet<ActorId>,
}

impl Tally {
    /// "2 of 3 acts of 1 crate (2 critical, 1 high; tried 5 times)": what is said to have been refused.
    pub fn refused_text(&self) -> String {
        if self.refused == self.acts { self.text() } else { format!("{} of {}", self.refused, self.text()) }
    }

    /// "3 acts of 1 crate (2 critical, 1 high; tried 5 times)"
    pub fn text(&self) -> String {
        format!("{} of {} ({})", count(self.acts, "act"), count(self.crates, "crate"), self.detail())
    }

    /// "2 critical, 1 high; tried 5 times"
    pub fn detail(&self) -> String {
        let tries = if self.tries > self.acts { format!("; tried {} times", self.tries) } else { String::new() };
        format!("{}{tries}", self.severities)
    }
}

/// One act of one crate: five that do the same in one program have done five.
type Key<'r> = (ActorId, Option<(&'r str, &'r str)>, &'r Act, &'r [Hostile]);

fn whose(finding: &Finding) -> Option<(&str, &str)> {
    finding.offender.as_ref().map(|package| (package.name.as_str(), package.version.as_str()))
}

pub fn tally(report: &Report) -> Tally {
    let alarming = || report.findings.iter().filter(|finding| finding.severity > Severity::Info && !is_of_the_lock(finding.rule));
    let mut acts: BTreeMap<Key, (Severity, u64)> = BTreeMap::new();
    let mut done: BTreeSet<Key> = BTreeSet::new();
    let mut left_done = 0u64;
    let mut secrets: BTreeSet<Key> = BTreeSet::new();
    let mut by_severity: BTreeMap<Severity, u64> = BTreeMap::new();
    for finding in alarming().filter(|finding| !is_correlated(finding)) {
        for evidence in &finding.evidence {
            let key = (finding.actor, whose(finding), &evidence.act, &evidence.chain[..]);
            let (severity, count) = acts.entry(key).or_insert((finding.severity, 0));
            (*severity, *count) = (finding.severity.max(*severity), evidence.count.max(1).max(*count));
            if finding.rule == Rule::SecretRead {
                secrets.insert(key);
            }
            if finding.status_of(evidence) != Status::Refused {
                done.insert(key);
            }
        }
        // Those there was no room for; and a package that was kept from the build, which has done nothing, counts as one.
        let unlisted = finding.truncated.saturating_add(u64::from(finding.evidence.is_empty()));
        let left = by_severity.entry(finding.severity).or_default();
        *left = left.saturating_add(unlisted);
        if finding.status != Status::Refused {
            left_done = left_done.saturating_add(unlisted);
        }
    }
    // A correlation is about acts that others are about: it makes the reading of a secret as bad as it is, and is not one more act.
    for finding in alarming().filter(|finding| is_correlated(finding)) {
        for evidence in &finding.evidence {
            let own = (finding.actor, whose(finding), &evidence.act, &evidence.chain[..]);
            let is_it = |key: &Key| (key.0, key.2, key.3) == (own.0, own.2, own.3);
            let known: Vec<Key> = if acts.contains_key(&own) { vec![own] } else { acts.keys().filter(|key| is_it(key)).copied().collect() };
            for key in known.iter().filter(|key| secrets.contains(*key)) {
                acts.entry(*key).and_modify(|(severity, _)| *severity = finding.severity.max(*severity));
            }
            if known.is_empty() {
                acts.insert(own, (finding.severity, evidence.count.max(1)));
                if finding.status_of(evidence) != Status::Refused {
                    done.insert(own);
                }
            }
        }
    }
    let crates: BTreeSet<_> = alarming().map(whose).collect();
    for (severity, _) in acts.values() {
        let sum = by_severity.entry(*severity).or_default();
        *sum = sum.saturating_add(1);
    }
    // Counts of a stored report may be anything.
    let all = by_severity.values().fold(0u64, |sum, n| sum.saturating_add(*n));
    let again = acts.values().fold(0u64, |sum, (_, count)| sum.saturating_add(count - 1));
    let severities: Vec<_> =
        by_severity.iter().rev().filter(|(_, n)| **n > 0).map(|(severity, n)| format!("{n} {}", severity.name())).collect();
    Tally {
        acts: all,
        tries: all.saturating_add(again),
        refused: all.saturating_sub(left_done.saturating_add(done.len() as u64)),
        crates: crates.len() as u64,
        severities: severities.join(", "),
        actors: alarming().map(|finding| finding.actor).collect(),
    }
}

/// What is refused without alarm, honest code looks for by habit and does without: entries of the record, and no findings, or such as only inform.
pub fn quiet(report: &Report) -> u64 {
    let loud = || report.findings.iter().filter(|finding| finding.severity > Severity::Info);
    let about: BTreeSet<(ActorId, &Act)> =
        loud().flat_map(|finding| finding.evidence.iter().map(|evidence| (finding.actor, &evidence.act))).collect();
    let is_quiet = |did: &&Behaviour| did.status == Status::Refused && !about.contains(&(did.actor, &did.act));
    let unlisted = loud().fold(0u64, |sum, finding| sum.saturating_add(finding.truncated));
    (report.behaviour.iter().filter(is_quiet).count() as u64).saturating_sub(unlisted)
}
