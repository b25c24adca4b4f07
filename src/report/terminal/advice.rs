//! What to do about a finding: lines of help, for who did not expect it and for who did.

use crate::model::{Finding, Reach, Rule, Severity};

use super::super::advice::unexpected;
use super::super::escape;
use super::style::MEDIUM;

pub fn help(finding: &Finding, reach: &Reach) -> Vec<String> {
    let explain = format!("`cargo brig explain {}` says what the rule is about", finding.rule.id());
    if finding.severity == Severity::Info || !finding.advice.is_empty() {
        return finding.advice.iter().map(|text| escape::ours(text)).chain([explain]).collect();
    }
    let mut help = vec![format!("not expected? {}", unexpected(finding, MEDIUM))];
    if let Some(proposal) = &finding.except {
        help.push(format!("expected? `{}`", escape::ours(&reach.only_writing(&proposal.words()))));
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

/// A line for `brig.toml`, with those that must stand before it.
pub fn to_be_written(line: &str) -> String {
    // A profile of the user's own is there already: the line goes into it.
    let before = if line.contains("inherits = ") { "`version = 1`, `policy = \"mine\"`, " } else { "" };
    format!("{before}`{}`", escape::ours(line))
}
