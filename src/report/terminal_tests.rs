//! The terminal's text, whole: these tests are its specification.

use super::*;
use crate::model::report::Weakness;
use crate::model::{Act, ActorId, Rule, Severity as Level, Status};
use crate::report::samples::*;
use crate::report::{Facts, Material, assemble};

fn style(verbosity: Verbosity) -> Style {
    Style { color: false, verbosity, width: None }
}

fn text(report: &Report, verbosity: Verbosity) -> String {
    let mut out = Vec::new();
    after(&mut out, report, Some("target/brig/report.json"), style(verbosity)).unwrap();
    String::from_utf8(out).unwrap()
}

fn shown(material: &Material, facts: &Facts) -> String {
    text(&assemble(material, facts, &Graph), Verbosity::Normal)
}

/// Text blocks are written with a margin of `|`, so that the columns can be seen.
fn block(lines: &str) -> String {
    lines.lines().filter_map(|line| line.trim_start().strip_prefix('|')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_line_before() {
    let mut facts = facts();
    let mut out = Vec::new();
    before(&mut out, &facts.run, &facts.enforcement, style(Verbosity::Normal)).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "   Confining cargo test (profile `default`, Landlock 7, private network)\n");
    facts.run.mode = Mode::Observe;
    facts.enforcement.sockets = "no-sockets".into();
    facts.enforcement.degraded =
        vec![Weakness { what: "Landlock 3".into(), means: "TCP is held by the gate alone".into(), covered: false }];
    let mut out = Vec::new();
    before(&mut out, &facts.run, &facts.enforcement, style(Verbosity::Normal)).unwrap();
    let expected = block(
        "|   Observing cargo test (profile `default`, Landlock 7, no sockets, nothing is refused)
         |    Degraded Landlock 3: TCP is held by the gate alone",
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let mut out = Vec::new();
    before(&mut out, &facts.run, &facts.enforcement, style(Verbosity::Quiet)).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "    Degraded Landlock 3: TCP is held by the gate alone\n");
}

#[test]
fn an_honest_build_is_one_quiet_line() {
    let line = shown(&material(), &facts());
    assert_eq!(line, "       Clean 3 actors stayed inside profile `default` · target/brig/report.json\n");
    assert_eq!(text(&assemble(&material(), &facts(), &Graph), Verbosity::Quiet), "");
    let some_fresh = shown(&material(), &Facts { fresh: Some(2), ..facts() });
    assert_eq!(
        some_fresh,
        "       Clean 3 actors stayed inside profile `default`; 2 build scripts and macros did not run (fresh) · target/brig/report.json\n"
    );
}

#[test]
fn the_example_of_the_contract() {
    let mut material = stolen_env();
    material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Level::High));
    for ((event, _), at) in material.breaches.iter_mut().zip([2801, 2900]) {
        event.at_ms = at;
    }
    let out = shown(&material, &Facts { cargo_exit: Some(101), ..facts() });
    let expected = block(
        "|error[secret/then-network]: build script of `quickfetch-sys` 0.3.2 was after a secret and the network — refused
         |  --> Cargo.lock:1204 · app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2 (not a direct dependency)
         |   = did   at 2.8 s tried to read `{workspace}/.env` (F2), connect to `203.0.113.7:443` (tcp) (F3)
         |   = how   build-script-build → sh -c \"cat ../.env\" → cat
         |   = help  not expected? read the source of `quickfetch-sys` 0.3.2 before you build it again, and report it
         |
         |       Rules secret/read: Code of a crate opened a file that holds credentials.
         |             secret/then-network: One actor went for a secret and for the network: the signature of a thief.
         |             net/connect: Code of a crate tried to reach the network.
         |     Refused 2 acts of 1 crate (1 critical, 1 high); cargo ended with exit code 101
         |             2 other actors stayed inside the profile · target/brig/report.json · `cargo brig explain F1`",
    );
    assert_eq!(out, expected);
}

