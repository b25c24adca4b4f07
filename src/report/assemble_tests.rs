//! Derived actors, grouping, correlation, order, and that nothing depends on when things came.

use super::*;
use crate::model::{Blame, Finding, Hostile, Rule, Severity};
use crate::report::samples::*;
use crate::report::wording::Medium;

const PLAIN: Medium = Medium { text: |text| text.to_json_text(), name: str::to_owned };

fn report_of(material: &Material) -> Report {
    assemble(material, &facts(), &Graph)
}

fn titles(report: &Report) -> Vec<String> {
    report.findings.iter().map(|finding| PLAIN.title(report, finding)).collect()
}

fn kinds(report: &Report) -> Vec<(ActorKind, Option<&str>)> {
    report.actors.iter().map(|actor| (actor.kind, actor.package.as_ref().map(|package| package.name.as_str()))).collect()
}

#[test]
fn a_build_script_with_its_chain() {
    let report = report_of(&stolen_env());
    assert_eq!(titles(&report), ["build script of quickfetch-sys 0.3.2 tried to read {workspace}/.env — refused"]);
    let finding = &report.findings[0];
    let chain: Vec<_> = finding.evidence[0].chain.iter().map(Hostile::to_json_text).collect();
    assert_eq!(chain, ["build-script-build", "sh -c \"cat ../.env\"", "cat"]);
    assert_eq!(finding.id, "F1");
    assert_eq!(finding.location.as_deref(), Some("Cargo.lock:1204"));
    assert_eq!(finding.path_in_graph.len(), 3);
    assert_eq!(report.outcome.exit_code, 100);
    assert_eq!(report.coverage.ran, BTreeMap::from([("build-script".into(), 1), ("program".into(), 1), ("rustc".into(), 1)]));
}

#[test]
fn a_macro_is_not_its_compiler() {
    let mut material = material();
    let rustc_frames = [("evil_macro", Some("/home/u/app/target/debug/deps/libevil_macro-1.so")), ("proc_macro", None)];
    let (mut own, n) = breach(RUSTC, 900, read("/home/u/.aws/credentials"), Rule::SecretRead, Severity::Critical);
    own.blame = stack(&rustc_frames);
    // A shell the macro started: blamed through the process table.
    let mut shell = process(RUSTC, 901, 900, "/usr/bin/sh", &["sh", "-c", "id"]);
    shell.blame = stack(&rustc_frames);
    let child = breach(RUSTC, 902, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High);
    let cc = process(RUSTC, 910, 900, "/usr/bin/cc", &["cc", "-o", "/home/u/app/target/debug/deps/rustcAb12Cd/x"]);
    let ld = process(RUSTC, 911, 910, "/usr/bin/ld", &["ld"]);
    // The compiler itself: no macro on the stack.
    let (mut include, _) = breach(RUSTC, 900, read("/home/u/app/.env"), Rule::SecretRead, Severity::High);
    include.blame = stack(&[("rustc_driver", None)]);
    material.processes = vec![cc, ld, process(RUSTC, 902, 901, "/usr/bin/curl", &["curl"]), shell];
    material.breaches = vec![(own, n), child, (include, 1)];
    let report = report_of(&material);
    assert_eq!(
        titles(&report),
        [
            "proc-macro evil_macro 0.2.0 inside the compiler of app 0.1.0 tried to read {home}/.aws/credentials — refused",
            "proc-macro evil_macro 0.2.0 inside the compiler of app 0.1.0 was after a secret and the network — refused",
            "compiler of app 0.1.0 tried to read {workspace}/.env — refused",
            "proc-macro evil_macro 0.2.0 inside the compiler of app 0.1.0 tried to connect to 203.0.113.7:443 (tcp) — refused",
        ]
    );
    let network = report.findings.iter().find(|finding| finding.rule == Rule::NetConnect).unwrap();
    assert_eq!(network.blame.as_ref().unwrap().by, "inherited");
    assert_eq!(
        kinds(&report),
        [
            (ActorKind::BuildScript, Some("quickfetch-sys")),
            (ActorKind::ProcMacro, Some("evil_macro")),
            (ActorKind::Rustc, None),
            (ActorKind::Rustc, Some("app")),
            (ActorKind::Linker, Some("app")),
            (ActorKind::Program, Some("app")),
        ]
    );
    let rustc = report.actors[3].id;
    assert_eq!((report.actors[1].host, report.actors[4].host), (Some(rustc), Some(rustc)));
    let owners: Vec<_> = report.processes.iter().map(|p| (p.exe.to_json_text(), p.actor)).collect();
    let (mac, linker) = (report.actors[1].id, report.actors[4].id);
    let expected = [("/usr/bin/sh", mac), ("/usr/bin/curl", mac), ("/usr/bin/cc", linker), ("/usr/bin/ld", linker)];
    assert_eq!(owners, expected.map(|(exe, actor)| (exe.to_owned(), actor)));
    assert_eq!(report.processes[2].argv[2], Hostile::from("{target}/debug/deps/rustc*/x"));
}

