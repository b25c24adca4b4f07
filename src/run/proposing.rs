//! How the packages that a report proposes exceptions for have to be called, which says where they come from. In: a report, the build graph. Out: the report's
//! proposals, each for that very package; none where nobody knows whose code it was.

use crate::attribute::Graph;
use crate::judge::Places;
use crate::model::Package;
use crate::model::report::Report;
use crate::plan::exceptions::whom::Origin;

/// A profile that was typed wins over one that a file chooses: whoever follows a line that brings a profile has to type that one. Said behind the line, where TOML has
/// its comments.
pub fn type_it(report: &mut Report) {
    let lines = report.findings.iter_mut().filter_map(|finding| finding.allow.as_mut());
    for line in lines.filter(|line| line.starts_with("profile.mine = ")) {
        line.push_str(" # --policy was typed, and wins over this file: type --policy mine");
    }
}

pub fn name(report: &mut Report, graph: Option<&Graph>, places: &Places) {
    let actors: Vec<(_, Option<Package>)> = report.actors.iter().map(|actor| (actor.id, actor.package.clone())).collect();
    for finding in &mut report.findings {
        let Some(except) = &mut finding.except else { continue };
        let package = actors.iter().find(|(id, _)| *id == finding.actor).and_then(|(_, package)| package.as_ref());
        let known = package.and_then(|package| graph?.package_in(package.manifest_dir.as_deref()?));
        if let Some(known) = known {
            let origin = Origin::of(known.source.as_deref(), known.manifest_dir.as_deref(), &places.cargo_home);
            except.whom = origin.name(&known.name, &known.version);
        }
    }
}
