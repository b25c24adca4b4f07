//! `try --from F1`: the crate that a finding of the last report names, as this workspace has it. In: the number, the report, cargo's graph, `Cargo.lock`. Out:
//! which suspect is meant, with the lock file that says what it was built with; or a misuse.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail, ensure};

use super::named::Named;
use super::suspect;
use crate::cli::Options;
use crate::cli::reports::Of;
use crate::model::Package;
use crate::model::report::Report;
use crate::plan::public::is_public;
use crate::report::escape;
use crate::report::incidents::incidents;
use crate::run::graph_now::{Now, now};
use crate::run::stopped::Stopped;
use crate::run::stored::report_of;

/// # Errors
/// When there is no report, it has no such finding, or the crate cannot be had as it was built.
pub fn suspect(options: &Options, id: &str) -> Result<(Named, PathBuf), Stopped> {
    let report = report_of(options, &Of::default())?;
    let package = blamed(&report, id).map_err(Stopped::usage)?;
    let now = now(Some(&report))?;
    let named = as_locked(package, &now).map_err(Stopped::usage)?;
    Ok((named, now.workspace.join("Cargo.lock")))
}

fn blamed<'r>(report: &'r Report, id: &str) -> Result<&'r Package> {
    let all = incidents(report);
    let finding = report.all_findings().find(|finding| finding.id == id);
    let incident = all.iter().find(|incident| incident.id == id);
    ensure!(
        finding.is_some() || incident.is_some(),
        "the last report has no finding or incident {id:?}\n  help: `cargo brig report` shows it"
    );
    let of_finding = finding.and_then(|finding| finding.offender.as_ref().or_else(|| report.actor(finding.actor)?.package.as_ref()));
    of_finding.or_else(|| incident?.whom).ok_or_else(|| anyhow!("{id} names no crate"))
}

fn as_locked(package: &Package, now: &Now) -> Result<Named> {
    let (name, version) = (&package.name, &package.version);
    let shown = escape::name(&format!("{name} {version}"));
    let Some(there) = now.graph.package(name, version) else {
        bail!("this workspace is no longer built with {shown}\n  help: `cargo brig try {}@{}`", escape::name(name), escape::name(version));
    };
    match there.source.as_deref() {
        None => there.manifest_dir.map(Named::Directory).ok_or_else(|| anyhow!("cargo does not say where {shown} lies")),
        Some(source) if is_public(source) => {
            let locked = suspect::locked(&now.workspace.join("Cargo.lock"), name, Some(version));
            let (_, checksum) = locked.ok_or_else(|| anyhow!("Cargo.lock does not hold {shown}"))?;
            let same = package.checksum.is_none() || checksum.is_none() || package.checksum == checksum;
            ensure!(same, "Cargo.lock has another checksum for {shown} than the last report");
            Ok(Named::Registry { name: name.clone(), version: Some(version.clone()) })
        }
        Some(source) => match source.strip_prefix("git+").and_then(|rest| rest.split_once('#')) {
            Some((url, rev)) => {
                let url = url.split('?').next().unwrap_or(url);
                bail!(
                    "{shown} is of a git repository, which is not taken from a lock\n  help: `cargo brig try {} --git {} --rev {}`",
                    escape::name(name),
                    escape::name(url),
                    escape::name(rev)
                )
            }
            None => bail!("{shown} is of another registry than the public one, and cannot be fetched without what is yours"),
        },
    }
}