#[test]
fn a_macro_without_findings_is_not_named() {
    let mut material = material();
    let mut git = process(RUSTC, 901, 900, "/usr/bin/git", &["git"]);
    git.blame = stack(&[("git_version", Some("/t/libgit_version-1.so"))]);
    material.processes = vec![git];
    let report = report_of(&material);
    assert!(!report.actors.iter().any(|actor| matches!(actor.kind, ActorKind::ProcMacro | ActorKind::Linker)));
    assert_eq!(report.outcome.exit_code, 0);
}

#[test]
fn a_doctest_is_no_linker() {
    let mut material = material();
    let mut rustdoc = actor(20, ActorKind::Rustdoc, Some(package("app", "0.1.0")), Some("app"), "/opt/toolchain/bin/rustdoc");
    rustdoc.pid = 2000;
    material.actors.push(rustdoc);
    let compiler = process(20, 2004, 2000, "/opt/toolchain/bin/rustc", &["rustc"]);
    let cc = process(20, 2001, 2004, "/usr/bin/cc", &["cc"]);
    let test = process(20, 2002, 2000, "/tmp/brig-77/20/rustdoctestAb/rust_out", &["rust_out"]);
    let child = process(20, 2003, 2002, "/usr/bin/sh", &["sh"]);
    material.processes = vec![compiler, cc, test, child];
    let by = |pid: u32, path: &str| breach(20, pid, read(path), Rule::SecretRead, Severity::High);
    material.breaches = vec![by(2003, "/home/u/app/.env"), by(2004, "/home/u/app/a.pem"), by(2001, "/home/u/app/b.pem")];
    let report = report_of(&material);
    let mut told = titles(&report);
    told.sort();
    assert_eq!(
        told,
        [
            "compiler of app 0.1.0 tried to read {workspace}/a.pem — refused",
            "doctests of app 0.1.0 tried to read {workspace}/.env — refused",
            "linker of app 0.1.0 tried to read {workspace}/b.pem — refused",
        ]
    );
    let of = |exe: &str| {
        report.processes.iter().find(|process| process.exe.to_json_text() == exe).and_then(|process| report.actor(process.actor))
    };
    assert_eq!(of("/usr/bin/cc").map(|actor| actor.kind), Some(ActorKind::Linker));
    assert_eq!(of("{toolchain}/bin/rustc").map(|actor| actor.kind), Some(ActorKind::Rustc));
    assert_eq!(of("/usr/bin/sh").map(|actor| actor.kind), Some(ActorKind::Program));
}

#[test]
fn a_dependency_inside_the_tests_is_the_offender() {
    let table: [(Option<Blame>, &str, &str); 5] = [
        (stack(&[("chrono_anchor", None), ("app", None)]), "tests of app 0.1.0, through chrono_anchor 0.1.0,", "chrono_anchor"),
        // The program's own code is innermost: what called it is not to blame.
        (stack(&[("app", None), ("chrono_anchor", None)]), "tests of app 0.1.0", "app"),
        (stack(&[("not_in_the_graph", None)]), "tests of app 0.1.0", "app"),
        (None, "tests of app 0.1.0", "app"),
        (stack(&[("chrono_anchor", None)]).map(|blame| Blame { caveat: Some("no symbols".into()), ..blame }), "tests of app 0.1.0", "app"),
    ];
    for (blame, subject, offender) in table {
        let mut material = material();
        let (mut event, n) = breach(TESTS, 1200, read("/home/u/app/.env"), Rule::SecretRead, Severity::High);
        event.blame = blame;
        material.breaches = vec![(event, n)];
        let report = report_of(&material);
        assert_eq!(titles(&report), [format!("{subject} tried to read {{workspace}}/.env — refused")]);
        assert_eq!(report.findings[0].offender.as_ref().unwrap().name, offender);
        assert_eq!(report.findings[0].path_in_graph.last().unwrap().split(' ').next(), Some(offender));
    }
}

#[test]
fn acts_of_one_rule_and_actor_are_one_finding() {
    let mut material = material();
    let secret = |path: &str| breach(BUILD, 400, read(path), Rule::SecretRead, Severity::High);
    material.breaches = vec![secret("/home/u/.ssh/id"), secret("/home/u/.aws/credentials"), secret("/home/u/.ssh/id")];
    material.breaches[2].0.breach.as_mut().unwrap().severity = Severity::Critical;
    let report = report_of(&material);
    assert_eq!(titles(&report), ["build script of quickfetch-sys 0.3.2 tried to read {home}/.ssh/id and 1 more — refused"]);
    assert_eq!(report.findings[0].severity, Severity::Critical);
    assert_eq!((report.outcome.counts.refused, report.outcome.counts.findings["critical"]), (3, 1));
}