#[test]
fn a_baseline_and_an_exception_have_their_lines() {
    let mut report = assemble(&stolen_env(), &facts(), &Graph);
    (report.findings[0].baseline, report.findings[0].before) = (Some("new".into()), Some("0.3.1".into()));
    report.findings[0].allow = Some("profile.mine = { inherits = \"default\" }".into());
    let out = text(&report, Verbosity::Quiet);
    let expected = block(
        "|error[secret/read]: build script of `quickfetch-sys` 0.3.2 tried to read `{workspace}/.env` — refused
         |  --> Cargo.lock:1204 · app 0.1.0 → imgkit 2.1.0 → quickfetch-sys 0.3.2 (not a direct dependency)
         |   = how   build-script-build → sh -c \"cat ../.env\" → cat (F1)
         |   = note  not in the accepted behaviour (brig.lock)
         |   = help  `cargo update -p quickfetch-sys --precise 0.3.1` takes it back to the version that did not do this; not expected? read the source of `quickfetch-sys` 0.3.2 before you build it again, and report it
         |   = help  expected? `cargo brig allow quickfetch-sys@0.3.2 --build-script --read '{workspace}/.env' --reason …`
         |
         |     Refused 1 act of 1 crate (1 high); cargo finished all the same",
    );
    assert_eq!(out, expected);
}

#[test]
fn the_stack_is_named_with_its_doubts() {
    let mut material = material();
    let (mut event, n) = breach(TESTS, 1200, read("/home/u/app/.env"), Rule::SecretRead, Level::High);
    event.blame = stack(&[("chrono_anchor", None), ("app", None)]);
    material.breaches = vec![(event, n)];
    let out = shown(&material, &facts());
    assert!(
        out.starts_with(
            "error[secret/read]: tests of `app` 0.1.0, through `chrono_anchor` 0.1.0, tried to read `{workspace}/.env` — refused\n"
        ),
        "{out}"
    );
    assert!(out.contains("   = who   app 0.1.0 → chrono_anchor 0.1.0 (a direct dependency)\n"), "{out}");
    assert!(out.contains("   = how   app-3c; chrono_anchor::go ← app::go (F1)\n"), "{out}");
    material.breaches[0].0.blame.as_mut().unwrap().caveat = Some("no symbols".into());
    let out = shown(&material, &facts());
    assert!(out.starts_with("error[secret/read]: tests of `app` 0.1.0 tried to read"), "{out}");
    assert!(out.contains("   = note  the stack is not conclusive (no symbols): those named are candidates\n"), "{out}");
}

#[test]
fn never_a_green_lie() {
    let mut nothing = material();
    nothing.actors.truncate(1);
    let table = [
        (
            Some(0),
            Some(12),
            Some(12),
            "     Not run everything was fresh: 12 build scripts and macros of the graph stayed unexecuted and unobserved (`--fresh` runs them)",
        ),
        (Some(0), Some(0), Some(0), "     Not run nothing ran; the build has no build scripts and no proc-macros"),
        (
            Some(0),
            None,
            None,
            "     Not run cargo ran no code of the build: nothing is known about it (`--fresh` has a build run all of its scripts and macros)",
        ),
        (Some(101), None, None, "     Not run cargo stopped (exit code 101) before any code of the build ran; nothing is known about it"),
    ];
    for (cargo_exit, fresh, units, expected) in table {
        let out = shown(&nothing, &Facts { cargo_exit, fresh, units, ..facts() });
        assert_eq!(out, format!("{expected} · target/brig/report.json\n"));
    }
    let failed = shown(&material(), &Facts { cargo_exit: Some(101), ..facts() });
    let expected = "       Clean 3 actors stayed inside profile `default`; cargo's exit code is 101 · target/brig/report.json\n";
    assert_eq!(failed, expected, "nobody knows why");
}

