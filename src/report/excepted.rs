//! What is told of exceptions of the user's: which were used, and which need a look. In: a report. Out: notes, each with its rule; texts for a
//! medium.

use crate::model::report::Report;
use crate::model::{ExceptionState, ExceptionUse, Rule, Severity};

use super::wording::{Medium, count};

/// What is to be said of one exception.
pub struct Note<'r> {
    pub rule: Rule,
    /// Never more than `Low`: it is no violation of the build's.
    pub severity: Severity,
    pub about: &'r ExceptionUse,
    why: Why,
}

enum Why {
    Expired,
    Near(u64),
    Unused,
    Absent,
    Wide,
}

/// In the order of the file. That one was not used is only said after a run in which everything ran, and went well.
pub fn notes(report: &Report) -> Vec<Note<'_>> {
    let full = report.outcome.cargo_exit == Some(0) && !report.outcome.timed_out && report.coverage.fresh == Some(0);
    let of = |about: &ExceptionUse| {
        let mut all = Vec::new();
        match about.state {
            ExceptionState::Expired => all.push((Rule::PolicyExpired, Severity::Low, Why::Expired)),
            _ if about.is_near() => all.push((Rule::PolicyExpired, Severity::Info, Why::Near(about.days.unwrap_or_default()))),
            _ => {}
        }
        match about.state {
            ExceptionState::Absent => all.push((Rule::PolicyUnused, Severity::Info, Why::Absent)),
            ExceptionState::Unused if full => all.push((Rule::PolicyUnused, Severity::Info, Why::Unused)),
            _ => {}
        }
        if about.exception.wide && about.state != ExceptionState::Expired {
            all.push((Rule::PolicyTooWide, Severity::Info, Why::Wide));
        }
        all
    };
    let notes = report.exceptions.iter().flat_map(|about| of(about).into_iter().map(move |found| (found, about)));
    notes.map(|((rule, severity, why), about)| Note { rule, severity, about, why }).collect()
}

impl Note<'_> {
    /// "the exception for `x@1.0.0` (build-script, `brig.toml:4`) expired on 2026-01-31 and does not count"
    pub fn text(&self, medium: Medium) -> String {
        let exception = &self.about.exception;
        let (whom, origin) = ((medium.name)(&exception.whom), (medium.name)(&exception.origin));
        let what = match self.why {
            Why::Expired => format!("expired on {} and does not count", (medium.name)(&exception.expires)),
            Why::Near(days) => format!("expires in {} ({})", count(days, "day"), (medium.name)(&exception.expires)),
            Why::Unused => "was not used in this run, in which everything ran: remove it, if it is not needed any more".to_owned(),
            Why::Absent => match &self.about.instead {
                Some(instead) => format!("is for no package there is: this build has {}, which is another one", (medium.name)(instead)),
                None => "is for no package in Cargo.lock: remove it, or name the version there is".to_owned(),
            },
            Why::Wide => "is wider than anybody can have looked at".to_owned(),
        };
        format!("the exception for {whom} ({}, {origin}) {what}", exception.actor.name())
    }
}

/// "`x@1.0.0` (build-script): connect `h:443`; used 2 times; reason (`brig.toml:4`)"
pub fn line(about: &ExceptionUse, medium: Medium, ours: fn(&str) -> String) -> String {
    let exception = &about.exception;
    let grants: Vec<String> = exception.grants.iter().map(|grant| (medium.name)(grant)).collect();
    let state = match about.state {
        ExceptionState::Used => format!("used {}", count(about.count, "time")),
        ExceptionState::Unused => "not used".to_owned(),
        ExceptionState::NotReached => "nobody it is for ran".to_owned(),
        ExceptionState::Absent => "no such package".to_owned(),
        ExceptionState::Expired => "expired".to_owned(),
    };
    let until = match about.days {
        Some(_) => format!(", until {}", (medium.name)(&exception.expires)),
        None => String::new(),
    };
    format!(
        "{} ({}): {}; {state}{until}; {} ({})",
        (medium.name)(&exception.whom),
        exception.actor.name(),
        grants.join(", "),
        ours(&exception.reason),
        (medium.name)(&exception.origin)
    )
}

/// "with 2 exceptions (`x@1.0.0`, `workspace`)": those that were used.
pub fn clause(report: &Report, medium: Medium) -> String {
    const LISTED: usize = 3;
    let mut whom: Vec<String> =
        report.exceptions.iter().filter(|one| one.state == ExceptionState::Used).map(|one| (medium.name)(&one.exception.whom)).collect();
    let all = whom.len() as u64;
    whom.dedup();
    let more = if whom.len() > LISTED { ", …" } else { "" };
    whom.truncate(LISTED);
    if all == 0 { String::new() } else { format!(", with {} ({}{more})", count(all, "exception"), whom.join(", ")) }
}

/// One that let something happen.
#[cfg(test)]
pub fn samples(whom: &str, reason: &str) -> Vec<ExceptionUse> {
    let exception = crate::model::Exception {
        whom: whom.to_owned(),
        actor: crate::model::ActorKind::BuildScript,
        grants: vec!["connect h.example:443".to_owned()],
        reason: reason.to_owned(),
        expires: "never".to_owned(),
        by: None,
        origin: "brig.toml:12".to_owned(),
        wide: false,
    };
    vec![ExceptionUse { exception, state: ExceptionState::Used, count: 1, days: None, instead: None }]
}

#[cfg(test)]
#[path = "excepted_tests.rs"]
mod tests;
