//! One page for the security team of a registry: what the crate is, what it did, in order, and by what it is known. In: what was found. Out: Markdown, in
//! which what others wrote is quoted and inert.

use std::fmt::Write;

use super::apart;
use super::found::Found;
use super::looked_up;
use super::throwaway::Throwaway;
use crate::model::report::Report;
use crate::model::{Hostile, Severity, moment};
use crate::report::escape;
use crate::report::incidents::{Deed, Incident, incidents};
use crate::report::wording::Medium;

/// Lines of one incident, and files.
const DEEDS: usize = 20;
const FILES: usize = 30;

const MEDIUM: Medium = Medium { text: |text| span(&escape::plain(text)), name: |name| span(&escape::plain(&Hostile::from(name))) };

/// A span of code that what stands in it does not end: backslashes mean nothing there, so its fence is longer than any in it (CommonMark, 6.1).
fn span(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
}

/// A sentence of ours. Where a name in it would get out of its quotation, or make a link, all of it is quoted.
fn prose(text: &str) -> String {
    let text = escape::ours(text);
    if ["\\`", "](", "<http"].iter().any(|active| text.contains(active)) { span(&text) } else { text }
}

pub fn text(found: &Found, throwaway: &Throwaway) -> String {
    let Found { prepared, all, ended, .. } = *found;
    let suspect = &prepared.suspect;
    let mut page = format!("# `{}` {}\n\n", suspect.name, suspect.version);
    let told: Vec<Incident> = incidents(all);
    let told: Vec<Incident> = told.iter().filter(|one| one.severity > Severity::Info).filter_map(Incident::told).collect();
    let _ = match told.len() {
        0 => writeln!(page, "What of it ran among decoys, below, broke no rule of an honest build."),
        _ => writeln!(page, "Run among decoys, on a machine of nobody's, it did the following."),
    };
    let from = (MEDIUM.text)(&suspect.from.as_str().into());
    let _ = match &prepared.run {
        None => writeln!(page, "\n- crate: `{}` {}, from {from}", suspect.name, suspect.version),
        Some(run) => writeln!(page, "\n- run again: {}, of {from}", span(&escape::ours(&format!("cargo {}", run.args.join(" "))))),
    };
    if let Some(checksum) = &suspect.checksum {
        let _ = writeln!(page, "- SHA-256 of its archive: `{checksum}`");
    }
    let _ = writeln!(page, "- run: {}, {} {}", moment::text(all.run.started), all.tool.name, all.tool.version);
    let host = &all.host;
    let _ = writeln!(
        page,
        "- on: Linux {} ({}), {}, {}; Landlock {}, {}",
        escape::name(&host.kernel),
        escape::name(&host.arch),
        escape::name(host.rustc.as_deref().unwrap_or("rustc unknown")),
        escape::name(host.cargo.as_deref().unwrap_or("cargo unknown")),
        all.enforcement.landlock_abi,
        escape::name(&all.enforcement.sockets)
    );
    for weakness in all.enforcement.degraded.iter().filter(|weakness| apart::is_told(weakness)) {
        let _ = writeln!(page, "- {}: {}", prose(&weakness.what), prose(&weakness.means));
    }
    again(&mut page, found);
    sent(&mut page, found);
    for incident in &told {
        section(&mut page, all, incident);
    }
    files(&mut page, found, throwaway);
    page.push_str("\n## What was run\n\n");
    for one in ended.iter().filter(|one| !one.is_draft()) {
        let _ = writeln!(page, "- {}: {}", one.name, one.how(MEDIUM, prose));
    }
    if let Some(reached) = found.reached {
        let _ = writeln!(page, "- {}; which, and why not, is in `calls.txt`", reached.sentence());
    }
    for habit in found.habits {
        let _ = writeln!(page, "- no alarm: {}", prose(habit));
    }
    if prepared.links > 0 {
        let _ = writeln!(page, "- {} links in its source were left out", prepared.links);
    }
    page
}