/// Refusals without alarm of somebody who succeeded, and of somebody who failed.
fn quiet() -> Material {
    let mut material = material();
    let refused = |actor: u32, act: Act| did(actor, act, Status::Refused, 2);
    material.behaviours = vec![
        refused(BUILD, read("/home/u/.cmake/packages")),
        refused(TESTS, read("/opt/data")),
        refused(TESTS, read("/dev/tty")),
        did(TESTS, read("/home/u/app/src/lib.rs"), Status::Allowed, 1),
    ];
    material.actors[3].withheld = vec!["API_TOKEN".into()];
    material
}

#[test]
fn quiet_refusals_are_counted_and_named() {
    let mut material = quiet();
    let expected =
        "       Clean 3 actors stayed inside profile `default`; 3 refusals without alarm (`-v` names them) · target/brig/report.json\n";
    assert_eq!(shown(&material, &facts()), expected);
    let out = text(&assemble(&material, &facts(), &Graph), Verbosity::Verbose);
    let named = block(
        "|       Actor tests of `app` 0.1.0: 1 read, 0 written, 0 run, 0 network, 2 refused
         |             tried to read `/dev/tty` — refused (×2)
         |             tried to read `/opt/data` — refused (×2)
         |       Clean 3 actors stayed inside profile `default`; 3 refusals without alarm · target/brig/report.json",
    );
    assert!(out.ends_with(&named), "{out}");
    // Somebody failed who was kept from something.
    material.failed.insert(ActorId(TESTS));
    let failed = shown(&material, &Facts { cargo_exit: Some(101), ..facts() });
    let expected = block(
        "|       Clean 3 actors stayed inside profile `default`; 3 refusals without alarm (`-v` names them); cargo's exit code is 101 · target/brig/report.json
         |             tests of `app` 0.1.0 failed, and tried to read `/opt/data` — refused; brig.toml: `version = 1`, `policy = \"mine\"`, `profile.mine = { inherits = \"default\", program.extend-read = [\"/opt/data\"] }`
         |             tests of `app` 0.1.0 failed, and tried to read `/dev/tty` — refused
         |             tests of `app` 0.1.0 failed, and was not given `API_TOKEN`: `environment.extend-pass` of a profile in brig.toml gives one away",
    );
    assert_eq!(failed, expected);
    // And somebody who was kept from nothing: then it is no reason.
    material.failed = [ActorId(RUSTC)].into();
    assert_eq!(shown(&material, &Facts { cargo_exit: Some(101), ..facts() }).lines().count(), 1);
}

#[test]
fn nothing_refused_is_not_called_refused() {
    let mut told = stolen_env();
    told.breaches[0].0.status = Status::Allowed;
    let out = shown(&told, &Facts { cargo_exit: Some(101), ..facts() });
    assert!(out.contains("       Found 1 act of 1 crate (1 high); nothing had to be refused\n"), "{out}");
}

#[test]
fn weak_walls_and_holes_are_always_said() {
    let mut weak = facts();
    weak.enforcement.degraded = vec![Weakness { what: "Landlock 3".into(), means: "TCP is held by the gate alone".into(), covered: false }];
    weak.enforcement.probed = false;
    let quiet = text(&assemble(&material(), &weak, &Graph), Verbosity::Quiet);
    let expected = block(
        "|    Degraded Landlock 3: TCP is held by the gate alone
         |    Degraded the walls were not tested on this kernel before the build",
    );
    assert_eq!(quiet, expected);
    let mut lossy = material();
    lossy.lost = vec!["the journal was full".into(), "the journal was full".into()];
    let out = text(&assemble(&lossy, &facts(), &Graph), Verbosity::Quiet);
    assert_eq!(out, "  Incomplete the record has holes: 2 events lost (the journal was full)\n");
    // Holes beside a violation: both.
    let mut both = stolen_env();
    both.lost = lossy.lost;
    let out = shown(&both, &facts());
    assert!(out.contains("     Refused 1 act") && out.contains("  Incomplete the record has holes: 2 events lost"), "{out}");
}

