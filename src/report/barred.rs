//! Findings about packages whose code did not get to run: what is known of each, who brings it in, what to do now. In: what kept the build from beginning, the
//! build graph. Out: findings without an actor.

use crate::model::barred::{Barred, Why, code_of};
use crate::model::{ActorId, Finding, Package, Rule, Severity, Status, digest};

use super::outcome::Bar;
use super::who::Who;

pub fn findings(barred: &[Barred], who: &dyn Who) -> Vec<Finding> {
    let mut all: Vec<Finding> = barred.iter().map(|one| finding(one, who)).collect();
    all.sort_by(|a, b| (b.severity, &a.offender, a.rule, &a.reason).cmp(&(a.severity, &b.offender, b.rule, &b.reason)));
    all
}

/// How the run ends by it: a package that must not be there outranks one that nobody has accepted yet.
pub fn bar(why: &Why) -> Bar {
    match why {
        Why::Unaccepted { .. } | Why::Library { .. } => Bar::Unaccepted,
        Why::Denied { .. } | Why::Malicious { .. } => Bar::Violation,
    }
}

pub fn severity(why: &Why) -> Severity {
    match why {
        Why::Malicious { .. } => Severity::Critical,
        Why::Denied { .. } => Severity::High,
        Why::Unaccepted { .. } | Why::Library { .. } => Severity::Medium,
    }
}

fn finding(barred: &Barred, who: &dyn Who) -> Finding {
    let Barred { name, version, why, origin } = barred;
    let (rule, reason) = match why {
        Why::Malicious { advisory, date, what, .. } => (Rule::PackageMalicious, format!("{advisory}, {date}: {what} ({origin})")),
        Why::Denied { reason } => (Rule::PackageDenied, format!("{reason} ({origin})")),
        Why::Unaccepted { kind, before } => {
            let kind = code_of(*kind);
            (Rule::BaselineUnaccepted, format!("its {kind}: {} ({origin})", accepted(before.as_deref(), version)))
        }
        Why::Library { into, before, older } => {
            let known = match older {
                true => "that file is of an older form, which holds no libraries".to_owned(),
                false => accepted(before.as_deref(), version),
            };
            (Rule::BaselineUnaccepted, format!("linked into {}: {known} ({origin})", listed(into)))
        }
    };
    let key = [rule.id(), name, version].join("\0");
    Finding {
        id: String::new(),
        rule,
        severity: severity(why),
        status: Status::Refused,
        // Nobody acted.
        actor: ActorId(0),
        offender: Some(Package { name: name.clone(), version: version.clone(), source: None, checksum: None, manifest_dir: None }),
        through: Vec::new(),
        own: false,
        compiled: false,
        candidates: Vec::new(),
        evidence: Vec::new(),
        truncated: 0,
        blame: None,
        reason,
        path_in_graph: who.why(name, version),
        baseline: None,
        before: before(why, version),
        location: who.lock_location(name, version),
        fingerprint: digest::hex(key.as_bytes()),
        allow: None,
        except: None,
        advice: advice(barred),
    }
}

/// Another version that was accepted.
fn before(why: &Why, version: &str) -> Option<String> {
    match why {
        Why::Unaccepted { before, .. } | Why::Library { before, .. } => before.clone().filter(|before| before != version),
        Why::Denied { .. } | Why::Malicious { .. } => None,
    }
}

/// What there is beside it.
fn accepted(before: Option<&str>, version: &str) -> String {
    match before {
        None => "nothing of it was accepted".to_owned(),
        Some(before) if before == version => "what was accepted has another checksum".to_owned(),
        Some(before) => format!("{before} was accepted"),
    }
}

/// The first of them, and how many more.
fn listed(names: &[String]) -> String {
    const LISTED: usize = 3;
    let more = names.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ") + &more
}

