//! What each crate with a script or macro did, a row each, the most unusual first: the answer to "what did X do", on clean runs too. Each row leads to the
//! acts themselves.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::crates::{List, Summary};
use super::super::escape;
use super::words::{MEDIUM, ROWS, code, content};
use crate::model::Status;

/// Entries of a list that are written out.
const LISTED: usize = 50;

pub fn matrix(w: &mut dyn Write, crates: &BTreeMap<String, Summary>) -> io::Result<()> {
    let mut rows: Vec<(&String, &Summary)> = crates.iter().filter(|(_, did)| did.acts()).collect();
    rows.sort_by_key(|(_, did)| std::cmp::Reverse(did.weight()));
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(
        w,
        "<h2>What crates did</h2>\n<table class=\"matrix\"><tr><th>crate</th><th>network</th><th>programs</th><th>reads outside</th>"
    )?;
    writeln!(w, "<th>writes outside</th><th>secrets</th><th>withheld</th><th>reviewed</th></tr>")?;
    for (number, (name, did)) in rows.iter().take(ROWS).enumerate() {
        write!(w, "<tr><td><a href=\"#c{number}\">{}</a></td>", code(&escape::name(name)))?;
        for list in lists(did).map(|(_, list)| list) {
            let refused = list.0.iter().any(|used| used.status == Status::Refused);
            let class = if refused { " class=\"refused\"" } else { "" };
            write!(w, "<td{class}>{}</td>", shown(list.0.len()))?;
        }
        writeln!(w, "<td>{}</td><td>{}</td></tr>", shown(did.withheld.len()), shown(did.reviewed.len()))?;
    }
    writeln!(w, "</table>")?;
    super::sections::left(w, rows.len(), "crate")?;
    for (number, (name, did)) in rows.iter().take(ROWS).enumerate() {
        acts(w, number, name, did)?;
    }
    Ok(())
}

fn lists(did: &Summary) -> [(&'static str, &List); 5] {
    [
        ("network", &did.network),
        ("programs", &did.programs),
        ("reads outside", &did.reads_outside),
        ("writes outside", &did.writes_outside),
        ("secrets", &did.secrets),
    ]
}

/// Nothing is shown as nothing: what is there is what the eye finds.
fn shown(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn acts(w: &mut dyn Write, number: usize, name: &str, did: &Summary) -> io::Result<()> {
    let ran: Vec<String> = did.ran.iter().map(|what| content(&escape::name(what))).collect();
    writeln!(w, "<details id=\"c{number}\"><summary>{}: {}</summary><dl>", code(&escape::name(name)), ran.join(", "))?;
    for (what, list) in lists(did) {
        for used in list.0.iter().take(LISTED) {
            let fate = match used.status {
                Status::Allowed => "",
                Status::Redacted => ", a copy without credentials",
                Status::Decoy => ", on a decoy",
                Status::Observed => ", let through",
                Status::Refused => ", refused",
            };
            writeln!(w, "<dt>{what}</dt><dd>{} (×{}){fate}</dd>", (MEDIUM.text)(&used.what), used.count)?;
        }
    }
    for (what, names) in [("withheld", &did.withheld), ("reviewed", &did.reviewed)] {
        names.iter().take(LISTED).try_for_each(|name| writeln!(w, "<dt>{what}</dt><dd>{}</dd>", code(&escape::name(name))))?;
    }
    let more = did.truncated.saturating_add(lists(did).iter().map(|(_, list)| list.0.len().saturating_sub(LISTED) as u64).sum());
    if more > 0 {
        writeln!(w, "<dt>more</dt><dd>{more} in the JSON report</dd>")?;
    }
    let incidents: Vec<String> = did.incidents.iter().map(|id| format!("<a href=\"#{}\">{id}</a>", id.to_ascii_lowercase())).collect();
    if !incidents.is_empty() {
        writeln!(w, "<dt>incidents</dt><dd>{}</dd>", incidents.join(" "))?;
    }
    writeln!(w, "</dl></details>")
}