#[test]
fn observing_ends_with_what_to_rotate() {
    let mut material = stolen_env();
    material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Level::High));
    material.breaches.push(breach(TESTS, 1200, read("/home/u/.ssh/id"), Rule::SecretRead, Level::Critical));
    for (event, _) in &mut material.breaches {
        event.status = Status::Observed;
    }
    let mut facts = facts();
    facts.run.mode = Mode::Observe;
    let out = shown(&material, &facts);
    let worst = "warning[secret/then-network]: build script of `quickfetch-sys` 0.3.2 was after a secret and the network — let through, enforce would refuse it\n";
    assert!(
        out.contains(worst) && out.contains("= help  rotate `{workspace}/.env`: take it for known to others; not expected? read"),
        "{out}"
    );
    let expected = block(
        "|    Observed 3 acts of 2 crates (2 critical, 1 high) that enforce would refuse; nothing was refused
         |             1 other actor stayed inside the profile · target/brig/report.json · `cargo brig explain F1`
         |      Rotate 2 credentials: read while the network was open
         |             `{home}/.ssh/id` — tests of `app` 0.1.0
         |             `{workspace}/.env` — build script of `quickfetch-sys` 0.3.2, which also used the network",
    );
    assert!(out.ends_with(&expected), "{out}");
    facts.run.mode = Mode::Observe;
    let honest = shown(&crate::report::samples::material(), &facts);
    assert_eq!(honest, "    Observed 3 actors, nothing that profile `default` would refuse · target/brig/report.json\n");
}

#[test]
fn infos_and_actors_are_for_the_verbose() {
    let mut material = material();
    let withheld = Act::Withhold { name: "CARGO_REGISTRY_TOKEN".into() };
    material.breaches = vec![breach(BUILD, 400, withheld, Rule::EnvWithheld, Level::Info)];
    material.behaviours = vec![did(RUSTC, read("/home/u/app/src/lib.rs"), Status::Allowed, 3)];
    let report = assemble(&material, &facts(), &Graph);
    assert_eq!(text(&report, Verbosity::Normal).lines().count(), 1);
    let out = text(&report, Verbosity::Verbose);
    let first = "note[env/withheld]: build script of `quickfetch-sys` 0.3.2 was to be given `CARGO_REGISTRY_TOKEN` — withheld\n";
    assert!(out.starts_with(first), "{out}");
    assert!(out.contains("       Actor compiler of `app` 0.1.0: 1 read, 0 written, 0 run, 0 network, 0 refused\n"), "{out}");
}

#[test]
fn nothing_from_the_build_speaks() {
    let attacks = [
        "x\n::error::pwned",
        "x\x1b[2K\x1b]52;c;AAAA\x07",
        "\u{202e}cr.yrtsiger\u{2066}",
        "a`\n       Clean 3 actors `b",
        "\u{9b}31m\u{200b}##[error]x",
        "\r       Clean 9",
    ];
    for attack in attacks {
        let mut material = stolen_env();
        material.actors[1].package = Some(package(attack, attack));
        material.actors[1].crate_name = Some(attack.into());
        material.actors[2].package = None;
        material.actors[2].crate_name = Some(attack.into());
        let (mut event, n) = breach(BUILD, 402, read(&format!("/home/u/app/{attack}/.env")), Rule::SecretRead, Level::High);
        event.blame = stack(&[(attack, None)]);
        event.blame.as_mut().unwrap().caveat = Some(attack.into());
        material.breaches.push((event, n));
        material.breaches.push(breach(
            BUILD,
            402,
            Act::Exec { path: attack.into(), argv: vec![attack.into(), attack.into()] },
            Rule::ExecUnexpected,
            Level::High,
        ));
        material.breaches.push(breach(
            RUSTC,
            900,
            Act::Tamper { call: attack.into(), detail: attack.into() },
            Rule::ProcTamper,
            Level::Low,
        ));
        material.processes[2].exe = attack.into();
        material.lost = vec![attack.into()];
        let mut report = assemble(&material, &facts(), &Graph);
        for finding in &mut report.findings {
            finding.path_in_graph = vec![attack.into(), attack.into()];
            finding.location = Some(attack.into());
            finding.allow = Some(attack.into());
        }
        let out = text(&report, Verbosity::Verbose);
        assert!(!out.chars().any(|c| c != '\n' && c.is_control()), "{out:?}");
        assert!(!out.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{9b}']) && !out.contains("##["), "{out:?}");
        let ours = |line: &str| {
            line.is_empty()
                || ["error[", "warning[", "note[", "  --> ", "   = ", "             "].iter().any(|start| line.starts_with(start))
                || ["     Refused ", "       Found ", "  Incomplete ", "       Actor ", "       Rules ", "      Crates "]
                    .iter()
                    .any(|start| line.starts_with(start))
        };
        assert!(out.lines().all(ours), "{out}");
    }
}

#[test]
fn colours_are_asked_for() {
    let mut out = Vec::new();
    let report = assemble(&stolen_env(), &facts(), &Graph);
    after(&mut out, &report, None, Style { color: true, verbosity: Verbosity::Normal, width: None }).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with("\x1b[1;31merror[secret/read]\x1b[0m: build script of"), "{out:?}");
    assert!(out.contains("\x1b[1;31m     Refused\x1b[0m 1 act"), "{out:?}");
}