/// Of a run that was run once more: what came again.
fn again(page: &mut String, found: &Found) {
    let (Some(again), Some(run)) = (found.again, &found.prepared.run) else { return };
    let _ = writeln!(page, "\n## Then and now\n\n{}.\n", prose(&again.sentence()));
    for (head, lines) in again.parts(MEDIUM, found.whose) {
        let _ = writeln!(page, "- {head}");
        for line in lines {
            let _ = writeln!(page, "  - {line}");
        }
    }
    page.push_str("\nNot the same:\n\n");
    for text in run.told.iter().chain(&again.differs()) {
        let _ = writeln!(page, "- {}", prose(text));
    }
}

fn sent(page: &mut String, found: &Found) {
    let (proven, spoken) = (found.proven(MEDIUM), found.spoken(MEDIUM));
    if proven.is_empty() && spoken.is_empty() {
        return;
    }
    page.push_str("\n## What it sent\n\n");
    for line in proven.iter().chain(&spoken).take(FILES) {
        let _ = writeln!(page, "- {line}");
    }
    if found.is_sealed() {
        page.push_str(
            "\nNothing of it left the machine: a sink answered in place of the internet, in a network out of which nothing leads. ",
        );
        page.push_str("All of it is in `network.pcapng`, `network.har` and `sent.json`. A canary is a value that was laid in one place only, for this run.\n");
    }
    for limit in &found.proof.limits {
        let _ = writeln!(page, "\nNot all is known: {}", prose(limit));
    }
}

fn section(page: &mut String, all: &Report, incident: &Incident) {
    let worst = incident.worst();
    let _ = writeln!(page, "\n## {} (`{}`)\n", MEDIUM.title(all, worst), worst.rule.id());
    // A line of the throw-away's own Cargo.lock is nobody's source.
    if let Some(location) = worst.location.as_ref().filter(|location| !location.starts_with("Cargo.lock")) {
        let location = location.strip_prefix("../").and_then(|rest| rest.split_once('/')).map_or(&**location, |(_, rest)| rest);
        let _ = writeln!(page, "In its source: {}\n", (MEDIUM.name)(location));
    }
    let deeds = incident.deeds();
    let told = looked_up::told(&deeds.iter().collect::<Vec<_>>(), MEDIUM);
    for (at, text) in told.iter().take(DEEDS) {
        let deed @ Deed { evidence, .. } = &deeds[*at];
        let chain: Vec<String> = evidence.chain.iter().map(|program| (MEDIUM.text)(program)).collect();
        let by = if chain.is_empty() { String::new() } else { format!(" — {}", chain.join(" → ")) };
        let _ = writeln!(page, "- at {}.{} s {text}{by}", deed.at_ms / 1000, deed.at_ms % 1000 / 100);
    }
    let more = (told.len().saturating_sub(DEEDS) as u64).saturating_add(incident.truncated());
    if more > 0 {
        let _ = writeln!(page, "- {more} more in `report.json`");
    }
}

fn files(page: &mut String, found: &Found, throwaway: &Throwaway) {
    let left = found.left;
    if left.is_empty() && found.gaps.is_empty() {
        return;
    }
    page.push_str("\n## Files it left outside of its build\n\n| SHA-256 | bytes | where | |\n| --- | --- | --- | --- |\n");
    for one in left.iter().take(FILES) {
        let place = (MEDIUM.text)(&throwaway.shown(&one.path).as_str().into());
        let what = if one.changed { "changed" } else { "new" };
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {what} |",
            one.sha256.as_deref().unwrap_or("not kept: too large"),
            one.size,
            place.replace('|', "\\|")
        );
    }
    if left.len() > FILES {
        let _ = writeln!(page, "\n{} more in `files/`.", left.len() - FILES);
    }
    for gap in found.gaps {
        let _ = writeln!(page, "\nNot all is known: {}", prose(gap));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_quotation() {
        for (name, shown) in [
            ("plain", "`plain`"),
            ("a`[x](http://h.example)`b", "`` a`[x](http://h.example)`b ``"),
            ("``", "``` `` ```"),
            ("a\nb", "`a\\nb`"),
        ] {
            assert_eq!((MEDIUM.text)(&name.into()), shown);
        }
        assert_eq!(prose("left out: `x`"), "left out: `x`");
        assert_eq!(prose("left out: `a\\`[x](y)`"), "`` left out: `a\\\\`[x](y)` ``");
    }
}
