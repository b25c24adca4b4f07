//! One finding in the shape of a compiler diagnostic: what, where, who, how, through whom, which rule, what to do.

use std::io::{self, Write};

use crate::model::{Act, Blame, Evidence, Finding, Hostile, Rule, Severity, Status};

use super::super::escape;
use super::super::wording::count;
use super::style::{BLUE, CYAN, MEDIUM, RED, Style, YELLOW};

/// Acts written out below the first one.
const ALSO: usize = 6;

/// Writes a finding that so many actors have under this title.
pub fn finding(w: &mut dyn Write, (title, actors): (&str, u64), finding: &Finding, style: Style) -> io::Result<()> {
    let (word, code) = match (finding.severity, finding.status) {
        (Severity::Info, _) => ("note", CYAN),
        (Severity::Low, _) | (_, Status::Observed | Status::Allowed) => ("warning", YELLOW),
        _ => ("error", RED),
    };
    let head = style.paint(code, &format!("{word}[{}]", finding.rule.id()));
    writeln!(w, "{head}: {title}")?;
    if let Some(location) = &finding.location {
        writeln!(w, "  {} {}", style.paint(BLUE, "-->"), escape::ours(location))?;
    }
    let mut line = |key: &str, text: &str| writeln!(w, "   {} {key:<5} {text}", style.paint(BLUE, "="));
    if !finding.path_in_graph.is_empty() {
        line("who", &path(&finding.path_in_graph))?;
    }
    let first = finding.evidence.first();
    let is_new = finding.rule == Rule::BaselineNew;
    if let Some(evidence) = first.filter(|evidence| !is_new || !how(evidence).starts_with("unknown process")) {
        line("how", &how(evidence))?;
    }
    for evidence in finding.evidence.iter().skip(usize::from(!correlated(finding))).take(ALSO) {
        let same_way = first.is_some_and(|first| first.chain == evidence.chain);
        let way = if same_way || evidence.chain.is_empty() { String::new() } else { format!(" ({})", chain(&evidence.chain)) };
        let what = match &evidence.act {
            Act::Exec { argv, .. } if argv.len() > 1 => format!("tried to run {}", command(argv)),
            act => MEDIUM.act(act),
        };
        line("also", &format!("{what}{}{way}", times(evidence.count)))?;
    }
    let shown = ALSO + usize::from(!correlated(finding));
    let left = (finding.evidence.len().saturating_sub(shown) as u64).saturating_add(finding.truncated);
    if left > 0 {
        line("also", &format!("{left} more in the report"))?;
    }
    if let Some(blame) = finding.blame.as_ref().filter(|blame| !blame.crates.is_empty()) {
        line("via", &via(blame))?;
    }
    line("rule", &escape::ours(&finding.reason))?;
    if let Some(caveat) = finding.blame.as_ref().and_then(|blame| blame.caveat.as_ref()) {
        let named = finding.blame.as_ref().is_some_and(|blame| !blame.crates.is_empty());
        let means = if named { "those named are candidates" } else { "nobody is named inside it" };
        line("note", &format!("the stack is not conclusive ({}): {means}", escape::ours(caveat)))?;
    }
    if actors > 1 {
        line("note", &format!("the same in {} of this description", count(actors - 1, "other actor")))?;
    }
    match finding.baseline.as_deref() {
        Some("new") if !is_new => line("note", "not in the accepted behaviour (brig.lock)")?,
        Some("known") => line("note", "already in the accepted behaviour (brig.lock)")?,
        _ => {}
    }
    for help in help(finding) {
        line("help", &help)?;
    }
    writeln!(w)
}

fn correlated(finding: &Finding) -> bool {
    finding.rule == crate::model::Rule::SecretThenNetwork
}

/// `app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2 (not a direct dependency)`
fn path(path: &[String]) -> String {
    let place = match path.len() {
        1 => "a workspace member",
        2 => "a direct dependency",
        _ => "not a direct dependency",
    };
    format!("{} ({place})", path.iter().map(|package| escape::name(package)).collect::<Vec<_>>().join(" → "))
}

fn how(evidence: &Evidence) -> String {
    let mut how = chain(&evidence.chain);
    if let Act::Exec { argv, .. } = &evidence.act
        && argv.len() > 1
    {
        how.push_str(&format!(" → {}", command(argv)));
    }
    if how.is_empty() { format!("unknown process{}", times(evidence.count)) } else { format!("{how}{}", times(evidence.count)) }
}

fn chain(chain: &[Hostile]) -> String {
    chain.iter().map(escape::plain).collect::<Vec<_>>().join(" → ")
}

/// A command line with a word's blanks kept together; long ones lose their middle.
fn command(argv: &[Hostile]) -> String {
    let quote = |word: &Hostile| match word.as_bytes() {
        bytes if bytes.is_empty() || bytes.iter().any(u8::is_ascii_whitespace) => [b"\"", bytes, b"\""].concat(),
        bytes => bytes.to_vec(),
    };
    escape::plain(&Hostile::new(argv.iter().map(quote).collect::<Vec<_>>().join(&b' ')))
}

/// The crates on the stack, innermost first.
fn via(blame: &Blame) -> String {
    const DEEPEST: usize = 6;
    let name = |candidate: &crate::model::Candidate| match &candidate.function {
        Some(function) => escape::plain(function),
        None => escape::name(&candidate.name),
    };
    let mut via = blame.crates.iter().take(DEEPEST).map(name).collect::<Vec<_>>().join(" ← ");
    if blame.crates.len() > DEEPEST {
        via.push_str(" ← …");
    }
    match blame.by.as_str() {
        "" | "stack" => via,
        by => format!("{via} ({})", escape::ours(by)),
    }
}

pub fn times(count: u64) -> String {
    if count > 1 { format!(" (×{count})") } else { String::new() }
}

/// A line for `brig.toml`, with those that must stand before it.
pub fn to_be_written(line: &str) -> String {
    // A profile of the user's own is there already: the line goes into it.
    let before = if line.contains("inherits = ") { "`version = 1`, `policy = \"mine\"`, " } else { "" };
    format!("{before}`{}`", escape::ours(line))
}

fn help(finding: &Finding) -> Vec<String> {
    let explain = format!("`cargo brig explain {}` says what the rule is about", finding.rule.id());
    if finding.severity == Severity::Info || !finding.advice.is_empty() {
        return finding.advice.iter().map(|text| escape::ours(text)).chain([explain]).collect();
    }
    let whose = match &finding.offender {
        Some(package) => format!("read the source of {} before you build it again, and report it", MEDIUM.package(package)),
        None => "find out which package it is before you build again".to_owned(),
    };
    let mut help = vec![format!("not expected? {whose}")];
    if let Some(proposal) = &finding.except {
        help.push(format!("expected? `{}`", escape::ours(&proposal.command())));
    }
    if let Some(line) = &finding.allow {
        let whose = if finding.except.is_some() { "of every package?" } else { "expected?" };
        help.push(format!("{whose} brig.toml: {}", to_be_written(line)));
    }
    help.push(explain);
    help
}
