//! One kept run in one line: its name, what was done, what came of it.

use super::super::wording::count;
use super::super::{escape, outcome};
use crate::model::report::Report;
use crate::model::{Hostile, Severity};

/// `20261129-105507  violation  cargo test --offline: 2 findings (1 critical, 1 high); 3 stand from earlier runs`
pub fn line(id: &str, report: &Report) -> String {
    let words: Vec<_> = super::super::redact::argv(&report.run.command).iter().map(|word| word.as_bytes().to_vec()).collect();
    let command = escape::plain(&Hostile::new(words.join(&b' ')));
    let mut text = format!("{id:<18} {:<10} {command}", outcome::word(report.outcome.verdict));
    let own = report.findings.iter().filter(|finding| finding.severity > Severity::Info).count() as u64;
    let standing: usize = report.standing.iter().map(|standing| standing.findings.len()).sum();
    let mut told = Vec::new();
    if own > 0 {
        told.push(count(own, "finding"));
    }
    if standing > 0 {
        told.push(format!("{standing} standing from earlier runs"));
    }
    if !told.is_empty() {
        text.push_str(&format!(": {}", told.join(", ")));
    }
    text + "\n"
}

pub fn damaged(id: &str, error: &anyhow::Error) -> String {
    format!("{id:<18} {:<10} {}\n", "unreadable", escape::ours(&format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assemble;
    use crate::report::samples::*;

    #[test]
    fn a_line() {
        let mut report = assemble(&stolen_env(), &facts(), &Graph);
        report.run.command.push("\x1b[2J\n::error::".into());
        assert_eq!(line("20261129-105507", &report), "20261129-105507    violation  cargo test \\u{1b}[2J\\n::error::: 1 finding\n");
        let clean = assemble(&material(), &facts(), &Graph);
        assert_eq!(line("20261129-105507-2", &clean), "20261129-105507-2  clean      cargo test\n");
    }
}
