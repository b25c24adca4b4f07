//! SARIF 2.1.0 for code scanning. In: a `&Report`. Out: one result per (rule, crate, actor kind) with the report's own stable
//! fingerprint, placed at the package's line in `Cargo.lock`, so that an alert stays the same alert from run to run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::alerts::alerts;
use super::incidents::{Incident, by_finding, incidents};
use super::place::{encoded, place};
use super::wording::{Medium, count, is_correlated, times, units};
use super::{escape, excepted, rotate, sent};
use crate::model::report::{Report, VerdictWord};
use crate::model::{Evidence, ExceptionState, ExceptionUse, Finding, Rule, Severity, Status, moment, page};

/// A message's text takes `[text](target)` for a link (SARIF 2.1.0 §3.11.6): brackets of others are escaped.
const MEDIUM: Medium =
    Medium { text: |text| format!("'{}'", unlinked(&escape::quoted(text))), name: |name| format!("'{}'", unlinked(&escape::name(name))) };

/// Where the program and its rules are told about; nothing while its manifest names no place.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// GitHub shows no more of one analysis.
const MOST: usize = 5_000;

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
    for used in excepted(report) {
        worst.entry(rule_of(used)).or_insert(Severity::Info);
    }
    let rules: Vec<Rule> = worst.keys().copied().collect();
    let incidents = incidents(report);
    let of = by_finding(&incidents);
    let mut groups = alerts(report);
    // What there is no room for is what matters least.
    groups.sort_by_key(|group| std::cmp::Reverse(group[0].severity));
    let left = groups.len().saturating_sub(MOST);
    groups.truncate(MOST);
    let mut results: Vec<Value> =
        groups.into_iter().map(|group| result(report, &group, &rules, of.get(&std::ptr::from_ref(group[0])).copied())).collect();
    results.extend(excepted(report).take(MOST - results.len()).map(|used| suppressed(report, used, &rules)));
    let within = report.run.within.as_ref().map(|within| format!("{}/", encoded(within.as_bytes()))).unwrap_or_default();
    let mut driver = json!({
        "name": report.tool.name,
        "semanticVersion": report.tool.version,
        "rules": worst.iter().map(|(rule, severity)| describe(*rule, *severity)).collect::<Vec<_>>(),
    });
    if !HOME.is_empty() {
        driver["informationUri"] = HOME.into();
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            // Whatever was built of it, one workspace is one analysis: what stands is told by each run, and what is not told any more is over.
            "automationDetails": {"id": format!("brig/{within}")},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": looked(report),
                "exitCode": report.outcome.exit_code,
                "toolExecutionNotifications": notifications(report, left),
            }],
            "results": results,
        }],
    })
}

/// Was anything looked at, and nothing lost of it? Results alone do not tell that from a run that found nothing.
fn looked(report: &Report) -> bool {
    let verdict = report.outcome.verdict;
    !matches!(verdict, VerdictWord::Incomplete | VerdictWord::NotRun | VerdictWord::TimedOut) && !report.outcome.timed_out
}

