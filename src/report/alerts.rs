//! Findings as code scanners show them: what is the same for whoever has to look at it is one alert. In: a report. Out: its findings in groups, also those of
//! earlier runs that stand.

use std::collections::BTreeMap;

use crate::model::Finding;
use crate::model::report::Report;

/// Findings of one rule, crate and actor kind, in report order.
pub fn alerts(report: &Report) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for finding in report.all_findings() {
        let kind = report.actor(finding.actor).map(|actor| actor.kind);
        let at = *known.entry((finding.rule, &finding.offender, kind)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}
