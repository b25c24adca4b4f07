//! Reads findings out of `report.json`, as a stranger would: by its documented fields, not through Brig's own types.

use serde_json::Value;

use crate::run::Outcome;

/// A finding that has to be in the report.
#[derive(Clone, Copy, Debug)]
pub struct Finds {
    /// Any of these rules: where a wall stops an act at more than one point, the first to stop it names it.
    rules: &'static [&'static str],
    package: &'static str,
    kinds: &'static [&'static str],
    statuses: &'static [&'static str],
    blame: Option<&'static str>,
}

/// `package`'s `kind` was refused an act that breaks `rule`.
pub const fn refused(rules: &'static [&'static str], package: &'static str, kinds: &'static [&'static str]) -> Finds {
    Finds { rules, package, kinds, statuses: &["refused"], blame: None }
}

impl Finds {
    /// … and the stack named this crate.
    pub const fn blaming(mut self, name: &'static str) -> Finds {
        self.blame = Some(name);
        self
    }

    /// … and it was recorded with one of these statuses.
    pub const fn as_status(mut self, statuses: &'static [&'static str]) -> Finds {
        self.statuses = statuses;
        self
    }

    pub fn package(&self) -> &'static str {
        self.package
    }

    fn matches(&self, report: &Value, finding: &Value) -> bool {
        let actor = actor(report, finding);
        has(self.rules, &finding["rule"])
            && has(self.statuses, &finding["status"])
            && actor["package"]["name"] == self.package
            && has(self.kinds, &actor["kind"])
            && self.blame.is_none_or(|name| blamed(finding).contains(&name))
    }
}

/// Checks that the report names who did what, and nobody else.
#[track_caller]
pub fn expect(outcome: &Outcome, expected: &[Finds]) {
    let report = outcome.report();
    let findings = report["findings"].as_array().expect("findings");
    for wanted in expected {
        assert!(findings.iter().any(|finding| wanted.matches(report, finding)), "not found: {wanted:?}\n{outcome}");
    }
    for finding in violations(report) {
        let package = &actor(report, finding)["package"]["name"];
        let known = expected.iter().any(|wanted| *package == wanted.package());
        assert!(known, "blames somebody innocent: {}\n{outcome}", line(report, finding));
    }
}

/// Checks that nothing worse than information was found.
#[track_caller]
pub fn expect_silence(outcome: &Outcome) {
    let loud: Vec<String> = violations(outcome.report()).map(|finding| line(outcome.report(), finding)).collect();
    assert!(loud.is_empty(), "alarms about honest code: {loud:#?}\n{outcome}");
}

/// Findings that make a run fail.
pub fn violations(report: &Value) -> impl Iterator<Item = &Value> {
    report["findings"].as_array().into_iter().flatten().filter(|finding| finding["severity"] != "info")
}

/// One line for each finding, for readers of failures.
pub fn list(report: &Value) -> Vec<String> {
    report["findings"].as_array().into_iter().flatten().map(|finding| line(report, finding)).collect()
}

pub fn line(report: &Value, finding: &Value) -> String {
    let actor = actor(report, finding);
    let acts: Vec<String> = finding["evidence"].as_array().into_iter().flatten().take(3).map(Value::to_string).collect();
    format!(
        "{} {} [{}] {} of {} blame {:?} — {}; {}",
        finding["id"],
        finding["rule"],
        finding["status"],
        actor["kind"],
        actor["package"]["name"],
        blamed(finding),
        finding["reason"],
        acts.join(" ")
    )
}

pub fn actor<'a>(report: &'a Value, finding: &Value) -> &'a Value {
    static NOBODY: Value = Value::Null;
    let actors = report["actors"].as_array().into_iter().flatten();
    actors.into_iter().find(|actor| actor["id"] == finding["actor"]).unwrap_or(&NOBODY)
}

/// Crates on the stack, innermost first, by symbol and by package.
pub fn blamed(finding: &Value) -> Vec<&str> {
    let crates = finding["blame"]["crates"].as_array().into_iter().flatten();
    crates.flat_map(|found| [&found["name"], &found["package"]["name"]]).filter_map(Value::as_str).collect()
}

fn has(words: &[&str], value: &Value) -> bool {
    value.as_str().is_some_and(|found| words.contains(&found))
}
