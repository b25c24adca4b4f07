//! What to do about an incident: at once, and where it was meant. In: an incident, a medium's escapers. Out: sentences for that medium.

use super::incidents::Incident;
use super::wording::Medium;
use crate::model::{Act, Finding, Hostile, Reach};

/// Credentials named; the rest stands in the list of those to be rotated.
const LISTED: usize = 3;

/// What to do now, the most urgent first: rotate what was read, go back to what did not do it, look, report.
pub fn now(incident: &Incident, medium: Medium) -> Vec<String> {
    let mut steps = Vec::new();
    let read = incident.read();
    if !read.is_empty() {
        let shown: Vec<String> = read.iter().take(LISTED).map(|path| (medium.text)(path)).collect();
        let more = if read.len() > LISTED { format!(" and {} more", read.len() - LISTED) } else { String::new() };
        steps.push(format!("rotate {}{more}: take it for known to others", shown.join(", ")));
    }
    if let Some((package, before)) = incident.whom.zip(incident.before()) {
        let command = format!("cargo update -p {} --precise {before}", package.name);
        steps.push(format!("{} takes it back to the version that did not do this", command_in(&command, medium)));
    }
    steps.push(unexpected(incident.worst(), medium));
    steps
}

/// The one command that would let it happen, if it is meant; nothing where there is none, or none that can be taken over.
pub fn expected(incident: &Incident, reach: &Reach, medium: Medium) -> Option<String> {
    let proposals: Vec<_> = incident.findings.iter().filter_map(|finding| finding.except.as_ref()).collect();
    let command = match (&incident.allowable()[..], &proposals[..]) {
        ([], [secret, ..]) => reach.only_writing(&secret.words()),
        ([], []) => return None,
        (_, [only]) => reach.only_writing(&only.words()),
        (numbers, _) => reach.writing(&format!("allow --from {} --reason …", numbers.join(" "))),
    };
    Some(command_in(&command, medium))
}

fn command_in(command: &str, medium: Medium) -> String {
    (medium.text)(&Hostile::from(command))
}

/// For whoever did not expect this.
pub fn unexpected(finding: &Finding, medium: Medium) -> String {
    let Some(package) = finding.offender.as_ref().map(|package| medium.package(package)) else {
        return "find out which package it is before you build again".to_owned();
    };
    let candidates: Vec<_> = finding.candidates.iter().map(|candidate| medium.package(candidate)).collect();
    let own = match &finding.location {
        Some(location) => format!("{package} is your own: look at {}, and at who changed it", (medium.name)(location)),
        None => format!("{package} is your own: look at who changed it"),
    };
    match (&candidates[..], finding.own) {
        ([], true) => own,
        ([], false) => format!("read the source of {package} before you build it again, and report it"),
        (all, _) if finding.compiled && !finding.evidence.iter().all(|one| matches!(one.act, Act::Read { .. })) => {
            format!("read the source of {}: by one of them {} was told so", all.join(" and "), (medium.name)("cargo fix"))
        }
        (all, _) if finding.compiled => {
            format!("see whether {package} has its text include that, else read the source of {}", all.join(", "))
        }
        (all, _) => format!("find out which of {} has {package} do this, before you build again", all.join(", ")),
    }
}
