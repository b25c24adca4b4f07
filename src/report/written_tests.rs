//! What a reader of the JSON finds without joining lists: each of the questions people ask is one look.

use serde_json::{Value, json};

use crate::model::{Act, Hostile, Rule, Severity, Span, Status};
use crate::report::samples::*;
use crate::report::{assemble, json};

fn value() -> Value {
    let mut material = stolen_env();
    material.actors[1].package.as_mut().unwrap().manifest_dir = Some("/home/u/.cargo/registry/src/i/quickfetch-sys-0.3.2".into());
    material.actors[1].withheld = vec!["API_TOKEN".into()];
    let mut event = breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High);
    event.0.at_ms = 640;
    material.breaches[0].0.at_ms = 600;
    material.breaches.push(event);
    let mut of_tests = breach(TESTS, 1200, Act::Create { path: "/srv/x".into() }, Rule::FsWriteOutside, Severity::Medium);
    of_tests.0.blame = stack(&[("chrono_anchor", None), ("app", None)]);
    material.breaches.push(of_tests);
    let exec = |path: &str, argv: &[&str]| Act::Exec { path: path.into(), argv: argv.iter().map(|word| Hostile::from(*word)).collect() };
    material.behaviours = vec![
        did(BUILD, exec("/usr/bin/cc", &["cc", "-c"]), Status::Allowed, 2),
        did(BUILD, exec("/usr/bin/cc", &["cc", "-o"]), Status::Allowed, 1),
        did(BUILD, read("/home/u/.gitconfig"), Status::Refused, 1),
        did(BUILD, read("/usr/include/stdio.h"), Status::Allowed, 1),
        did(RUSTC, exec("/usr/bin/cc", &["cc"]), Status::Allowed, 1),
    ];
    material.behaviours[3].first_ms = 512;
    material.spans.insert(crate::model::ActorId(BUILD), Span { started_ms: 500, ended_ms: Some(900), exit: Some(1) });
    let mut out = Vec::new();
    json::write(&assemble(&material, &facts(), &Graph), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn each_question_is_one_look() {
    let report = value();
    let who = |list: &str| -> Vec<String> {
        let crates = report["crates"].as_object().unwrap().iter();
        crates.filter(|(_, did)| !did[list].as_array().unwrap().is_empty()).map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(who("network"), ["quickfetch-sys 0.3.2"]);
    // What a compiler runs to link is no program of the crate's.
    assert_eq!(who("programs"), ["quickfetch-sys 0.3.2"]);
    assert_eq!(who("reads_outside"), ["quickfetch-sys 0.3.2"]);
    // The one on the stack, and not the one whose tests they are.
    assert_eq!(who("writes_outside"), ["chrono_anchor 0.1.0"]);
    let did = &report["crates"]["quickfetch-sys 0.3.2"];
    assert_eq!(did["programs"], json!([{"what": "/usr/bin/cc", "status": "allowed", "count": 3}]));
    assert_eq!(did["network"], json!([{"what": "tcp 203.0.113.7:443", "status": "refused", "count": 1}]));
    assert_eq!(did["secrets"][0]["what"], "{workspace}/.env");
    assert_eq!((&did["ran"], &did["withheld"], &did["worst"]), (&json!(["build-script"]), &json!(["API_TOKEN"]), &json!("critical")));
}

#[test]
fn lists_need_no_joining() {
    let report = value();
    let read = report["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "secret/read").unwrap();
    assert_eq!((&read["incident"], &read["crate"], &read["at_ms"]), (&json!("I1"), &json!("quickfetch-sys 0.3.2"), &json!(600)));
    assert_eq!((&read["file"], &read["line"]), (&json!("Cargo.lock"), &json!(1204)));
    let of = |id: &Value| report["processes"].as_array().unwrap().iter().find(|process| process["id"] == *id).cloned();
    let cat = of(&read["process"]).unwrap();
    assert_eq!(cat["argv"][0], "cat");
    let script = report["actors"].as_array().unwrap().iter().find(|actor| actor["kind"] == "build-script").unwrap();
    assert_eq!(
        (&script["ran"], &script["crate"]),
        (&json!({"started_ms": 500, "ended_ms": 900, "exit": 1}), &json!("quickfetch-sys 0.3.2"))
    );
    let ids: std::collections::BTreeSet<u64> =
        report["processes"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert!(!ids.contains(&script["process"].as_u64().unwrap()), "{ids:?}");
    // Whose, and how usual; and who may not be told from whom it ran in.
    let class = |path: &str| report["behaviour"].as_array().unwrap().iter().find(|did| did["path"] == path).unwrap()["class"].clone();
    assert_eq!(
        (class("{home}/.gitconfig"), class("/usr/include/stdio.h"), class("/srv/x")),
        (json!("user"), json!("system"), json!("outside"))
    );
    let outside = report["behaviour"].as_array().unwrap().iter().find(|did| did["path"] == "/srv/x").unwrap();
    assert_eq!(outside["crate"], "chrono_anchor 0.1.0");
    let package = report["packages"].as_array().unwrap().iter().find(|one| one["name"] == "quickfetch-sys").unwrap();
    assert_eq!(package["purl"], "pkg:cargo/quickfetch-sys@0.3.2");
    assert_eq!(package["manifest"], "{cargo-home}/registry/src/i/quickfetch-sys-0.3.2");
    assert!(report["coverage"]["not_recorded"].as_array().unwrap().len() > 1);
    // A line for each.
    let incident = &report["incidents"][0];
    assert_eq!(
        (&incident["crate"], &incident["rules"][0], &incident["began_ms"]),
        (&json!("quickfetch-sys 0.3.2"), &json!("secret/then-network"), &json!(600))
    );
}

#[test]
fn package_urls() {
    let of = |source: Option<&str>| {
        let package = crate::model::Package { source: source.map(str::to_owned), ..package("x y", "1.0.0+b") };
        crate::report::packages::purl(&package)
    };
    let plain = "pkg:cargo/x%20y@1.0.0%2Bb";
    assert_eq!(of(None), plain);
    assert_eq!(of(Some("registry+https://host.example/rust-lang/crates.io-index")), plain);
    assert_eq!(of(Some("sparse+https://r.example/i/")), format!("{plain}?repository_url=https%3A%2F%2Fr.example%2Fi%2F"));
    assert_eq!(of(Some("git+https://h.example/x?branch=b#c0ffee")), format!("{plain}?vcs_url=git%2Bhttps%3A%2F%2Fh.example%2Fx%40c0ffee"));
}

/// A build has tens of thousands of them.
#[test]
fn of_an_act_only_what_does_not_go_without_saying() {
    let mut material = material();
    material.behaviours = vec![
        did(RUSTC, read("/usr/lib/libc.so.6"), Status::Allowed, 1),
        did(RUSTC, read("/home/u/app/target/debug/deps/libx-1f.rmeta"), Status::Allowed, 1),
        did(RUSTC, read("/usr/include/x.h"), Status::Refused, 2),
    ];
    let report = assemble(&material, &facts(), &Graph);
    let mut stored = Vec::new();
    json::write(&report, &mut stored).unwrap();
    let stored = String::from_utf8(stored).unwrap();
    let actor = report.behaviour[0].actor.0;
    let lines: Vec<&str> =
        stored.split_once("\"behaviour\": [\n").unwrap().1.lines().take(3).map(|line| line.trim().trim_end_matches(',')).collect();
    let expected = [
        format!(
            "{{\"actor\":{actor},\"act\":\"read\",\"path\":\"/usr/include/x.h\",\"status\":\"refused\",\"count\":2,\"class\":\"system\"}}"
        ),
        format!("{{\"actor\":{actor},\"act\":\"read\",\"path\":\"/usr/lib/libc.so.6\",\"class\":\"loader\"}}"),
        format!("{{\"actor\":{actor},\"act\":\"read\",\"path\":\"{{target}}/debug/deps/libx-1f.rmeta\"}}"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(json::parse(stored.as_bytes()).unwrap(), report);
}