#[test]
fn evidence_is_capped_and_counted() {
    let mut material = material();
    material.breaches =
        (0..250).map(|n| breach(BUILD, 400, read(&format!("/home/u/.ssh/id{n:03}")), Rule::SecretRead, Severity::High)).collect();
    let report = report_of(&material);
    assert_eq!((report.findings[0].evidence.len(), report.findings[0].truncated), (100, 150));
    assert_eq!(report.behaviour.len(), 250, "no refusal is dropped");
}

#[test]
fn a_secret_and_the_network_are_critical_together() {
    // secret refused, network refused → what became of the correlation
    let table = [
        (Status::Refused, Status::Refused, Status::Refused),
        (Status::Refused, Status::Observed, Status::Refused),
        (Status::Observed, Status::Refused, Status::Refused),
        (Status::Observed, Status::Observed, Status::Observed),
    ];
    for (secret, network, expected) in table {
        let mut material = material();
        material.breaches = vec![
            breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High),
            breach(BUILD, 400, read("/home/u/app/.env"), Rule::SecretRead, Severity::High),
            breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High),
        ];
        material.breaches[0].0.status = network;
        material.breaches[1].0.status = secret;
        let report = report_of(&material);
        let both: Vec<&Finding> = report.findings.iter().filter(|finding| finding.rule == Rule::SecretThenNetwork).collect();
        assert_eq!(both.len(), 1, "only the actor that tried both");
        assert_eq!((both[0].severity, both[0].status, both[0].id.as_str()), (Severity::Critical, expected, "F1"));
        assert_eq!(both[0].evidence[0].act, read("{workspace}/.env"), "the secret first");
    }
}

/// Of what is allowed the first words are enough; of what is not each word may be what it is about.
#[test]
fn long_commands_are_told_in_brief_unless_they_are_refused() {
    let words: Vec<Hostile> = (0..100).map(|n| Hostile::from(&*format!("w{n}"))).collect();
    let exec = |path: &str| Act::Exec { path: path.into(), argv: words.clone() };
    let mut material = stolen_env();
    material.behaviours = vec![did(BUILD, exec("/usr/bin/cc"), Status::Allowed, 1)];
    material.breaches.push(breach(BUILD, 400, exec("/usr/bin/curl"), Rule::ExecDownloader, Severity::High));
    material.processes[2].argv = words.clone();
    let report = report_of(&material);
    let argv_of = |name: &str| {
        let named = |did: &&crate::model::report::Behaviour| did.act.path().is_some_and(|path| path.as_bytes().ends_with(name.as_bytes()));
        let Act::Exec { argv, .. } = &report.behaviour.iter().find(named).unwrap().act else { panic!("no exec") };
        argv.clone()
    };
    let cc = argv_of("cc");
    assert_eq!((cc.len(), cc.last().unwrap()), (9, &"… 92 more".into()));
    assert_eq!(argv_of("curl").len(), 65);
    let process = report.processes.iter().find(|process| process.exe == "/usr/bin/cat".into()).unwrap();
    assert_eq!((process.argv.len(), process.argv.last().unwrap()), (25, &"… 76 more".into()));
}

#[test]
fn the_order_of_arrival_leaves_no_trace() {
    let mut one = stolen_env();
    one.breaches.push(breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Severity::High));
    one.behaviours = vec![
        did(BUILD, read("/home/u/app/target/debug/deps/rmetaAAAAAA/x"), Status::Allowed, 2),
        did(RUSTC, read("/home/u/app/src/lib.rs"), Status::Allowed, 1),
        did(BUILD, read("/home/u/app/target/debug/deps/rmetaBBBBBB/x"), Status::Allowed, 3),
    ];
    // The same build, started in another order: other actor numbers, pids and times, another temporary directory.
    let mut two = one.clone();
    let renumber = |id: ActorId| ActorId(20 - id.0);
    for actor in &mut two.actors {
        actor.id = renumber(actor.id);
        actor.tmp = format!("/tmp/brig-77/other{}", actor.id.0).into();
        actor.pid += 7;
    }
    for process in &mut two.processes {
        (process.actor, process.pid, process.parent) = (renumber(process.actor), process.pid + 7, process.parent + 7);
    }
    for (event, _) in &mut two.breaches {
        (event.actor, event.pid) = (renumber(event.actor), event.pid + 7);
    }
    for did in &mut two.behaviours {
        did.actor = renumber(did.actor);
    }
    two.actors.reverse();
    two.processes.reverse();
    two.breaches.reverse();
    two.behaviours.reverse();
    let text = |material: &Material| {
        let mut report = report_of(material);
        for process in &mut report.processes {
            (process.pid, process.parent, process.started_ms) = (0, 0, 0);
        }
        report.actors.iter_mut().for_each(|actor| actor.pid = 0);
        report.findings.iter_mut().flat_map(|finding| &mut finding.evidence).for_each(|one| one.pid = 0);
        serde_json::to_string_pretty(&report).unwrap()
    };
    assert_eq!(text(&one), text(&two));
    let star = report_of(&one).behaviour.into_iter().find(|behaviour| behaviour.act == read("{target}/debug/deps/rmeta*/x")).unwrap();
    assert_eq!(star.count, 5, "summed after normalising");
}

