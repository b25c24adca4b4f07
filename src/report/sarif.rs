//! SARIF 2.1.0 for code scanning. In: a `&Report`. Out: one result per (rule, crate, actor kind) with the report's own stable
//! fingerprint, placed at the package's line in `Cargo.lock`, so that an alert stays the same alert from run to run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::wording::{Medium, count, is_correlated, times, units};
use super::{escape, excepted, rotate};
use crate::model::report::{Report, VerdictWord};
use crate::model::{Finding, Rule, Severity, Status, moment};

/// A message's text takes `[text](target)` for a link (SARIF 2.1.0 §3.11.6): brackets of others are escaped.
const MEDIUM: Medium =
    Medium { text: |text| format!("'{}'", unlinked(&escape::quoted(text))), name: |name| format!("'{}'", unlinked(&escape::name(name))) };

/// Acts written out in one message.
const LISTED: usize = 10;

fn unlinked(text: &str) -> String {
    text.replace('[', "\\[").replace(']', "\\]")
}

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    super::inert::write(&log(report), w)
}

fn log(report: &Report) -> Value {
    let mut worst: BTreeMap<Rule, Severity> = BTreeMap::new();
    for finding in report.all_findings() {
        let severity = worst.entry(finding.rule).or_insert(finding.severity);
        *severity = finding.severity.max(*severity);
    }
    let rules: Vec<Rule> = worst.keys().copied().collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "rules": worst.iter().map(|(rule, severity)| describe(*rule, *severity)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": looked(report),
                "exitCode": report.outcome.exit_code,
                "toolExecutionNotifications": notifications(report),
            }],
            "results": grouped(report).into_iter().map(|group| result(report, &group, &rules)).collect::<Vec<_>>(),
        }],
    })
}

/// Was anything looked at, and nothing lost of it? Results alone do not tell that from a run that found nothing.
fn looked(report: &Report) -> bool {
    let verdict = report.outcome.verdict;
    !matches!(verdict, VerdictWord::Incomplete | VerdictWord::NotRun | VerdictWord::TimedOut) && !report.outcome.timed_out
}

fn describe(rule: Rule, worst: Severity) -> Value {
    json!({
        "id": rule.id(),
        "shortDescription": {"text": rule.id()},
        "help": {"text": format!("cargo brig explain {}", rule.id())},
        "defaultConfiguration": {"level": level(worst)},
        "properties": {"security-severity": score(worst), "tags": ["security", "supply-chain"]},
    })
}

/// What makes the record weaker is not a result, but it must not be silent either.
fn notifications(report: &Report) -> Vec<Value> {
    let note = |level: &str, text: String| json!({"level": level, "message": {"text": unlinked(&escape::ours(&text))}});
    let weaker = report.enforcement.degraded.iter().map(|weak| match weak.covered {
        true => note("note", format!("one wall instead of two: {}: {}", weak.what, weak.means)),
        false => note("warning", format!("degraded: {}: {}", weak.what, weak.means)),
    });
    let mut notes: Vec<_> = weaker.collect();
    for one in rotate::list(report).iter().take(rotate::LISTED) {
        notes.push(note("error", format!("to be rotated, since it was read: {}", rotate::line(report, one, MEDIUM))));
    }
    notes.extend(report.coverage.holes.iter().map(|hole| note("error", format!("the record has holes: {hole}"))));
    if let Some(loosened) = &report.enforcement.loosened {
        let grants = loosened.grants.join(", ");
        notes.push(note(
            "warning",
            format!("loosened: the repository's configuration grants more than profile {}: {grants}", loosened.than),
        ));
    }
    for about in &report.exceptions {
        notes.push(note("note", format!("exception: {}", excepted::line(about, MEDIUM, str::to_owned))));
    }
    for told in excepted::notes(report) {
        let level = if told.severity > Severity::Info { "warning" } else { "note" };
        notes.push(note(level, format!("{}: {}", told.rule.id(), told.text(MEDIUM))));
    }
    if report.outcome.barred {
        notes.push(note("error", "the build was stopped before code of these packages ran".to_owned()));
    }
    if report.outcome.timed_out {
        notes.push(note("error", "the build took longer than it was given and was ended".to_owned()));
    }
    if report.outcome.verdict == VerdictWord::NotRun {
        notes.push(note("warning", "nothing ran: nothing is known about this build".to_owned()));
    } else if let Some(fresh) = report.coverage.fresh.filter(|fresh| *fresh > 0) {
        notes.push(note("note", format!("a part of the build: {} did not run", units(fresh))));
    }
    if let Some(code) = report.outcome.cargo_exit.filter(|code| *code != 0) {
        notes.push(note("warning", format!("a part of the build: cargo's exit code is {code}, what comes after did not run")));
    }
    if let Some(left) = report.coverage.not_reached.filter(|left| *left > 0) {
        notes.push(note("warning", format!("a part of the build: cargo did not come to {}", units(left))));
    }
    for standing in &report.standing {
        let (findings, when) = (count(standing.findings.len() as u64, "finding"), moment::text(standing.started));
        let text = format!("{findings} from the run of {when} ({}): the code did not run again since", standing.run);
        notes.push(note("warning", text));
    }
    notes
}