#[test]
fn what_reads_the_same_is_told_once() {
    let mut report = assemble(&stolen_env(), &facts(), &Graph);
    let mut actor = report.actors[0].clone();
    actor.id = ActorId(9);
    report.findings.push(crate::model::Finding { id: "F2".into(), actor: actor.id, ..report.findings[0].clone() });
    report.actors.push(actor);
    let out = text(&report, Verbosity::Quiet);
    assert_eq!(out.matches("error[secret/read]").count(), 1, "{out}");
    assert!(out.contains("   = note  the same in 1 other actor of this description\n"), "{out}");
}

#[test]
fn a_reviewed_allow_is_one_clause_and_only_where_it_was_used() {
    let mut material = material();
    assert!(!text(&assemble(&material, &facts(), &Graph), Verbosity::Normal).contains("reviewed"));
    material.reviewed = [reviewed("m-macros"), reviewed("m-macros")].concat();
    let out = text(&assemble(&material, &facts(), &Graph), Verbosity::Normal);
    assert!(out.contains("stayed inside profile `default`, with a reviewed allow for `m-macros` 0.9.1"), "{out}");
    material.reviewed = ["a", "b", "c", "d"].into_iter().flat_map(reviewed).collect();
    let out = text(&assemble(&material, &facts(), &Graph), Verbosity::Normal);
    assert!(out.contains("for `a` 0.9.1, `b` 0.9.1, `c` 0.9.1 and 1 more"), "{out}");
    let mut stolen = stolen_env();
    stolen.reviewed = reviewed("\x1b[2K\u{202e}x`");
    let out = text(&assemble(&stolen, &facts(), &Graph), Verbosity::Normal);
    assert!(out.contains("stayed inside the profile, with a reviewed allow for ") && !out.contains(['\x1b', '\u{202e}']), "{out}");
    assert!(!text(&assemble(&stolen, &facts(), &Graph), Verbosity::Quiet).contains("reviewed"));
}

#[test]
fn advice_knows_whose_code_it_is() {
    let mut material = material();
    let lookup = Act::Lookup { name: "h.example".into(), via: crate::model::Endpoint::Other { name: "nss".into() } };
    material.breaches = vec![
        breach(TESTS, 1200, read("/home/u/.ssh/id"), Rule::SecretRead, Level::High),
        breach(BUILD, 400, lookup, Rule::NetDns, Level::Medium),
    ];
    let report = assemble(&material, &facts(), &Graph);
    let out = text(&report, Verbosity::Normal);
    assert!(out.contains("= help  not expected? `app` 0.1.0 is your own: look at who changed it\n"), "{out}");
    assert!(!out.contains("read the source of `app`") && out.contains("read the source of `quickfetch-sys` 0.3.2"), "{out}");
    // A name is looked up without a port.
    assert!(out.contains("h.example:443' --reason …` (the port in it is a guess: a lookup names none)\n"), "{out}");
    let connected = text(&assemble(&stolen_env(), &facts(), &Graph), Verbosity::Normal);
    assert!(!connected.contains("a guess"), "{connected}");
}

