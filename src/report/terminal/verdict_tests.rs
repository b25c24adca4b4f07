//! Words follow what became of each act, and every command that is printed finds what it is about.

use super::*;
use crate::model::{Act, ActorId, Reach, Rule, Severity as Level, Status};
use crate::report::runs::standing::carry;
use crate::report::samples::*;
use crate::report::{Facts, Format, Material, assemble};

fn text(report: &Report, verbosity: Verbosity) -> String {
    let mut out = Vec::new();
    after(&mut out, report, Some("r.html"), Style { color: false, verbosity, width: None }).unwrap();
    String::from_utf8(out).unwrap()
}

fn shown(material: &Material, facts: &Facts) -> String {
    text(&assemble(material, facts, &Graph), Verbosity::Normal)
}

fn written(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    format.write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A secret that was kept, and a program that ran.
fn mixed() -> Material {
    let mut material = stolen_env();
    material.breaches[0].0.at_ms = 100;
    let curl = Act::Exec { path: "/usr/bin/curl".into(), argv: vec!["curl".into(), "-V".into()] };
    let mut ran = breach(BUILD, 401, curl, Rule::ExecDownloader, Level::Medium);
    (ran.0.status, ran.0.at_ms) = (Status::Allowed, 200);
    material.breaches.push(ran);
    material
}

#[test]
fn what_ran_is_not_said_to_have_been_tried() {
    let report = assemble(&mixed(), &facts(), &Graph);
    let out = text(&report, Verbosity::Normal);
    assert!(out.contains("     Refused 1 of 2 acts of 1 crate (1 critical, 1 medium)"), "{out}");
    assert!(out.contains("= did   at 0.1 s tried to read `{workspace}/.env` (F2); ran `/usr/bin/curl`: `curl -V` (F3)\n"), "{out}");
    for (format, part) in [
        (Format::Markdown, "ran <code>/usr/bin/curl</code>"),
        (Format::Html, "ran <code>/usr/bin/curl</code>"),
        (Format::Sarif, "ran '/usr/bin/curl'"),
    ] {
        let out = written(&report, format);
        assert!(out.contains(part), "{format:?}: {out}");
        assert!(!out.contains("tried to run"), "{format:?}: {out}");
    }
    // In one finding: the sentence is about the first, and says that not all ended like that.
    let mut material = stolen_env();
    let mut second = breach(BUILD, 402, read("/home/u/app/.env.local"), Rule::SecretRead, Level::High);
    second.0.status = Status::Redacted;
    material.breaches.push(second);
    let out = shown(&material, &facts());
    assert!(out.contains("tried to read `{workspace}/.env` and 1 more — refused, not all of it\n"), "{out}");
    assert!(out.contains("     Refused 1 of 2 acts of 1 crate (2 high)"), "{out}");
}

#[test]
fn several_tests_were() {
    let mut material = material();
    material.breaches = vec![
        breach(TESTS, 1200, read("/home/u/app/.env"), Rule::SecretRead, Level::High),
        breach(TESTS, 1200, connect("203.0.113.7:443"), Rule::NetConnect, Level::High),
    ];
    let out = shown(&material, &facts());
    assert!(out.contains("tests of `app` 0.1.0 were after a secret and the network — refused"), "{out}");
    assert!(shown(&mixed(), &facts()).contains("build script of `quickfetch-sys` 0.3.2 was after a secret and the network"));
}

#[test]
fn a_build_that_was_ended_is_not_called_clean() {
    let ended = |exit| shown(&material(), &Facts { cargo_exit: Some(exit), ..facts() });
    assert_eq!(
        ended(143),
        "       Ended by SIGTERM, before its end: 3 actors stayed inside profile `default`; SIGTERM ended cargo (143), and what comes after \
         did not run · r.html\n"
    );
    assert!(ended(130).contains("       Ended by SIGINT, before its end"));
    assert!(ended(101).starts_with("       Clean 3 actors"));
    let report = assemble(&material(), &Facts { cargo_exit: Some(143), ..facts() }, &Graph);
    assert!(written(&report, Format::Html).contains("SIGTERM ended the build before its end</p>"));
    assert!(written(&report, Format::Markdown).contains("## Brig: what ran was clean, the build was ended before its end\n"));
}

#[test]
fn what_is_printed_finds_its_report() {
    let mut report = assemble(&stolen_env(), &facts(), &Graph);
    report.reach = Reach { report_dir: Some("out dir".into()), config: Some("ci.toml".into()), ..Reach::default() };
    let out = text(&report, Verbosity::Normal);
    assert!(out.contains("· r.html · `cargo brig --report-dir 'out dir' explain F1`\n"), "{out}");
    let command = "cargo brig --config ci.toml allow quickfetch-sys@0.3.2 --build-script --read '{workspace}/.env' --reason …";
    assert!(out.contains("= help  expected? `cargo brig --report-dir 'out dir' explain F1` says what would allow it\n"), "{out}");
    for format in [Format::Json, Format::Html] {
        assert!(written(&report, format).replace("&#39;", "'").contains(command), "{format:?}");
    }
    report.reach = Reach { run: Some("20270201T101010Z-1".into()), ..Reach::default() };
    assert!(text(&report, Verbosity::Normal).contains("`cargo brig explain --run 20270201T101010Z-1 F1`\n"));
}

#[test]
fn what_stands_is_run_again_by_what_found_it() {
    let earlier = assemble(&stolen_env(), &facts(), &Graph);
    let mut later = facts();
    (later.run.command, later.run.fresh) = (["cargo", "build"].map(Hostile::from).to_vec(), true);
    let mut nothing = material();
    nothing.actors.remove(1);
    let mut report = assemble(&nothing, &later, &Graph);
    carry(&mut report, &earlier, &|_| false);
    report.reach.report_dir = Some("out".into());
    let out = text(&report, Verbosity::Normal);
    assert!(out.contains("    Standing 1 finding of 1 crate from earlier runs: the code did not run again\n"), "{out}");
    let last =
        "             `cargo brig --report-dir out explain F1` tells more; `cargo brig --report-dir out --fresh test` has it run again\n";
    assert!(out.ends_with(last), "{out}");
}

#[test]
fn with_everything_new_there_is_nothing_fresh_to_be_told_of() {
    let mut nothing = material();
    nothing.actors.truncate(1);
    let mut facts = Facts { fresh: None, units: None, ..facts() };
    assert!(shown(&nothing, &facts).contains("`--fresh`"));
    facts.run.fresh = true;
    assert!(!shown(&nothing, &facts).contains("`--fresh`"));
}

#[test]
fn who_runs_within_a_compiler_has_no_noughts() {
    let mut material = stolen_env();
    material.breaches.clear();
    material.processes = vec![process(RUSTC, 901, 900, "/usr/bin/cc", &["cc"])];
    let report = assemble(&material, &facts(), &Graph);
    let out = text(&report, Verbosity::Verbose);
    assert!(out.contains("       Actor linker of `app` 0.1.0: what it did is told with its compiler\n"), "{out}");
    assert!(written(&report, Format::Html).contains("<li>linker of <code>app</code> 0.1.0: what it did is told with its compiler</li>"));
}

/// What a finding is about is no business of the package's, also in its own directory.
#[test]
fn the_matrix_has_what_was_written_to_sources() {
    let mut material = material();
    let own = "/home/u/.cargo/registry/src/i/quickfetch-sys-0.3.2";
    material.actors[1].package.as_mut().unwrap().manifest_dir = Some(own.into());
    let write = |path: &str| Act::Write { path: path.into() };
    material.breaches = vec![
        breach(BUILD, 400, write(&format!("{own}/src/lib.rs")), Rule::FsForeignArtifact, Level::Medium),
        breach(BUILD, 400, write("/home/u/app/src/lib.rs"), Rule::FsWriteSource, Level::High),
    ];
    let report = assemble(&material, &facts(), &Graph);
    let all = incidents(&report);
    let crates = crate::report::crates::crates(&report, &all);
    let written: Vec<&[u8]> = crates["quickfetch-sys 0.3.2"].writes_outside.0.iter().map(|used| used.what.as_bytes()).collect();
    assert_eq!(written, [&b"{cargo-home}/registry/src/i/quickfetch-sys-0.3.2/src/lib.rs"[..], b"{workspace}/src/lib.rs"]);
}

/// `cargo fix` follows what a compiler suggests, and in there no code of the package itself runs.
#[test]
fn a_suggestion_is_the_macros() {
    let mut material = material();
    let mut fix = actor(20, ActorKind::Tool, Some(package("app", "0.1.0")), Some(crate::model::Actor::FIX), "/opt/toolchain/bin/rustc");
    fix.pid = 2000;
    material.actors.push(fix);
    let write = Act::Write { path: "/home/u/.bashrc".into() };
    material.breaches = vec![breach(20, 2000, write, Rule::FsPersist, Level::High)];
    let blamed = |material: &Material| assemble(material, &facts(), &Graph).findings[0].offender.clone().unwrap().name;
    assert_eq!(blamed(&material), "app", "nothing is known of macros");
    material.behaviours = vec![did(RUSTC, read("/home/u/app/target/debug/deps/libevil_macro-1f.so"), Status::Allowed, 1)];
    assert_eq!(blamed(&material), "evil_macro");
    let out = shown(&material, &facts());
    let title =
        "error[fs/persist]: cargo, told so by the compiler of `app` 0.1.0, through `evil_macro` 0.2.0, tried to write `{home}/.bashrc`";
    assert!(out.contains(title), "{out}");
    assert!(out.contains("read the source of `evil_macro` 0.2.0"), "{out}");
    assert_eq!(assemble(&material, &facts(), &Graph).findings[0].actor, ActorId(5));
}
