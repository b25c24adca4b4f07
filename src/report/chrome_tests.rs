//! Slices and instants of a small build, and that no viewer is told what nobody knows.

use serde_json::{Value, json};

use super::*;
use crate::model::Span;
use crate::model::Status;
use crate::report::assemble;
use crate::report::samples::*;

fn trace(report: &Report) -> Value {
    let mut out = Vec::new();
    write(report, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn sample() -> Report {
    let mut material = stolen_env();
    material.breaches[0].0.at_ms = 640;
    material.behaviours = vec![did(BUILD, Act::Create { path: "/home/u/app/target/x".into() }, Status::Allowed, 2)];
    material.behaviours[0].first_ms = 700;
    let mut again = process(BUILD, 402, 401, "/usr/bin/env", &["env", "cat", "../.env"]);
    again.started_ms = 395;
    material.processes.push(again);
    material.spans.insert(ActorId(BUILD), Span { started_ms: 390, ended_ms: Some(750), exit: Some(0) });
    assemble(&material, &facts(), &Graph)
}

#[test]
fn actors_and_processes_are_slices_and_acts_are_instants() {
    let report = sample();
    let trace = trace(&report);
    assert_eq!((&trace["displayTimeUnit"], &trace["otherData"]["command"]), (&"ms".into(), &"cargo test".into()));
    let events = trace["traceEvents"].as_array().unwrap();
    let id = report.findings[0].actor.0;
    let of = |cat: &str| events.iter().filter(|event| event["cat"] == cat && event["pid"] == id).collect::<Vec<_>>();
    let expected = json!({"name": "build script of `quickfetch-sys` 0.3.2", "cat": "actor", "ph": "X", "ts": 390_000, "dur": 360_000,
        "pid": id, "tid": 400, "args": {"crate": "quickfetch-sys 0.3.2", "exit": "0", "kind": "build-script"}});
    assert_eq!(of("actor"), [&expected]);
    let shown: Vec<_> = of("process").iter().map(|one| (one["name"].as_str().unwrap(), one["ts"].as_u64(), one["dur"].as_u64())).collect();
    let expected = [
        ("build-script-build", Some(400_000), Some(350_000)),
        ("sh", Some(401_000), Some(349_000)),
        // The same pid ran another program after that.
        ("env", Some(395_000), Some(7_000)),
        ("cat", Some(402_000), Some(348_000)),
    ];
    assert_eq!(shown, expected);
    assert!(of("process")[2]["args"]["end"].is_null());
    assert_eq!(of("process")[3]["args"]["end"], "not recorded: at the latest with its actor");
    let expected = json!({"name": "secret/read: tried to read `{workspace}/.env`", "cat": "finding", "ph": "i", "s": "t", "ts": 640_000,
        "pid": id, "tid": 402, "args": {"crate": "quickfetch-sys 0.3.2", "fate": "refused", "finding": "F1", "incident": "I1",
        "rule": "secret/read", "severity": "high"}});
    assert_eq!(of("finding"), [&expected]);
    let acts = of("act");
    assert_eq!(acts.len(), 1, "what a finding is about is told once");
    assert_eq!((&acts[0]["name"], &acts[0]["args"]["status"]), (&"created `{target}/x` (×2)".into(), &"allowed".into()));
}

/// Perfetto draws slices of one thread only where each lies within the one around it.
#[test]
fn slices_of_one_thread_lie_within_each_other() {
    let trace = trace(&sample());
    let slices: Vec<(u64, u64, u64, u64)> = trace["traceEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| {
            let number = |key: &str| event[key].as_u64().unwrap();
            (number("pid"), number("tid"), number("ts"), number("ts") + number("dur"))
        })
        .collect();
    for (pid, tid, from, to) in &slices {
        for (_, _, other_from, other_to) in slices.iter().filter(|other| (other.0, other.1) == (*pid, *tid)) {
            let apart = other_to <= from || to <= other_from;
            let within = from <= other_from && other_to <= to || other_from <= from && to <= other_to;
            assert!(apart || within, "{pid} {tid}: {from}..{to} and {other_from}..{other_to}");
        }
    }
}
