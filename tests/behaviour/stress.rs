//! Floods: threads, arguments, paths, pointers, processes, descriptors, events, as many as the machine gives. Brig's memory stays bounded, no
//! refusal is dropped, and the report is complete or says that it is not. `scripts/stress` runs the same fifty times larger.

use serde_json::Value;

use crate::effect::Effect::{self, Says};
use crate::effect::{Before, spilled};
use crate::place::Place;
use crate::run::{cargo, guarded};
use crate::who::Who;

const BUILD: &[&str] = &["build", "--offline"];
const FLOODS: &[Effect] = &[
    Says("zoo: threads got through"),
    Says("zoo: arguments got through"),
    Says("zoo: paths got through"),
    Says("zoo: pointers got through"),
    Says("zoo: processes got through"),
    Says("zoo: descriptors got through"),
    Says("zoo: events got through"),
];
/// Of the supervisor, in KiB, whatever is thrown at it: a build that does nothing takes about a tenth.
const MEMORY: u64 = 200 << 10;

#[test]
fn floods_neither_drown_a_refusal_nor_fill_the_memory() {
    let scale = std::env::var("ZOO_SCALE").unwrap_or_else(|_| "1".into());
    for who in Who::all() {
        let plain = Place::new("stress", who);
        let before = Before::look(&plain, FLOODS);
        let outcome = cargo(&plain, BUILD).go();
        for flood in FLOODS {
            assert!(flood.seen(&plain, &outcome, &before), "plain cargo: no {flood:?}\n{outcome}");
        }
        let place = Place::new("stress", who);
        let outcome = guarded(&place, &[], BUILD).env("ZOO_SCALE", &scale).go();
        for flood in FLOODS {
            assert!(!flood.seen(&place, &outcome, &before), "under Brig: {flood:?}\n{outcome}");
        }
        assert!(spilled(&place, &outcome).is_empty(), "{outcome}");
        outcome.exits(100);
        let report = outcome.report();
        assert_eq!(report["outcome"]["cargo_exit"], 0, "the script itself must come through\n{outcome}");
        let (coverage, memory) = (&report["coverage"], report["run"]["costs"]["peak_memory_kib"].as_u64().unwrap());
        println!(
            "{who:?}: {} events, {} lost, {} refused, {memory} KiB, {:?}",
            coverage["events"], coverage["lost"], report["outcome"]["counts"]["refused"], outcome.took
        );
        assert!(coverage["complete"] == true || !coverage["holes"].as_array().unwrap().is_empty(), "{outcome}");
        assert_eq!(coverage["complete"], true, "{outcome}");
        assert!(memory < MEMORY, "{memory} KiB\n{outcome}");
        // Each thread and each forked process was refused the secret once, and none of these is missing.
        let refused = of(report, "secret/read");
        let scale: u64 = scale.parse().unwrap();
        assert!(refused >= 300 * scale + 500, "only {refused} refusals of the secret\n{outcome}");
        let many = (20_000 * scale).min(100_000) / 4;
        assert!(of(report, "fs/write-outside") >= many, "of {many} refused writes\n{outcome}");
    }
}

/// How often acts that break this rule were refused.
fn of(report: &Value, rule: &str) -> u64 {
    let path = |behaviour: &Value| behaviour["path"].as_str().unwrap_or_default().to_owned();
    let mine = |behaviour: &&Value| match rule {
        "secret/read" => behaviour["act"] == "read" && path(behaviour).ends_with("id_ed25519"),
        _ => ["create", "write"].iter().any(|act| behaviour["act"] == *act) && path(behaviour).starts_with("{home}/"),
    };
    let behaviours = report["behaviour"].as_array().into_iter().flatten();
    behaviours
        .filter(|behaviour| behaviour["status"] == "refused")
        .filter(mine)
        .map(|behaviour| behaviour["count"].as_u64().unwrap_or(1))
        .sum()
}

/// What cargo starts itself is read from its stack before it runs: as much as the kernel lets anybody hand over (execve(2)).
#[test]
fn megabytes_of_arguments_and_variables_reach_a_program_whole() {
    let place = Place::new("honest-run", Who::Myself);
    let long = "x".repeat(100 << 10);
    let mut arguments = vec!["run", "--offline", "--", "7"];
    arguments.extend((0..8).map(|_| long.as_str()));
    let mut run = guarded(&place, &[], &arguments);
    for number in 0..8 {
        run = run.env(&format!("ZOO_LONG_{number}"), long.as_str());
    }
    let outcome = run.input(b"whole").go();
    outcome.exits(7);
    assert_eq!(outcome.stdout_text(), "WHOLE", "{:?}", outcome.stderr.len());
    assert_eq!(outcome.report()["outcome"]["verdict"], "clean");
}
