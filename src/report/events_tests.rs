//! Lines in the order of time, each of which is read by itself.

use serde_json::{Value, json};

use super::*;
use crate::model::Span;
use crate::report::assemble;
use crate::report::samples::*;

fn lines(report: &Report) -> Vec<Value> {
    let mut out = Vec::new();
    write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_happened_in_order_of_time() {
    let mut material = stolen_env();
    material.breaches[0].0.at_ms = 640;
    material.behaviours = vec![did(BUILD, Act::Create { path: "/home/u/app/target/x".into() }, Status::Allowed, 2)];
    material.behaviours[0].first_ms = 700;
    material.spans.insert(ActorId(BUILD), Span { started_ms: 390, ended_ms: Some(750), exit: Some(0) });
    let report = assemble(&material, &facts(), &Graph);
    let lines = lines(&report);
    let shown: Vec<(&str, u64)> = lines.iter().map(|line| (line["event"].as_str().unwrap(), line["at_ms"].as_u64().unwrap_or(0))).collect();
    let (actors, rest) = (&shown[1..4], &shown[4..]);
    assert_eq!((shown[0], actors), (("run", 0), &[("actor", 0); 3][..]), "{shown:?}");
    let expected = [
        ("actor", 390),
        ("process", 400),
        ("process", 401),
        ("process", 402),
        ("act", 640),
        ("finding", 640),
        ("act", 700),
        ("ended", 750),
        ("end", 4200),
    ];
    assert_eq!(rest, expected);
    assert_eq!(lines[0]["schema"], SCHEMA);
    let read = &lines[8];
    let whose = read["actor"].clone();
    let expected = json!({"event": "act", "at_ms": 640, "actor": whose, "crate": "quickfetch-sys 0.3.2", "act": "read",
        "path": "{workspace}/.env", "status": "refused", "count": 1, "class": "user"});
    assert_eq!(*read, expected);
    assert_eq!(lines[9]["fingerprint"], report.findings[0].fingerprint);
    assert_eq!((&lines[6]["parent_process"], &lines[6]["exe"]), (&lines[5]["process"], &"/usr/bin/sh".into()));
    assert_eq!((&lines[11]["exit"], &lines[12]["verdict"], &lines[12]["exit_code"]), (&0.into(), &"violation".into(), &100.into()));
}

/// Numbers of processes and crates are those of the JSON, so that one can be looked up in the other.
#[test]
fn as_many_as_the_report_has() {
    let mut material = stolen_env();
    material.breaches.push(breach(RUSTC, 902, read("/home/u/.ssh/id"), Rule::SecretRead, Severity::High));
    let report = assemble(&material, &facts(), &Graph);
    let lines = lines(&report);
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    let counts = [of("actor"), of("process"), of("act"), of("finding")];
    assert_eq!(counts, [report.actors.len(), report.processes.len(), report.behaviour.len(), report.findings.len()]);
    let mut stored = Vec::new();
    crate::report::json::write(&report, &mut stored).unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    let ids = |list: &[Value], key: &str| {
        let mut ids: Vec<u64> = list.iter().filter_map(|one| one[key].as_u64()).collect();
        ids.sort_unstable();
        ids
    };
    let processes: Vec<Value> = lines.iter().filter(|line| line["event"] == "process").cloned().collect();
    assert_eq!(ids(&processes, "process"), ids(stored["processes"].as_array().unwrap(), "id"));
}