/// Findings of one rule, crate and actor kind, in report order.
fn grouped(report: &Report) -> Vec<Vec<&Finding>> {
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

fn result(report: &Report, group: &[&Finding], rules: &[Rule]) -> Value {
    let finding = group[0];
    let mut text = MEDIUM.title(report, finding);
    // The title says the first one, as far as one line can.
    let said = finding.evidence.first().is_some_and(|first| !is_correlated(finding) && MEDIUM.deed(&first.act) == MEDIUM.act(&first.act));
    for evidence in finding.evidence.iter().skip(usize::from(said)).take(LISTED) {
        text.push_str(&format!("\n{}{}", MEDIUM.deed(&evidence.act), times(evidence.count)));
    }
    let left = (finding.evidence.len().saturating_sub(LISTED + usize::from(said)) as u64).saturating_add(finding.truncated);
    if left > 0 {
        text.push_str(&format!("\nand {left} more in the JSON report"));
    }
    if finding.evidence.is_empty() {
        text.push_str(&format!("\n{}", unlinked(&escape::ours(&finding.reason))));
    }
    for advice in &finding.advice {
        text.push_str(&format!("\n{}", unlinked(&escape::ours(advice))));
    }
    if !finding.path_in_graph.is_empty() {
        let path: Vec<_> = finding.path_in_graph.iter().map(|package| unlinked(&escape::name(package))).collect();
        text.push_str(&format!("\nin the build through {}", path.join(" → ")));
    }
    if let Some(callers) = MEDIUM.candidates(finding) {
        text.push_str(&format!("\n{callers}"));
    }
    if group.len() > 1 {
        text.push_str(&format!("\nand {} of the same kind", count(group.len() as u64 - 1, "other actor")));
    }
    let standing = report.standing.iter().find(|standing| standing.findings.iter().any(|one| std::ptr::eq(one, finding)));
    if let Some(standing) = standing {
        let (when, run) = (moment::text(standing.started), unlinked(&escape::ours(&standing.run)));
        text.push_str(&format!("\nfound in the run of {when} ({run}); the code did not run again since"));
    }
    let (uri, line) = place(report, finding.location.as_deref());
    json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        "level": if finding.status == Status::Refused { level(finding.severity) } else { level(finding.severity.min(Severity::Medium)) },
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": line}}}],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint, "brig/v1": finding.fingerprint},
        "properties": {"severity": finding.severity.name(), "status": finding.status, "standing": standing.is_some()},
    })
}

/// Every result needs a place to be shown at all.
fn place(report: &Report, location: Option<&str>) -> (String, u64) {
    let (path, line) = placed(report, location);
    let encoded = path.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    (encoded.collect(), line)
}

/// `Cargo.lock:1204` → the file, as the repository has it, and its line; without a location, or with one that leads out of the repository, the lock file
/// as a whole.
pub(super) fn placed(report: &Report, location: Option<&str>) -> (String, u64) {
    let within = report.run.within.as_ref().and_then(|within| std::str::from_utf8(within.as_bytes()).ok()).unwrap_or_default();
    let (path, line) = location.map_or(("", 1), |location| {
        let line = location.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse::<u64>().ok()?)));
        line.map_or((location, 1), |(path, line)| (path, line.max(1)))
    });
    match inside(within, path) {
        Some(path) => (path, line),
        None => (inside(within, "Cargo.lock").unwrap_or_else(|| "Cargo.lock".to_owned()), 1),
    }
}

/// `path` from `within`, without a way up; `None` where it leads out, or nowhere.
fn inside(within: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') || within.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in within.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Low => "warning",
        Severity::Info => "note",
    }
}

/// GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assemble;
    use crate::report::samples::*;

    #[test]
    fn one_alert_per_rule_crate_and_kind() {
        let mut material = stolen_env();
        let mut second = material.actors[1].clone();
        second.id = crate::model::ActorId(33);
        material.actors.push(second);
        material.breaches.push(breach(33, 3300, read("/home/u/app/.env"), Rule::SecretRead, Severity::High));
        material.breaches.push(breach(TESTS, 1200, read("/home/u/[x](http://h)"), Rule::SecretRead, Severity::Low));
        let report = assemble(&material, &facts(), &Graph);
        assert_eq!(report.findings.len(), 3);
        let log = log(&report);
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        let expected = "build script of 'quickfetch-sys' 0.3.2 tried to read '{workspace}/.env' — refused\n\
            in the build through app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2\nand 1 other actor of the same kind";
        assert_eq!(results[0]["message"]["text"], expected);
        assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 1204);
        assert_eq!(results[0]["partialFingerprints"]["brig/v1"], report.findings[0].fingerprint);
        assert_eq!((results[0]["level"].as_str(), results[1]["level"].as_str()), (Some("error"), Some("warning")));
        assert_eq!(results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "Cargo.lock");
        assert!(results[1]["message"]["text"].as_str().unwrap().contains("\\[x\\](http://h)"));
        for result in results {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        }
    }

    #[test]
    fn locations() {
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        for (within, given, expected) in [
            ("", None, ("Cargo.lock", 1)),
            ("", Some("Cargo.lock:0"), ("Cargo.lock", 1)),
            ("", Some("a b/build.rs"), ("a%20b/build.rs", 1)),
            ("", Some("a:b:7"), ("a%3Ab", 7)),
            ("", Some("../a/build.rs:7"), ("Cargo.lock", 1)),
            ("", Some("/etc/passwd:7"), ("Cargo.lock", 1)),
            ("", Some(""), ("Cargo.lock", 1)),
            ("rust", None, ("rust/Cargo.lock", 1)),
            ("rust", Some("Cargo.lock:1204"), ("rust/Cargo.lock", 1204)),
            ("a/rust", Some("../shared/build.rs:7"), ("a/shared/build.rs", 7)),
            ("a/rust", Some("../../../x:7"), ("a/rust/Cargo.lock", 1)),
            ("../..", Some("x:7"), ("Cargo.lock", 1)),
            ("/etc", Some("passwd:7"), ("Cargo.lock", 1)),
        ] {
            report.run.within = Some(within.into());
            assert_eq!(place(&report, given), (expected.0.to_owned(), expected.1), "{within} {given:?}");
        }
    }
}
