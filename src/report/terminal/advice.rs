//! What to do about a finding: lines of help, for who did not expect it and for who did.

use crate::model::{Finding, Rule, Severity};

use super::super::escape;
use super::style::MEDIUM;

pub fn help(finding: &Finding) -> Vec<String> {
    let explain = format!("`cargo brig explain {}` says what the rule is about", finding.rule.id());
    if finding.severity == Severity::Info || !finding.advice.is_empty() {
        return finding.advice.iter().map(|text| escape::ours(text)).chain([explain]).collect();
    }
    let mut help = vec![format!("not expected? {}", unexpected(finding))];
    if let Some(proposal) = &finding.except {
        help.push(format!("expected? `{}`", escape::ours(&proposal.command())));
    }
    if let Some(line) = &finding.allow {
        let whose = if finding.except.is_some() { "expected of every package?" } else { "expected?" };
        help.push(format!("{whose} brig.toml: {}", to_be_written(line)));
    }
    if finding.rule == Rule::NetDns && (finding.except.is_some() || finding.allow.is_some()) {
        help.push("the port in it is a guess: a lookup names none".to_owned());
    }
    help.push(explain);
    help
}

fn unexpected(finding: &Finding) -> String {
    let Some(package) = finding.offender.as_ref().map(|package| MEDIUM.package(package)) else {
        return "find out which package it is before you build again".to_owned();
    };
    let candidates: Vec<_> = finding.candidates.iter().map(|candidate| MEDIUM.package(candidate)).collect();
    let own = match &finding.location {
        Some(location) => format!("{package} is your own: look at `{}`, and at who changed it", escape::name(location)),
        None => format!("{package} is your own: look at who changed it"),
    };
    match (&candidates[..], finding.own) {
        ([], true) => own,
        ([], false) => format!("read the source of {package} before you build it again, and report it"),
        (all, _) if finding.compiled => {
            format!("see whether {package} has its text include that, else read the source of {}", all.join(", "))
        }
        (all, _) => format!("find out which of {} has {package} do this, before you build again", all.join(", ")),
    }
}

/// A line for `brig.toml`, with those that must stand before it.
pub fn to_be_written(line: &str) -> String {
    // A profile of the user's own is there already: the line goes into it.
    let before = if line.contains("inherits = ") { "`version = 1`, `policy = \"mine\"`, " } else { "" };
    format!("{before}`{}`", escape::ours(line))
}
