//! The statement: what it is about has digests that hold, and what nobody hashed has none.

use serde_json::{Value, json};

use super::*;
use crate::model::{Rule, Severity, sha256};
use crate::report::assemble;
use crate::report::samples::*;

const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn sample() -> Report {
    let mut material = stolen_env();
    material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High));
    let package = material.actors[1].package.as_mut().unwrap();
    package.checksum = Some(SUM.into());
    package.source = Some("registry+https://index.example".into());
    material.behaviours = vec![
        did(TESTS, Act::Lookup { name: "h.example".into(), via: Endpoint::Other { name: "x".into() } }, Status::Refused, 2),
        did(TESTS, Act::Bind { to: Endpoint::UnixPath { path: "/x".into() } }, Status::Allowed, 1),
    ];
    assemble(&material, &facts(), &Graph)
}

fn statement(report: &Report) -> Value {
    let mut out = Vec::new();
    write(report, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn a_statement() {
    let report = sample();
    let made = statement(&report);
    assert_eq!((&made["_type"], &made["predicateType"]), (&STATEMENT.into(), &PREDICATE.into()));
    // The very file that `--json` writes.
    let mut stored = Vec::new();
    crate::report::json::write(&report, &mut stored).unwrap();
    let subjects = json!([
        {"name": "report.json", "digest": {"sha256": sha256::hex(&stored)}},
        {"name": "pkg:cargo/quickfetch-sys@0.3.2?repository_url=https%3A%2F%2Findex.example", "digest": {"sha256": SUM}},
    ]);
    assert_eq!(made["subject"], subjects, "and nothing of packages without a checksum");
    let predicate = &made["predicate"];
    let metadata = json!({"buildStartedOn": "2026-09-21T14:13:20Z", "buildFinishedOn": "2026-09-21T14:13:24Z"});
    assert_eq!(predicate["metadata"], metadata);
    let policy = &predicate["monitor"]["tracePolicy"];
    assert_eq!((&policy["profile"], &policy["complete"], &policy["verdict"]), (&json!(["default"]), &true.into(), &"violation".into()));
    let log = &predicate["monitorLog"];
    let sh = &log["process"][1];
    assert_eq!((&sh["processBinary"], &sh["arguments"]), (&"/usr/bin/sh".into(), &json!(["-c", "cat ../.env"])));
    assert_eq!((&sh["parent"], &sh["crate"]), (&log["process"][0]["id"], &"quickfetch-sys 0.3.2".into()));
    let connections = log["network"].as_array().unwrap();
    let expected = json!({"ip": "203.0.113.7", "port": 443, "protocol": "tcp", "status": "refused", "count": 1,
        "invokingProcess": {"actor": connections[0]["invokingProcess"]["actor"], "kind": "build-script", "crate": "quickfetch-sys 0.3.2"}});
    assert_eq!(connections[0], expected);
    assert_eq!((connections.len(), &connections[1]["hostname"], &connections[1]["ip"]), (2, &"h.example".into(), &Value::Null));
}

#[test]
fn which_job_it_was_is_what_the_server_said() {
    let mut report = sample();
    report.run.id = "20260921-141320".into();
    let of = |report: &Report| {
        let process = statement(report)["predicate"]["monitoredProcess"].clone();
        [process["hostID"].clone(), process["event"].clone()].map(|text| text.as_str().unwrap().to_owned())
    };
    assert_eq!(of(&report), ["file://localhost/", "20260921-141320"]);
    report.run.job = Some("https://ci.example/o/r/actions/runs/7/attempts/1".into());
    assert_eq!(of(&report), ["https://ci.example", "https://ci.example/o/r/actions/runs/7/attempts/1"]);
}

/// A checksum that is none would be a digest of nothing.
#[test]
fn what_is_no_digest_is_left_out() {
    let mut report = sample();
    for odd in ["", "00", &SUM.to_uppercase(), &format!("{SUM}0"), &"g".repeat(64)] {
        report.packages.iter_mut().for_each(|package| package.checksum = Some(odd.to_owned()));
        assert_eq!(statement(&report)["subject"].as_array().unwrap().len(), 1, "{odd}");
    }
}
