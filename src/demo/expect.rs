//! What the demo has to show: for each scene, the acts that must have been refused, and the crates they must be blamed on.

use super::sink::Sink;
use crate::model::report::Report;
use crate::model::{ActorKind, Finding, Rule, Status};

/// One cargo command of the demo.
pub struct Scene {
    pub title: &'static str,
    /// Cargo's arguments, from the subcommand on.
    pub cargo: &'static [&'static str],
    pub expected: &'static [Expected],
}

/// A refusal that has to be in the report.
pub struct Expected {
    /// The crate to be blamed, as its package is named.
    pub culprit: &'static str,
    pub kind: ActorKind,
    pub rule: Rule,
    /// What it re-enacts, for the demo's own text.
    pub story: &'static str,
}

const fn thief(culprit: &'static str) -> Expected {
    Expected { culprit, kind: ActorKind::Program, rule: Rule::SecretRead, story: "posts .env with curl when a unit test calls it" }
}

pub const SCENES: &[Scene] = &[
    Scene {
        title: "a dependency that runs no code: include_str!(\".env\")",
        cargo: &["build", "--offline", "-p", "page"],
        expected: &[Expected {
            culprit: "build_consts",
            kind: ActorKind::Rustc,
            rule: Rule::SecretRead,
            story: "has the compiler read .env into the library",
        }],
    },
    Scene {
        title: "a dropper in a build script, a thief in a macro, and five look-alikes that wait for a test",
        cargo: &["test", "--offline", "-p", "app", "--", "-q"],
        expected: &[
            Expected {
                culprit: "proc-macro1",
                kind: ActorKind::BuildScript,
                rule: Rule::NetConnect,
                story: "connects to a bare address (arrayref, August 2026)",
            },
            Expected {
                culprit: "proc-macro1",
                kind: ActorKind::BuildScript,
                rule: Rule::ExecDropped,
                story: "starts the program it dropped (arrayref, August 2026)",
            },
            Expected {
                culprit: "quick_derive",
                kind: ActorKind::ProcMacro,
                rule: Rule::SecretRead,
                story: "reads .env while the compiler expands it",
            },
            thief("chrono_anchor"),
            thief("dnp3times"),
            thief("time_calibrator"),
            thief("time_calibrators"),
            thief("time-sync"),
        ],
    },
    Scene {
        title: "cargo as a deputy: a build script exchanged for a link to one of cargo's own programs",
        cargo: &["build", "--offline", "-p", "panel"],
        expected: &[Expected {
            culprit: "fast_build",
            kind: ActorKind::ProcMacro,
            rule: Rule::FsForeignArtifact,
            story: "lays a link in the place of the script it was compiled into",
        }],
    },
];

/// What is not as it has to be; empty when every act was stopped and blamed on the right crate.
pub fn check(scene: &Scene, report: &Report, sink: &Sink) -> Vec<String> {
    let missing = scene.expected.iter().filter(|expected| !expected.met(report));
    let mut unmet: Vec<String> = missing
        .map(|expected| {
            format!(
                "{}: no refusal under {} names `{}` as the {}",
                expected.story,
                expected.rule.id(),
                expected.culprit,
                expected.kind.name()
            )
        })
        .collect();
    if sink.was_told() {
        unmet.push("the canary has reached the listener".to_string());
    }
    unmet
}

impl Expected {
    /// Is it in the report?
    pub fn met(&self, report: &Report) -> bool {
        report.findings.iter().any(|finding| self.is(report, finding))
    }

    fn is(&self, report: &Report, finding: &Finding) -> bool {
        let Some(actor) = report.actors.iter().find(|actor| actor.id == finding.actor) else { return false };
        let owner = actor.package.as_ref().is_some_and(|package| package.name == self.culprit);
        // A library acts inside the program of whoever tests it: there the stack names it.
        let named = self.kind == ActorKind::Program && blamed(finding).is_some_and(|name| name == self.culprit.replace('-', "_"));
        finding.rule == self.rule && finding.status == Status::Refused && actor.kind == self.kind && (owner || named)
    }
}

/// The innermost crate on the stack.
fn blamed(finding: &Finding) -> Option<&str> {
    finding.blame.as_ref()?.crates.first().map(|candidate| candidate.name.as_str())
}

/// A report in which each expectation is met once, written as JSON because that is how reports arrive.
#[cfg(test)]
pub(super) fn report_of(expected: &[Expected]) -> Report {
    let actors: Vec<_> = expected
        .iter()
        .enumerate()
        .map(|(id, expected)| {
            let package = if expected.kind == ActorKind::Program { "app" } else { expected.culprit };
            serde_json::json!({
                "id": id, "kind": expected.kind.name(), "package": {"name": package, "version": "0.1.0"},
                "path_in_graph": [], "attributed_by": "", "withheld": []
            })
        })
        .collect();
    let findings: Vec<_> = expected
        .iter()
        .enumerate()
        .map(|(id, expected)| {
            serde_json::json!({
                "id": format!("F{id}"), "rule": expected.rule.id(), "severity": "critical", "status": "refused", "actor": id,
                "evidence": [], "reason": "", "path_in_graph": [], "fingerprint": "",
                "blame": {"crates": [{"name": expected.culprit.replace('-', "_")}], "by": "stack"}
            })
        })
        .collect();
    serde_json::from_value(serde_json::json!({
        "schema": "brig.report/1", "tool": {"name": "brig", "version": "0"},
        "run": {"command": [], "mode": "enforce", "profile": [], "policy_digest": "", "workspace": null, "target": null,
                "started": 0, "duration_ms": 0},
        "host": {"kernel": "", "arch": "", "rustc": null, "cargo": null, "user": ""},
        "enforcement": {"landlock_abi": 7, "probed": true, "sockets": "private-network", "degraded": []},
        "coverage": {"units": null, "ran": {}, "fresh": null, "events": 0, "lost": 0, "unattributed": 0, "complete": true},
        "outcome": {"verdict": "violation", "exit_code": 100, "cargo_exit": 101,
                    "counts": {"actors": 0, "processes": 0, "refused": 0, "observed": 0, "findings": {}}},
        "actors": actors, "processes": [], "processes_truncated": 0, "behaviour": [], "findings": findings, "end": true
    }))
    .unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expectation_is_met_by_its_own_report_only() {
        let sink = Sink::start().unwrap();
        for scene in SCENES {
            let whole = report_of(scene.expected);
            assert_eq!(check(scene, &whole, &sink), Vec::<String>::new());
            for left_out in 0..scene.expected.len() {
                let mut holed = whole.clone();
                holed.findings.remove(left_out);
                assert_eq!(check(scene, &holed, &sink).len(), 1);
                let mut observed = whole.clone();
                observed.findings[left_out].status = Status::Observed;
                assert_eq!(check(scene, &observed, &sink).len(), 1, "an act that was only observed was not stopped");
            }
        }
    }
}