fn describe(rule: Rule, worst: Severity) -> Value {
    let text = page::page(rule);
    let means = text.split("## What it means\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or(text);
    let mut described = json!({
        "id": rule.id(),
        "name": pascal(rule.id()),
        "shortDescription": {"text": page::summary(rule)},
        "fullDescription": {"text": means.split_whitespace().collect::<Vec<_>>().join(" ")},
        "help": {"text": format!("{text}\n`cargo brig explain {}` shows this, too.\n", rule.id()), "markdown": text},
        "defaultConfiguration": {"level": level(worst)},
        "properties": {"security-severity": score(worst), "precision": "very-high", "tags": ["security", "supply-chain"]},
    });
    if !HOME.is_empty() {
        described["helpUri"] =
            format!("{HOME}/blob/v{}/src/judge/rules/{}.md", env!("CARGO_PKG_VERSION"), rule.id().replace(['/', '-'], "_")).into();
    }
    described
}

/// `secret/then-network` → `SecretThenNetwork`, as validators would have a name.
fn pascal(id: &str) -> String {
    let words = id.split(['/', '-']).filter(|word| word.is_ascii());
    words.filter(|word| !word.is_empty()).map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// Exceptions that let something happen: each is a result that was dealt with.
fn excepted(report: &Report) -> impl Iterator<Item = &ExceptionUse> {
    report.exceptions.iter().filter(|used| used.state == ExceptionState::Used)
}

/// What would have been broken without it, by the first of its lists.
fn rule_of(used: &ExceptionUse) -> Rule {
    match used.exception.grants.first().and_then(|grant| grant.split(' ').next()) {
        Some("connect" | "unix") => Rule::NetConnect,
        Some("exec") => Rule::ExecUnexpected,
        Some("write") => Rule::FsWriteOutside,
        Some("reveal") => Rule::EnvWithheld,
        _ => Rule::FsReadOutside,
    }
}

fn suppressed(report: &Report, used: &ExceptionUse, rules: &[Rule]) -> Value {
    let (rule, about) = (rule_of(used), &used.exception);
    let (uri, line) = place(report, Some(&about.origin));
    let fingerprint = crate::model::digest::hex([rule.id(), &about.whom, &about.grants.join("\n")].join("\0").as_bytes());
    json!({
        "ruleId": rule.id(),
        "ruleIndex": rules.iter().position(|known| *known == rule),
        "level": "note",
        "message": {"text": format!("let happen by an exception: {}", excepted::line(used, MEDIUM, |text| unlinked(&escape::ours(text))))},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": line}}}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "brig/v1": fingerprint},
        "suppressions": [{"kind": "external", "status": "accepted", "justification": unlinked(&escape::ours(&about.reason))}],
    })
}

/// What makes the record weaker is not a result, but it must not be silent either.
fn notifications(report: &Report, left: usize) -> Vec<Value> {
    let note = |level: &str, text: String| json!({"level": level, "message": {"text": unlinked(&escape::ours(&text))}});
    let weaker = report.enforcement.degraded.iter().map(|weak| match weak.covered {
        true => note("note", format!("one wall instead of two: {}: {}", weak.what, weak.means)),
        false => note("warning", format!("degraded: {}: {}", weak.what, weak.means)),
    });
    let mut notes: Vec<_> = weaker.collect();
    if left > 0 {
        notes.push(note("warning", format!("{} there was no room for: the JSON report has them", count(left as u64, "result"))));
    }
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

fn result(report: &Report, group: &[&Finding], rules: &[Rule], incident: Option<&Incident>) -> Value {
    let finding = group[0];
    let mut text = MEDIUM.title(report, finding);
    // The title says the first one, as far as one line can.
    let deed = |evidence: &Evidence| MEDIUM.deed(&evidence.act, finding.status_of(evidence));
    let act = |evidence: &Evidence| MEDIUM.act(&evidence.act, finding.status_of(evidence));
    let said = finding.evidence.first().is_some_and(|first| !is_correlated(finding) && deed(first) == act(first));
    for evidence in finding.evidence.iter().skip(usize::from(said)).take(LISTED) {
        text.push_str(&format!("\n{}{}", deed(evidence), times(evidence.count)));
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
    let others: Vec<&str> =
        incident.map(Incident::rules).unwrap_or_default().into_iter().filter(|rule| *rule != finding.rule).map(Rule::id).collect();
    if !others.is_empty() {
        text.push_str(&format!("\nthe same code in the same program broke {}, too", others.join(", ")));
    }
    for one in incident.iter().flat_map(|incident| sent::of(report, incident)).take(sent::LISTED) {
        text.push_str(&format!("\n{}", MEDIUM.sent(one, sent::DECOY)));
    }
    let (uri, line) = place(report, finding.location.as_deref());
    let physical = json!({"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": line}});
    let mut result = json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        "level": if matches!(finding.status, Status::Refused | Status::Decoy) { level(finding.severity) } else { level(finding.severity.min(Severity::Medium)) },
        "message": {"text": text},
        "locations": [{"physicalLocation": physical}],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint, "brig/v1": finding.fingerprint},
        "properties": {
            "severity": finding.severity.name(), "status": finding.status, "standing": standing.is_some(),
            "incident": incident.map(|incident| incident.id.as_str()),
        },
    });
    let steps = steps(finding);
    if steps.len() > 1 {
        let locations = steps.into_iter().map(|text| json!({"location": {"physicalLocation": physical, "message": {"text": text}}}));
        result["codeFlows"] = json!([{"threadFlows": [{"locations": locations.collect::<Vec<_>>()}]}]);
    }
    result
}

