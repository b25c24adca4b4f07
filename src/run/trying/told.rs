//! What a trial says on the terminal: who is tried, how each stage ended, what came of it, and where the evidence lies. In: what was found. Out: lines.

use std::io::{self, Write};

use super::again::Again;
use super::apart;
use super::evidence::Evidence;
use super::found::Found;
use super::guise::Guise;
use super::preparing::Prepared;
use super::stages::Ended;
use crate::model::report::{Report, VerdictWord, Weakness};
use crate::model::{Exit, Hostile, Rule};
use crate::report::crates::crates;
use crate::report::escape;
use crate::report::incidents::{Incident, incidents};
use crate::report::terminal::{self, GREEN, RED, Style, Verbosity, YELLOW};
use crate::report::wording::{QUOTED, count};

/// Sentences of each sort.
const LINES: usize = 8;

pub fn before(w: &mut dyn Write, prepared: &Prepared, style: Style) -> io::Result<()> {
    if style.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    let suspect = &prepared.suspect;
    if let Some(run) = &prepared.run {
        let text = format!("`cargo {}` of {} among decoys (of {})", run.args.join(" "), suspect.name, suspect.from);
        style.status(w, GREEN, "Replaying", &escape::ours(&text))?;
        return run.told.iter().try_for_each(|text| style.status(w, YELLOW, "Note", &escape::ours(text)));
    }
    let checksum = suspect.checksum.as_deref().map(|sum| format!(", sha256 {}", escape::ours(sum))).unwrap_or_default();
    let text = format!("{} {} among decoys (from {}{checksum})", suspect.name, suspect.version, escape::ours(&suspect.from));
    style.status(w, GREEN, "Trying", &text)?;
    if prepared.settings {
        let text =
            "its own `.cargo/config.toml` is not heeded: nobody who depends on it has it, and it names programs that cargo would start";
        style.status(w, YELLOW, "Note", text)?;
    }
    if !prepared.benches.is_empty() {
        let text = format!("not built: {}, which only its benchmarks name; those are not run", prepared.benches.join(", "));
        style.status(w, YELLOW, "Note", &escape::ours(&text))?;
    }
    Ok(())
}

/// What of when and where it is was not made up.
pub fn guise(w: &mut dyn Write, guise: &Guise, style: Style) -> io::Result<()> {
    let limits = guise.limits().into_iter().filter(|_| style.verbosity != Verbosity::Quiet);
    limits.into_iter().try_for_each(|limit| style.status(w, YELLOW, "Note", &limit))
}

/// What of the machine it could not be kept from seeing.
pub fn shared<'w>(w: &mut dyn Write, mut weaker: impl Iterator<Item = &'w Weakness>, style: Style) -> io::Result<()> {
    weaker.try_for_each(|one| style.status(w, YELLOW, "Note", &escape::ours(&format!("{}: {}", one.what, one.means))))
}

pub fn stage(w: &mut dyn Write, one: &Ended, style: Style) -> io::Result<()> {
    if style.verbosity == Verbosity::Quiet || one.is_draft() && !one.timed_out() {
        return Ok(());
    }
    let (color, verb) = match one.was_built() {
        true if one.cut => (YELLOW, "Ended"),
        true => (GREEN, "Ran"),
        false if one.timed_out() => (YELLOW, "Ended"),
        false => (YELLOW, "Not run"),
    };
    style.status(w, color, verb, &format!("{}: {}", one.name, one.how(QUOTED, escape::ours)))
}

