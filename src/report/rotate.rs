//! What must be taken for known to others: secrets that were really read, because nothing was refused. In: a report's findings, its own and those that
//! stand. Out: each credential once, with who read it.

use std::collections::{BTreeMap, BTreeSet};

use super::parties::is_network;
use super::wording::Medium;
use crate::model::report::{Report, Rotate};
use crate::model::{ActorId, Hostile, Rule, Status};

/// Files written out by a renderer; the rest is counted.
pub const LISTED: usize = 50;

pub fn list(report: &Report) -> Vec<Rotate> {
    let networked: BTreeSet<ActorId> = report
        .all_findings()
        .filter(|finding| is_network(finding.rule) || finding.rule == Rule::ExecDownloader)
        .map(|finding| finding.actor)
        .collect();
    let mut read: BTreeMap<&Hostile, Rotate> = BTreeMap::new();
    for finding in report.all_findings().filter(|finding| finding.rule == Rule::SecretRead && finding.status == Status::Observed) {
        for path in finding.evidence.iter().filter_map(|evidence| evidence.act.path()) {
            let one = read.entry(path).or_insert_with(|| Rotate { path: path.clone(), actor: finding.actor, networked: false });
            one.networked |= networked.contains(&finding.actor);
        }
    }
    read.into_values().collect()
}

/// Those a finding had no room for.
pub fn unlisted(report: &Report) -> u64 {
    let read = report.all_findings().filter(|finding| finding.rule == Rule::SecretRead && finding.status == Status::Observed);
    read.fold(0, |sum, finding| sum.saturating_add(finding.truncated))
}

/// "`{home}/.ssh/id` — build script of `x` 1.0.0, which also used the network"
pub fn line(report: &Report, one: &Rotate, medium: Medium) -> String {
    let by = report.actor(one.actor).map(|actor| medium.subject(report, actor)).unwrap_or_else(|| "an unknown actor".to_owned());
    let used = if one.networked { ", which also used the network" } else { "" };
    format!("{} — {by}{used}", (medium.text)(&one.path))
}