fn advice(barred: &Barred) -> Vec<String> {
    let name = &barred.name;
    let who_needs = format!("`cargo tree -i {name} --target all` says who needs it; what is in Cargo.lock counts, for whatever platform");
    match &barred.why {
        Why::Malicious { after, .. } => {
            let take_out = "take it out: the package that brings it in needs another version, or has to go".to_owned();
            let rotate = match after {
                Some(after) => format!("was it ever built or run, here or in CI? it was after: {after}"),
                None => "was it ever built or run, here or in CI? then rotate every credential that could be read there, and look what else it left".to_owned(),
            };
            vec![take_out, rotate, who_needs]
        }
        Why::Denied { .. } => vec![who_needs],
        Why::Unaccepted { .. } | Why::Library { .. } => {
            vec![
                format!(
                    "look at it: `cargo brig --policy default --fresh build`, then `cargo brig baseline accept {name}` if what it did is meant"
                ),
                who_needs,
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{Graph, facts, material};
    use crate::report::terminal::{Style, Verbosity, after};
    use crate::report::{Facts, Format, Material, assemble};

    fn barred(name: &str) -> Barred {
        let why = Why::Malicious {
            advisory: "RUSTSEC-2026-0265".into(),
            date: "2026-08-20".into(),
            what: "its build script downloaded a program and ran it".into(),
            after: Some("wallet keys".into()),
        };
        Barred { name: name.into(), version: "0.3.2".into(), why, origin: "profiles/known-malicious.toml:9".into() }
    }

    fn stopped(all: Vec<Barred>) -> crate::model::report::Report {
        assemble(&Material::default(), &Facts { cargo_exit: None, barred: all, units: None, fresh: None, ..facts() }, &Graph)
    }

    fn shown(report: &crate::model::report::Report, format: Option<Format>) -> String {
        let mut out = Vec::new();
        match format {
            Some(format) => format.write(report, &mut out).unwrap(),
            None => after(&mut out, report, Some("r.html"), Style { color: false, verbosity: Verbosity::Normal, width: None }).unwrap(),
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn on_the_terminal() {
        let text = shown(&stopped(vec![barred("quickfetch-sys")]), None);
        let expected = "error[package/malicious]: package `quickfetch-sys` 0.3.2 is known to be malicious — kept from the build\n  \
            --> Cargo.lock:1204 · app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2 (not a direct dependency)\n   \
            = rule  RUSTSEC-2026-0265, 2026-08-20: its build script downloaded a program and ran it (profiles/known-malicious.toml:9)\n   \
            = help  take it out: the package that brings it in needs another version, or has to go\n   \
            = help  was it ever built or run, here or in CI? it was after: wallet keys\n   \
            = help  `cargo tree -i quickfetch-sys --target all` says who needs it; what is in Cargo.lock counts, for whatever platform\n\n       \
            Rules package/malicious: The build holds a package of the public registry that is known to be malicious. It was stopped before \
            anything ran.\n     \
            Stopped 1 package must not be in this build (1 critical); none of its code ran · r.html · `cargo brig explain F1`\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn in_every_other_channel() {
        let denied = Barred { why: Why::Denied { reason: "phones home".into() }, origin: "brig.toml:3".into(), ..barred("imgkit") };
        let report = stopped(vec![denied, barred("quickfetch-sys")]);
        assert_eq!(
            report.findings.iter().map(|finding| (&*finding.id, finding.rule)).collect::<Vec<_>>(),
            [("F1", Rule::PackageMalicious), ("F2", Rule::PackageDenied)]
        );
        assert_eq!(report.outcome.exit_code, 100);
        for format in [Format::Json, Format::Sarif, Format::Html, Format::Markdown, Format::JUnit, Format::CodeQuality] {
            let text = shown(&report, Some(format));
            let text = text.replace("&#45;", "-").replace("&#46;", ".").replace("&#58;", ":");
            for part in ["package/malicious", "package/denied", "RUSTSEC-2026-0265", "phones home", "wallet keys", "quickfetch-sys"] {
                assert!(text.contains(part), "{format:?}: no {part} in\n{text}");
            }
        }
    }

    #[test]
    fn whatever_the_mode_and_whatever_else_happened() {
        let mut facts = Facts { cargo_exit: Some(101), barred: vec![barred("x")], ..facts() };
        facts.run.mode = crate::model::Mode::Observe;
        let report = assemble(&material(), &facts, &Graph);
        assert_eq!((report.outcome.exit_code, report.outcome.barred), (100, true));
        let unaccepted = Why::Unaccepted { kind: crate::model::ActorKind::BuildScript, before: Some("0.3.1".into()) };
        let report = stopped(vec![Barred { why: unaccepted, ..barred("quickfetch-sys") }]);
        assert_eq!(report.outcome.exit_code, 102);
        assert!(report.findings[0].reason.starts_with("its build script: 0.3.1 was accepted ("), "{}", report.findings[0].reason);
    }
}