pub fn after(w: &mut dyn Write, found: &Found, (evidence, exit): (&Evidence, Exit), style: Style) -> io::Result<()> {
    let Found { prepared, all, ended, left, .. } = *found;
    let quiet = Style { verbosity: Verbosity::Quiet, ..style };
    // Of its stages each has its line; who was still at work then is no incident.
    let mut shown = all.clone();
    shown.outcome.timed_out = false;
    shown.enforcement.degraded.retain(|weakness| !apart::is_told(weakness));
    shown.findings.retain(|finding| finding.rule != Rule::ProcTimeout);
    if shown.outcome.verdict != VerdictWord::TimedOut {
        terminal::after(w, &shown, None, if style.verbosity == Verbosity::Verbose { style } else { quiet })?;
    }
    for habit in found.habits.iter().filter(|_| style.verbosity != Verbosity::Quiet) {
        style.status(w, YELLOW, "Note", habit)?;
    }
    if let Some(again) = found.again {
        self::again(w, again, style)?;
    }
    let suspect = &prepared.suspect;
    let number = incidents(&shown).iter().filter_map(Incident::told).count();
    if number == 0 && style.verbosity != Verbosity::Quiet {
        did(w, all, &suspect.name, style)?;
    }
    let unbuilt: Vec<&str> =
        ended.iter().filter(|one| (!one.was_built() || one.was_cut()) && !one.is_draft()).map(|one| one.name).collect();
    if !unbuilt.is_empty() {
        style.status(w, YELLOW, "Unknown", &format!("what it does in its {}: that did not run to its end", unbuilt.join(", ")))?;
    }
    if let Some(reached) = found.reached.filter(|_| style.verbosity != Verbosity::Quiet) {
        style.status(w, GREEN, "Called", &format!("{}, see calls.txt", reached.sentence()))?;
    }
    let files = if left.is_empty() { String::new() } else { format!(", {}", count(left.len() as u64, "file")) };
    for limit in found.proof.limits.iter().chain(found.gaps) {
        style.status(w, YELLOW, "Unknown", &escape::ours(limit))?;
    }
    let (name, version) = (&suspect.name, &suspect.version);
    let (proven, spoken) = (found.proven(QUOTED), found.spoken(QUOTED));
    let nothing = if found.is_sealed() { "; nothing left this machine" } else { "" };
    for line in spoken.iter().take(LINES).filter(|_| style.verbosity != Verbosity::Quiet) {
        style.status(w, YELLOW, "Sent", &format!("{line}{nothing}"))?;
    }
    for line in proven.iter().take(LINES) {
        style.status(w, RED, "Stole", &format!("{line}{nothing}"))?;
    }
    let more = proven.len().saturating_sub(LINES) + spoken.len().saturating_sub(LINES);
    if more > 0 {
        style.status(w, YELLOW, "Sent", &format!("{more} more, see letter.md"))?;
    }
    if let Some(again) = found.again {
        let (color, verb) = match exit {
            Exit::Violation => (RED, "Replayed"),
            Exit::Success => (GREEN, "Replayed"),
            Exit::Cargo(_) => (YELLOW, "Interrupted"),
            _ => (YELLOW, "Incomplete"),
        };
        style.status(w, color, verb, &escape::ours(&again.sentence()))?;
        return kept(w, evidence, &format!("letter.md, replay.txt, network.pcapng{files}"), style);
    }
    let in_part = format!("{name} {version}: none in what ran; what did not run to its end is not known");
    match (number, exit) {
        (0, Exit::Cargo(_)) => {
            style.status(w, YELLOW, "Interrupted", &format!("{name} {version}: what it would have done since is not known"))?
        }
        (0, Exit::Incomplete) if all.outcome.verdict == VerdictWord::Incomplete => {
            style.status(w, YELLOW, "Incomplete", &format!("{name} {version}: the record has holes"))?;
        }
        (0, Exit::Incomplete) => style.status(w, YELLOW, "Incomplete", &in_part)?,
        (0, _) if !unbuilt.is_empty() => style.status(w, GREEN, "No incident", &in_part)?,
        (0, _) => style.status(w, GREEN, "No incident", &format!("{name} {version}: nothing that ran broke a rule of honest builds"))?,
        (number, _) => style.status(w, RED, "Caught", &format!("{name} {version}: {}", count(number as u64, "incident")))?,
    }
    kept(w, evidence, &format!("letter.md, network.pcapng{files}"), style)
}

fn kept(w: &mut dyn Write, evidence: &Evidence, what: &str, style: Style) -> io::Result<()> {
    let shown = escape::ours(&evidence.dir().to_string_lossy());
    style.status(w, GREEN, "Evidence", &format!("{shown}: report, {what}"))
}

/// Act by act.
fn again(w: &mut dyn Write, again: &Again, style: Style) -> io::Result<()> {
    for text in again.differs().iter().filter(|_| style.verbosity != Verbosity::Quiet) {
        style.status(w, YELLOW, "Note", text)?;
    }
    for (head, lines) in again.parts(QUOTED, "your") {
        let came = ["came again", "new", "did something else"].iter().any(|word| head.starts_with(word));
        style.status(w, if came { RED } else { GREEN }, "Incident", &head)?;
        lines.iter().try_for_each(|line| style.below(w, line))?;
    }
    Ok(())
}

/// An honest crate, in a few lines.
fn did(w: &mut dyn Write, all: &Report, name: &str, style: Style) -> io::Result<()> {
    let incidents = incidents(all);
    let crates = crates(all, &incidents);
    let of = |key: &&String| key.rsplit_once(' ').is_some_and(|(known, _)| known == name);
    for (key, did) in crates.iter().filter(|(key, _)| of(key)) {
        let ran: Vec<&str> = did.ran.iter().map(String::as_str).collect();
        // Its own workspace has it as the user's.
        let own = |what: &Hostile| ["{workspace}", "{target}"].iter().any(|tree| what.as_bytes().starts_with(tree.as_bytes()));
        let lists = [("network", &did.network), ("programs", &did.programs), ("reads outside", &did.reads_outside)];
        let used: Vec<String> = lists
            .iter()
            .map(|(what, list)| (what, list.0.iter().filter(|used| !own(&used.what)).collect::<Vec<_>>()))
            .filter(|(_, list)| !list.is_empty())
            .map(|(what, list)| {
                let first: Vec<String> = list.iter().take(3).map(|used| escape::quoted(&used.what)).collect();
                let more = if list.len() > 3 { format!(" and {} more", list.len() - 3) } else { String::new() };
                format!("{what}: {}{more}", first.join(", "))
            })
            .collect();
        let used = if used.is_empty() { "nothing outside its own".to_owned() } else { used.join("; ") };
        style.status(w, GREEN, "Did", &format!("{}: {} — {used}", escape::name(key), ran.join(", ")))?;
    }
    Ok(())
}