/// What a terminal has room for: no more than six rows for an incident, whatever was done and however it is called; on a narrow one no line is cut.
#[test]
fn an_incident_takes_six_rows_at_most() {
    let mut material = stolen_env();
    for (at, name) in ["a".repeat(300), "b c ".repeat(40), "x".to_owned(), "y".to_owned(), "z".to_owned()].iter().enumerate() {
        let argv = vec!["curl".into(), "-F".into(), name.as_str().into()];
        let act = Act::Exec { path: format!("/usr/bin/{name}").as_str().into(), argv };
        let (mut event, n) = breach(BUILD, 402, act, Rule::ExecDownloader, Level::High);
        (event.at_ms, event.blame) = (100 * at as u64, stack(&[("quickfetch_sys", None), (&"very_long_name_".repeat(9), None)]));
        material.breaches.push((event, n));
    }
    let mut report = assemble(&material, &facts(), &Graph);
    for baseline in [None, Some("new")] {
        report.findings.iter_mut().for_each(|finding| finding.baseline = baseline.map(str::to_owned));
        let mut first = None;
        for width in [None, Some(200), Some(100), Some(80), Some(40)] {
            let mut out = Vec::new();
            after(&mut out, &report, None, Style { color: true, verbosity: Verbosity::Quiet, width }).unwrap();
            let out = String::from_utf8(out).unwrap();
            // One incident: all until the empty line is of it.
            let rows = out.lines().take_while(|line| !line.is_empty()).count();
            assert!(rows <= 6 || width.is_some_and(|width| width < 100), "{width:?}: {rows} rows\n{out}");
            assert!(out.contains("quickfetch-sys"), "{out}");
            // However narrow it is, what to do is said to its end.
            let said: Vec<&str> = out.lines().take_while(|line| !line.is_empty()).flat_map(str::split_whitespace).collect();
            let help = said.join(" ").rsplit_once("help").map(|(_, help)| help.to_owned()).unwrap_or_default();
            assert_eq!(help, *first.get_or_insert(help.clone()), "{width:?}\n{out}");
        }
    }
    // Where there is room, nothing of it is left out.
    let all = text(&report, Verbosity::Quiet);
    assert!(all.contains("run `/usr/bin/z`: `curl -F z` (F3)") && all.contains("tried to read `{workspace}/.env` (F2)"), "{all}");
}

#[test]
fn the_worst_is_last_and_a_table_names_each_crate() {
    let mut material = stolen_env();
    material.breaches.push(breach(BUILD, 400, connect("203.0.113.7:443"), Rule::NetConnect, Level::High));
    material.breaches.push(breach(TESTS, 1200, read("/home/u/.ssh/id"), Rule::SecretRead, Level::Medium));
    let out = shown(&material, &facts());
    let heads: Vec<&str> = out.lines().filter(|line| line.starts_with("error[")).map(|line| &line[..line.find(']').unwrap()]).collect();
    assert_eq!(heads, ["error[secret/read", "error[secret/then-network"], "{out}");
    let table = block(
        "|      Crates `app` 0.1.0             secret/read                                  F4
         |             `quickfetch-sys` 0.3.2  secret/read secret/then-network net/connect  F1 F2 F3",
    );
    assert!(out.contains(&table), "{out}");
    // Each rule is explained once.
    assert_eq!(out.matches("secret/read: Code of a crate opened").count(), 1, "{out}");
}