#[test]
fn fingerprints_ignore_versions_and_numbers() {
    let one = report_of(&stolen_env()).findings[0].fingerprint.clone();
    let mut newer = stolen_env();
    newer.actors[1].package = Some(package("quickfetch-sys", "0.4.0"));
    newer.actors[1].id = ActorId(77);
    newer.processes.iter_mut().for_each(|process| process.actor = ActorId(77));
    newer.breaches[0].0.actor = ActorId(77);
    let newer = report_of(&newer).findings[0].fingerprint.clone();
    assert_eq!(one, newer);
    assert_eq!(one.len(), 16);
}

#[test]
fn nothing_ran_unless_something_was_compiled() {
    let mut warm = material();
    warm.actors.truncate(1);
    let report = report_of(&warm);
    assert_eq!(report.outcome.verdict, crate::model::report::VerdictWord::NotRun);
    assert_eq!((report.outcome.exit_code, report.outcome.counts.actors), (0, 0));
    let mut print = warm.clone();
    print.actors[0].crate_name = Some("___".into());
    assert_eq!(report_of(&print).outcome.verdict, crate::model::report::VerdictWord::NotRun);
}

#[test]
fn acts_of_an_unknown_actor_are_kept() {
    let secret = breach(99, 5, read("/home/u/app/.env"), Rule::SecretRead, Severity::High);
    let material = Material { breaches: vec![secret], ..Material::default() };
    let report = report_of(&material);
    assert_eq!(titles(&report), ["a tool started by cargo tried to read {workspace}/.env — refused"]);
    assert_eq!((report.outcome.exit_code, report.coverage.unattributed), (100, 1));
}

#[test]
fn a_broken_process_table_is_survived() {
    let mut material = stolen_env();
    // A cycle, an orphan, and an event of a process nobody saw start.
    material.processes = vec![
        process(BUILD, 500, 501, "/usr/bin/a", &["a"]),
        process(BUILD, 501, 500, "/usr/bin/b", &["b"]),
        process(BUILD, 502, 0, "/usr/bin/c", &[]),
    ];
    material.breaches = [500, 502, 999].map(|pid| breach(BUILD, pid, read("/home/u/app/.env"), Rule::SecretRead, Severity::High)).to_vec();
    let report = report_of(&material);
    assert_eq!(report.processes.len(), 3);
    let chains: Vec<String> =
        report.findings[0].evidence.iter().map(|e| e.chain.iter().map(Hostile::to_json_text).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(chains, ["build-script-build …", "build-script-build … b a", "build-script-build … c"]);
}

#[test]
fn what_was_lost_is_told() {
    let mut material = material();
    material.lost = vec!["a notification could not be read".into(); 3];
    let report = report_of(&material);
    assert_eq!((report.outcome.exit_code, report.coverage.lost, report.coverage.complete), (103, 3, false));
    assert_eq!(report.coverage.holes, ["a notification could not be read"]);
}

/// An alarm is told by its finding, which knows whether a line would help; what only informs is kept without one.
#[test]
fn no_line_is_offered_for_what_another_rule_refused() {
    let mut material = stolen_env();
    material.failed = [ActorId(BUILD)].into();
    material.behaviours.push(did(BUILD, read("/opt/data"), Status::Refused, 1));
    let kept = |material: &Material| {
        let kept = assemble(material, &facts(), &Graph).kept;
        kept.iter()
            .map(|kept| (String::from_utf8_lossy(kept.act.path().unwrap().as_bytes()).into_owned(), kept.allow.is_some()))
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(&material), [("/opt/data".to_owned(), true)]);
    material.breaches[0].0.breach.as_mut().unwrap().severity = Severity::Info;
    assert_eq!(kept(&material), [("/opt/data".to_owned(), true), ("{workspace}/.env".to_owned(), false)]);
    material.breaches[0].0.breach.as_mut().unwrap().rule = Rule::FsReadOutside;
    assert_eq!(kept(&material), [("/opt/data".to_owned(), true), ("{workspace}/.env".to_owned(), true)]);
    // The rules say the same of it with a line.
    material.beyond = [(ActorId(BUILD), material.breaches[0].0.act.clone())].into();
    assert_eq!(kept(&material), [("/opt/data".to_owned(), true), ("{workspace}/.env".to_owned(), false)]);
}
