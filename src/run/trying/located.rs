//! Where in a suspect's own source it is written, whichever way it was had: of one of the registry a lock file has no more than a line. In: the report of all
//! stages, the copy of the source. Out: locations in that copy.

use std::path::PathBuf;

use super::suspect::{self, Suspect};
use crate::attribute::written::in_package;
use crate::model::report::Report;
use crate::model::{ActorKind, Finding, Hostile};

pub fn settle(all: &mut Report, suspect: &Suspect) {
    let kinds: Vec<Option<ActorKind>> = all.findings.iter().map(|finding| all.actor(finding.actor).map(|actor| actor.kind)).collect();
    for (finding, kind) in all.findings.iter_mut().zip(kinds) {
        let is_its =
            finding.offender.as_ref().is_some_and(|package| (&package.name, &package.version) == (&suspect.name, &suspect.version));
        let is_locked = finding.location.as_deref().is_none_or(|location| location.starts_with("Cargo.lock"));
        if is_its && is_locked {
            let found = in_package(&suspect.dir, &roots(suspect, kind), &functions(finding, suspect));
            // As of one that lies beside the workspace.
            finding.location = found.map(|place| format!("../{}/{place}", suspect.name)).or_else(|| finding.location.take());
        }
    }
}

/// Of its own, innermost first.
fn functions<'f>(finding: &'f Finding, suspect: &Suspect) -> Vec<&'f Hostile> {
    let own = suspect.name.replace('-', "_");
    let crates = finding.blame.iter().flat_map(|blame| &blame.crates);
    let its = crates.filter(|one| match &one.package {
        Some(package) => package.name == suspect.name,
        None => one.name == own || one.name.starts_with("build_script_"),
    });
    its.filter_map(|one| one.function.as_ref()).collect()
}

/// By its manifest, or where cargo looks for them.
fn roots(suspect: &Suspect, kind: Option<ActorKind>) -> Vec<PathBuf> {
    let manifest = suspect::manifest(&suspect.dir).unwrap_or_default();
    let text = |table: &str, key: &str| manifest.get(table)?.get(key)?.as_str().map(str::to_owned);
    let files = match kind {
        Some(ActorKind::BuildScript) => vec![text("package", "build").unwrap_or_else(|| "build.rs".to_owned())],
        _ => vec![text("lib", "path").unwrap_or_else(|| "src/lib.rs".to_owned()), "src/main.rs".to_owned()],
    };
    files.iter().map(|file| suspect.dir.join(file)).collect()
}