/// How it came to the act: programs from the actor's own down, the functions on the stack from the outermost in, and the act.
fn steps(finding: &Finding) -> Vec<String> {
    const DEEPEST: usize = 40;
    let Some(first) = finding.evidence.first() else { return Vec::new() };
    let programs = first.chain.iter().map(|program| format!("runs {}", (MEDIUM.text)(program)));
    let crates = finding.blame.iter().flat_map(|blame| blame.crates.iter().rev());
    let calls = crates.filter_map(|candidate| Some(format!("calls {}", (MEDIUM.text)(candidate.function.as_ref()?))));
    programs.chain(calls).take(DEEPEST).chain([MEDIUM.deed(&first.act, finding.status_of(first))]).collect()
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

    /// What GitHub's code scanning asks of a file, and OASIS of its shape.
    #[test]
    fn rules_are_explained_and_results_lead_through_what_happened() {
        let mut material = stolen_env();
        let (mut event, n) = breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High);
        event.blame = stack(&[("quickfetch_sys", None), ("build_script_build", None)]);
        material.breaches.push((event, n));
        let mut report = assemble(&material, &facts(), &Graph);
        report.run.within = Some("a b/rust".into());
        report.exceptions = crate::report::excepted::samples("app@1.0.0", "[x](//h)");
        let log = log(&report);
        let run = &log["runs"][0];
        assert_eq!(run["automationDetails"]["id"], "brig/a%20b/rust/");
        for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
            let text = |key: &str, inner: &str| rule[key][inner].as_str().unwrap_or_else(|| panic!("no {key} in {rule}")).to_owned();
            assert!(text("fullDescription", "text").len() > 60 && text("help", "markdown").contains("## What to do"), "{rule}");
            assert!(text("shortDescription", "text").ends_with('.') && text("help", "text").contains("cargo brig explain"), "{rule}");
        }
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap().iter();
        assert!(rules.clone().any(|rule| rule["name"] == "SecretThenNetwork"), "{rules:?}");
        let of = |rule: &str| run["results"].as_array().unwrap().iter().find(|result| result["ruleId"] == rule).unwrap();
        let steps = of("net/connect")["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
        let steps: Vec<_> = steps.iter().map(|step| step["location"]["message"]["text"].as_str().unwrap()).collect();
        assert_eq!(
            steps,
            [
                "runs 'build-script-build'",
                "calls 'build_script_build::go'",
                "calls 'quickfetch_sys::go'",
                "tried to connect to '203.0.113.7:443' (tcp)"
            ]
        );
        let text = of("secret/read")["message"]["text"].as_str().unwrap();
        assert!(text.ends_with("the same code in the same program broke secret/then-network, net/connect, too"), "{text}");
        let suppressed = run["results"].as_array().unwrap().iter().find(|result| !result["suppressions"].is_null()).unwrap();
        assert_eq!(suppressed["suppressions"][0]["justification"], "\\[x\\](//h)");
        assert_eq!((&suppressed["level"], &suppressed["ruleId"]), (&"note".into(), &"net/connect".into()));
    }

    #[test]
    fn what_there_is_no_room_for_is_what_matters_least() {
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        let one = report.findings[0].clone();
        report.findings = (0..MOST + 10)
            .map(|at| Finding {
                id: format!("F{at}"),
                offender: Some(package(&format!("x{at}"), "1.0.0")),
                severity: if at % 2 == 0 { Severity::Low } else { Severity::High },
                ..one.clone()
            })
            .collect();
        let log = log(&report);
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!((results.len(), &results[0]["level"], &results[MOST - 1]["level"]), (MOST, &"error".into(), &"warning".into()));
        assert!(log["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string().contains("10 results there was no room for"));
    }

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
}
