//! Markdown for a job summary: how it went, a table of incidents, each of them to be opened, and what every crate did. Also workflow annotations for
//! GitHub Actions. In: a `&Report`. Out: text in which whatever comes from the build is inert: entities in Markdown, percent escapes in commands.

use std::io::{self, Write};

use super::crates::crates;
use super::incidents::{Incident, incidents};
use super::plain::PLAIN;
use super::tally::{quiet, tally};
use super::wording::{Medium, count, units};
use super::{advice, escape, excepted, rotate, sent};
use crate::model::report::{Report, VerdictWord};
use crate::model::{Severity, Status, moment};

/// A step summary over 1 MiB is dropped as a whole; this leaves room for what other tools append.
const LARGEST: usize = 900 * 1024;

/// More annotations per step than this are not shown.
const ANNOTATIONS: usize = 10;

const MEDIUM: Medium = Medium { text: |text| code(&escape::quoted(text)), name: |name| code(&escape::name(name)) };

/// Every ASCII sign becomes an entity: Markdown is parsed inside inline HTML too, and autolinks look at the raw text.
fn entities(text: &str) -> String {
    let one = |c: char| match c {
        '/' | ' ' => c.to_string(),
        c if c.is_ascii_punctuation() => format!("&#{};", c as u32),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", entities(text))
}

pub fn write(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    let all = incidents(report);
    let told: Vec<Incident> = all.iter().filter_map(Incident::told).collect();
    let mut page = head(report);
    page.push_str(&table(&told));
    for (at, incident) in told.iter().enumerate() {
        let section = section(report, incident);
        if page.len() + section.len() > LARGEST {
            page.push_str(&format!("\n{} more in the JSON report.\n", count((told.len() - at) as u64, "incident")));
            return w.write_all(page.as_bytes());
        }
        page.push_str(&section);
    }
    for part in [matrix(report, &all, told.is_empty()), foot(report)] {
        if page.len() + part.len() <= LARGEST {
            page.push_str(&part);
        }
    }
    w.write_all(page.as_bytes())
}

/// Rows of a table; the rest is counted.
const ROWS: usize = 100;

fn table(told: &[Incident]) -> String {
    if told.is_empty() {
        return String::new();
    }
    let mut text = "\n| severity | crate | broke | findings |\n| --- | --- | --- | --- |\n".to_owned();
    for incident in told.iter().take(ROWS) {
        let whom = incident.whom.map_or_else(|| "unknown".to_owned(), |package| MEDIUM.package(package));
        let rules: Vec<&str> = incident.rules().iter().map(|rule| rule.id()).collect();
        let numbers: Vec<String> = incident.numbers().map(|number| entities(&escape::name(number))).collect();
        text.push_str(&format!("| {} | {whom} | {} | {} |\n", incident.severity.name(), rules.join(", "), numbers.join(" ")));
    }
    match told.len().saturating_sub(ROWS) as u64 {
        0 => {}
        left => text.push_str(&format!("\n{} more.\n", count(left, "incident"))),
    }
    text
}

/// What each crate with a script or macro did: on a clean run all there is to say.
fn matrix(report: &Report, all: &[Incident], is_clean: bool) -> String {
    let crates = crates(report, all);
    let mut rows: Vec<_> = crates.iter().filter(|(_, did)| did.acts()).collect();
    rows.sort_by_key(|(_, did)| std::cmp::Reverse(did.weight()));
    if rows.is_empty() || !is_clean {
        return String::new();
    }
    let head = "| crate | network | programs | reads outside | writes outside | secrets | withheld |";
    let what = count(rows.len() as u64, "crate");
    let mut text = format!(
        "\n<details><summary>What {what} with a build script or macro did</summary>\n\n{head}\n| --- | --- | --- | --- | --- | --- | --- |\n"
    );
    for (name, did) in rows.iter().take(ROWS) {
        let lists = [&did.network, &did.programs, &did.reads_outside, &did.writes_outside, &did.secrets].map(|list| list.0.len());
        let cells: Vec<String> =
            lists.into_iter().chain([did.withheld.len()]).map(|n| if n == 0 { String::new() } else { n.to_string() }).collect();
        text.push_str(&format!("| {} | {} |\n", (MEDIUM.name)(name), cells.join(" | ")));
    }
    match rows.len().saturating_sub(ROWS) as u64 {
        0 => {}
        left => text.push_str(&format!("\n{} more in the report.\n", count(left, "crate"))),
    }
    text + "\n</details>\n"
}

/// What the gate holds by itself is no news on any kernel of today.
fn foot(report: &Report) -> String {
    let one = |weak: &crate::model::report::Weakness| {
        let (what, means) = (entities(&escape::ours(&weak.what)), entities(&escape::ours(&weak.means)));
        format!("\nOne wall instead of two: {what}: {means}\n")
    };
    report.enforcement.degraded.iter().filter(|weak| weak.covered).take(20).map(one).collect()
}

fn head(report: &Report) -> String {
    let (outcome, tally) = (&report.outcome, tally(report));
    let title = match outcome.verdict {
        _ if outcome.barred => "stopped before it ran",
        VerdictWord::Unaccepted => "behaviour that nobody has accepted",
        VerdictWord::Clean if super::wording::killed(report).is_some() => "what ran was clean, the build was ended before its end",
        VerdictWord::Clean if outcome.cargo_exit != Some(0) => "what ran was clean, cargo failed",
        VerdictWord::Clean => "clean",
        VerdictWord::Observed => "observed, nothing was refused",
        VerdictWord::Violation => "violation",
        VerdictWord::TimedOut => "took longer than it was given, and was ended",
        VerdictWord::NotRun => "nothing ran, nothing is known",
        VerdictWord::Incomplete => "incomplete record, not a clean result",
    };
    let profile = report.run.profile.first().map_or("default", String::as_str);
    let mut head = format!("## Brig: {title}\n\n{} ran under profile {}", count(outcome.counts.actors, "actor"), (MEDIUM.name)(profile));
    if tally.acts > 0 {
        let (acts, crates) = (count(tally.acts, "act"), count(tally.crates, "crate"));
        head.push_str(&format!("; {acts} of {crates} broke it ({})", tally.detail()));
    }
    if let Some(code) = outcome.cargo_exit.filter(|code| *code != 0) {
        head.push_str(&format!("; cargo's exit code is {code}"));
    }
    head.push_str(".\n");
    let quiet = quiet(report);
    if quiet > 0 {
        head.push_str(&format!("\n{} without alarm.\n", count(quiet, "refusal")));
    }
    for one in rotate::list(report).iter().take(rotate::LISTED) {
        head.push_str(&format!("\n**Rotate:** {}\n", rotate::line(report, one, MEDIUM)));
    }
    let left = rotate::unlisted(report).saturating_add(rotate::list(report).len().saturating_sub(rotate::LISTED) as u64);
    if left > 0 {
        head.push_str(&format!("\n**Rotate:** {left} more in the JSON report.\n"));
    }
    for weak in report.enforcement.degraded.iter().filter(|weak| !weak.covered) {
        head.push_str(&format!("\n**Degraded:** {}: {}\n", entities(&escape::ours(&weak.what)), entities(&escape::ours(&weak.means))));
    }
    if let Some(loosened) = &report.enforcement.loosened {
        let grants: Vec<_> = loosened.grants.iter().take(20).map(|grant| (MEDIUM.name)(grant)).collect();
        let more = loosened.grants.len().saturating_sub(grants.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (file, than) = ((MEDIUM.text)(&loosened.file), (MEDIUM.name)(&loosened.than));
        head.push_str(&format!("\n**Loosened:** {file} grants more than profile {than}: {}{more}\n", grants.join(", ")));
    }
    for used in report.reviewed.iter().take(20) {
        head.push_str(&format!("\n**Reviewed allow:** {}\n", MEDIUM.reviewed(used, |text| entities(&escape::ours(text)))));
    }
    if report.reviewed.len() > 20 {
        head.push_str(&format!("\n{} more in the JSON report.\n", count(report.reviewed.len() as u64 - 20, "reviewed allow")));
    }
    for about in report.exceptions.iter().take(20) {
        head.push_str(&format!("\n**Exception:** {}\n", excepted::line(about, MEDIUM, |text| entities(&escape::ours(text)))));
    }
    for note in excepted::notes(report).iter().take(20) {
        head.push_str(&format!("\n**{}:** {}\n", note.rule.id(), note.text(MEDIUM)));
    }
    if report.coverage.lost > 0 {
        let holes: Vec<_> = report.coverage.holes.iter().map(|hole| entities(&escape::ours(hole))).collect();
        head.push_str(&format!("\n**Lost:** {} ({})\n", count(report.coverage.lost, "event"), holes.join("; ")));
    }
    if let Some(fresh) = report.coverage.fresh.filter(|fresh| *fresh > 0) {
        head.push_str(&format!("\n{} of the graph did not run, fresh for cargo.\n", units(fresh)));
    }
    if let Some(left) = report.coverage.not_reached.filter(|left| *left > 0) {
        head.push_str(&format!("\nCargo did not come to {} of the graph.\n", units(left)));
    }
    let standing: usize = report.standing.iter().map(|standing| standing.findings.len()).sum();
    if standing > 0 {
        head.push_str(&format!("\n**Standing:** {} from earlier runs: the code did not run again.\n", count(standing as u64, "finding")));
    }
    head
}

fn section(report: &Report, incident: &Incident) -> String {
    const ACTS: usize = 20;
    let worst = incident.worst();
    let mut text = format!("\n<details><summary>{}: {}</summary>\n\n", incident.severity.name(), MEDIUM.title(report, worst));
    if !worst.path_in_graph.is_empty() {
        let path: Vec<_> = worst.path_in_graph.iter().map(|package| code(&escape::name(package))).collect();
        text.push_str(&format!("- who: {}\n", path.join(" → ")));
    }
    if let Some(source) = incident.whom.and_then(|package| package.source.as_ref()) {
        let checksum = incident.whom.and_then(|package| package.checksum.as_ref());
        let checksum = checksum.map(|checksum| format!(", checksum {}", code(&escape::name(checksum)))).unwrap_or_default();
        text.push_str(&format!("- from: {}{checksum}\n", code(&escape::name(source))));
    }
    if let Some(callers) = MEDIUM.candidates(worst) {
        text.push_str(&format!("- who: {callers}\n"));
    }
    let deeds = incident.deeds();
    for deed in deeds.iter().take(ACTS) {
        let at = if deed.at_ms > 0 { format!("at {}.{} s ", deed.at_ms / 1000, deed.at_ms % 1000 / 100) } else { String::new() };
        let chain: Vec<_> = deed.evidence.chain.iter().map(|program| code(&escape::plain(program))).collect();
        let number = entities(&escape::name(&deed.finding.id));
        text.push_str(&format!("- {at}{} (×{}, {number}): {}\n", deed.told(MEDIUM), deed.count, chain.join(" → ")));
    }
    let left = (deeds.len().saturating_sub(ACTS) as u64).saturating_add(incident.truncated());
    if left > 0 {
        text.push_str(&format!("- and {left} more\n"));
    }
    for one in sent::of(report, incident).iter().take(sent::LISTED) {
        text.push_str(&format!("- {}\n", MEDIUM.sent(one, sent::DECOY)));
    }
    let mut reasons: Vec<&str> = incident.findings.iter().map(|finding| finding.reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons.iter().take(5).for_each(|reason| text.push_str(&format!("- rule: {}\n", entities(&escape::ours(reason)))));
    match (incident.is_new(), incident.before()) {
        (Some(true), Some(before)) => text.push_str(&format!("- new: not in brig.lock; {} did not do this\n", code(&escape::name(before)))),
        (Some(true), None) => text.push_str("- new: not in brig.lock\n"),
        (Some(false), _) => text.push_str("- known: brig.lock holds it\n"),
        (None, _) => {}
    }
    if worst.advice.is_empty() {
        advice::now(incident, MEDIUM).iter().for_each(|step| text.push_str(&format!("- now: {step}\n")));
        advice::expected(incident, &report.reach, MEDIUM).iter().for_each(|command| text.push_str(&format!("- expected: {command}\n")));
    }
    for advice in &worst.advice {
        text.push_str(&format!("- help: {}\n", entities(&escape::ours(advice))));
    }
    if let Some(location) = &worst.location {
        text.push_str(&format!("- at: {}\n", code(&escape::name(location))));
    }
    if let Some(standing) = incident.standing {
        let (when, run) = (moment::text(standing.started), code(&escape::ours(&standing.run)));
        text.push_str(&format!("- found in the run of {when} ({run}); the code did not run again since\n"));
    }
    text + "\n</details>\n"
}

/// Workflow commands for the worst findings, one line each.
pub fn annotations(report: &Report, w: &mut dyn Write) -> io::Result<()> {
    for finding in report.all_findings().filter(|finding| finding.is_told()).take(ANNOTATIONS) {
        let command =
            if matches!(finding.status, Status::Refused | Status::Decoy) && finding.severity > Severity::Low { "error" } else { "warning" };
        let (file, line) = super::place::placed(report, finding.location.as_deref());
        let (file, title) = (property(&escape::ours(&file)), property(finding.rule.id()));
        writeln!(w, "::{command} file={file},line={line},title={title}::{}", message(&PLAIN.title(report, finding)))?;
    }
    Ok(())
}

/// The runner's own escapes; controls are already gone.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rule;
    use crate::report::assemble;
    use crate::report::samples::*;

    fn page(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_summary() {
        let report = assemble(&stolen_env(), &facts(), &Graph);
        let expected = "## Brig: violation\n\n3 actors ran under profile <code>default</code>; 1 act of 1 crate broke it (1 high).\n\n\
            | severity | crate | broke | findings |\n| --- | --- | --- | --- |\n\
            | high | <code>quickfetch&#45;sys</code> 0.3.2 | secret/read | F1 |\n\n\
            <details><summary>high: build script of <code>quickfetch&#45;sys</code> 0.3.2 tried to read \
            <code>&#123;workspace&#125;/&#46;env</code> — refused</summary>\n\n";
        assert!(page(&report).starts_with(expected), "{}", page(&report));
        let clean = page(&assemble(&material(), &facts(), &Graph));
        let expected = "## Brig: clean\n\n3 actors ran under profile <code>default</code>.\n\n\
            <details><summary>What 1 crate with a build script or macro did</summary>\n\n\
            | crate | network | programs | reads outside | writes outside | secrets | withheld |\n\
            | --- | --- | --- | --- | --- | --- | --- |\n\
            | <code>quickfetch&#45;sys 0&#46;3&#46;2</code> |  |  |  |  |  |  |\n\n</details>\n";
        assert_eq!(clean, expected);
    }

    #[test]
    fn hostile_text_is_inert() {
        let attacks = [
            "x\n# clean\n",
            "</code><img src=//h>",
            "`a` | b",
            "![x](//h)",
            "@team www.h.example https://h.example",
            "a%0A::error::b,c:d\n::stop",
        ];
        for attack in attacks {
            let mut material = stolen_env();
            material.actors[1].package = Some(package(attack, attack));
            material.breaches.push(breach(BUILD, 402, read(attack), Rule::SecretRead, Severity::High));
            let mut report = assemble(&material, &facts(), &Graph);
            report.findings[0].location = Some(format!("{attack}:7"));
            report.findings[0].path_in_graph = vec![attack.into()];
            let page = page(&report);
            let ours = ["<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>"];
            let shown = ours.iter().fold(page.clone(), |shown, tag| shown.replace(tag, ""));
            let cells = |line: &str| line.starts_with("| ") && line.ends_with(" |") && line.matches('|').count() == 5;
            assert!(shown.lines().all(|line| !line.contains('|') || cells(line)), "{page}");
            assert!(!shown.contains(['<', '>', '@', '!', '[']) && !shown.contains("www.") && !shown.contains("://"), "{page}");
            assert_eq!(page.lines().filter(|line| line.starts_with('#')).count(), 1, "{page}");
            let mut out = Vec::new();
            annotations(&report, &mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out.lines().count(), 1, "{out}");
            let properties = out.split("::").nth(1).unwrap();
            assert_eq!(properties.matches(',').count(), 2, "{out}");
        }
    }

    #[test]
    fn never_larger_than_the_runner_takes() {
        let mut material = material();
        let name = "n".repeat(60);
        for n in 0..2000u32 {
            material.actors.push(actor(
                100 + n,
                crate::model::ActorKind::BuildScript,
                Some(package(&format!("{name}{n}"), "1.0.0")),
                None,
                "/x",
            ));
            for file in 0..10 {
                material.breaches.push(breach(100 + n, 1, read(&format!("/home/u/.ssh/{name}{file}")), Rule::SecretRead, Severity::High));
            }
        }
        let report = assemble(&material, &facts(), &Graph);
        let page = page(&report);
        assert!(page.len() < LARGEST + 100 && page.ends_with("incidents more in the JSON report.\n"), "{}", page.len());
        let mut out = Vec::new();
        annotations(&report, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 10);
    }
}
