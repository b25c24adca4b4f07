//! The end of what is told of incidents: what the rules are about, each once, and a line for each crate.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::model::{Rule, page};

use super::super::escape;
use super::super::incidents::Incident;
use super::style::{BLUE, MEDIUM, Style};
use super::wrap::{width, wrap};

/// Columns at the beginning of each line.
const INDENT: usize = 13;

/// "Rules secret/read: code of a crate opened a file that holds credentials."
pub fn rules(w: &mut dyn Write, incidents: &[Incident], style: Style) -> io::Result<()> {
    let mut rules: Vec<Rule> = incidents.iter().flat_map(|incident| incident.rules()).collect();
    rules.sort_unstable();
    rules.dedup();
    let lines = rules.iter().map(|rule| format!("{}: {}", rule.id(), page::summary(*rule)));
    listed(w, "Rules", lines, style)
}

/// "Crates `chrono_anchor` 0.1.0  secret/read, net/connect  F1 F4": the worst last, as above it.
pub fn crates(w: &mut dyn Write, incidents: &[Incident], style: Style) -> io::Result<()> {
    let mut rows: Vec<(String, Vec<Rule>, Vec<&str>)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for incident in incidents {
        let name = incident.whom.map_or_else(|| "unknown".to_owned(), |package| MEDIUM.package(package));
        let at = *known.entry(name.clone()).or_insert(rows.len());
        if at == rows.len() {
            rows.push((name, Vec::new(), Vec::new()));
        }
        let (_, rules, numbers) = &mut rows[at];
        rules.extend(incident.rules());
        numbers.extend(incident.numbers());
    }
    if rows.len() < 2 {
        return Ok(());
    }
    let cells = rows.into_iter().map(|(name, mut rules, numbers)| {
        rules.sort_unstable();
        rules.dedup();
        let what: Vec<&str> = rules.iter().map(|rule| rule.id()).collect();
        (name, what.join(" "), numbers.iter().map(|number| escape::name(number)).collect::<Vec<_>>().join(" "))
    });
    let cells: Vec<(String, String, String)> = cells.collect();
    let widest = |column: &dyn Fn(&(String, String, String)) -> usize| cells.iter().map(column).max().unwrap_or_default();
    let (name, what) = (widest(&|cell| width(&cell.0)), widest(&|cell| width(&cell.1)).min(60));
    let pad = |text: &str, columns: usize| " ".repeat(columns.saturating_sub(width(text)));
    let lines = cells.iter().map(|(who, did, numbers)| format!("{who}{}  {did}{}  {numbers}", pad(who, name), pad(did, what)));
    listed(w, "Crates", lines, style)
}

fn listed(w: &mut dyn Write, verb: &str, lines: impl Iterator<Item = String>, style: Style) -> io::Result<()> {
    for (at, line) in lines.enumerate() {
        let begin = match at {
            0 => format!("{} ", style.paint(BLUE, &format!("{verb:>12}"))),
            _ => " ".repeat(INDENT),
        };
        wrap(&begin, &line, INDENT + 2, style.width).iter().try_for_each(|row| writeln!(w, "{row}"))?;
    }
    Ok(())
}
