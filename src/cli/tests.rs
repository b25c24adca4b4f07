//! What may be typed, as tables.

use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use super::forms::Forms;
use super::reports::Which;
use super::*;
use crate::model::Mode;

fn parse_with(words: &[&str], variables: &[(&str, &str)]) -> Result<Typed, Misuse> {
    let args = words.iter().map(OsString::from).collect();
    parse(args, &|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value)))
}

fn typed(line: &str) -> Typed {
    parse_with(&line.split(' ').collect::<Vec<_>>(), &[]).unwrap_or_else(|misuse| panic!("{line}: {misuse:?}"))
}

fn misuse(line: &str) -> Misuse {
    parse_with(&line.split(' ').collect::<Vec<_>>(), &[]).expect_err(line)
}

fn cargo(toolchain: Option<&str>, args: &str) -> Command {
    Command::Cargo { toolchain: toolchain.map(OsString::from), args: args.split(' ').map(OsString::from).collect() }
}

#[test]
fn what_is_cargos_stays_cargos() {
    let table = [
        ("cargo-brig build", cargo(None, "build")),
        ("cargo-brig brig build", cargo(None, "build")),
        ("cargo-brig brig brig", cargo(None, "brig")),
        ("cargo-brig brig build --release -p x", cargo(None, "build --release -p x")),
        (
            "cargo-brig build --mode observe --json x --help -q -- -V --nocapture",
            cargo(None, "build --mode observe --json x --help -q -- -V --nocapture"),
        ),
        ("cargo-brig --mode observe run -- --policy x", cargo(None, "run -- --policy x")),
        ("cargo-brig b", cargo(None, "b")),
        ("cargo-brig clippy --fix", cargo(None, "clippy --fix")),
        ("cargo-brig test report", cargo(None, "test report")),
        ("cargo-brig +nightly build", cargo(Some("+nightly"), "build")),
        ("cargo-brig brig +nightly build", cargo(Some("+nightly"), "build")),
        ("cargo-brig +nightly --fresh build -q", cargo(Some("+nightly"), "build -q")),
        ("cargo-brig --fresh +nightly build +x", cargo(Some("+nightly"), "build +x")),
    ];
    for (line, command) in table {
        assert_eq!(typed(line).command, command, "{line}");
    }
    assert_eq!(typed("cargo-brig build -q --fresh").options, Options::default());
}

#[test]
fn our_options_stand_before() {
    let line = "cargo-brig --policy strict --mode observe --fresh --report-dir d --json f.json --sarif f.sarif --egress e --config c.toml --floor f.toml --locked-behaviour --require-run --timeout 10m --allow-degraded --live --color never -v build -v";
    let expected = Options {
        policy: Some("strict".into()),
        mode: Some(Mode::Observe),
        fresh: true,
        report_dir: Some("d".into()),
        forms: Forms { json: Some("f.json".into()), sarif: Some("f.sarif".into()), egress: Some("e".into()), ..Forms::default() },
        passing: false,
        sink: None,
        lure: None,
        weaker: Vec::new(),
        config: Some("c.toml".into()),
        no_config: false,
        floor: Some("f.toml".into()),
        locked_behaviour: true,
        require_run: true,
        timeout: Some(Duration::from_secs(600)),
        allow_degraded: true,
        live: true,
        color: Some(ColorChoice::Never),
        quiet: false,
        verbose: true,
    };
    assert_eq!(typed(line), Typed { options: expected, command: cargo(None, "build -v") });
    assert!(typed("cargo-brig -q --mode=enforce check").options.quiet);
}

#[test]
fn own_commands() {
    let table = [
        ("cargo-brig brig demo", Command::Demo),
        ("cargo-brig doctor", Command::Doctor),
        ("cargo-brig report", Command::Report(Which::default())),
        ("cargo-brig report r.json --json -", Command::Report(Which { file: Some("r.json".into()), ..Which::default() })),
        ("cargo-brig report --schema", Command::Report(Which { schema: true, ..Which::default() })),
        ("cargo-brig report --list", Command::Report(Which { list: true, ..Which::default() })),
        ("cargo-brig report --run 1 --html f", Command::Report(Which { run: Some("1".into()), ..Which::default() })),
        ("cargo-brig explain secret/read", Command::Explain { topic: "secret/read".into(), of: reports::Of::default() }),
        ("cargo-brig profile list", Command::ProfileList),
        ("cargo-brig profile show", Command::ProfileShow { name: None, whom: None }),
        ("cargo-brig profile show --for serde", Command::ProfileShow { name: None, whom: Some("serde".into()) }),
        ("cargo-brig --config c.toml profile show strict", Command::ProfileShow { name: Some("strict".into()), whom: None }),
    ];
    for (line, command) in table {
        assert_eq!(typed(line).command, command, "{line}");
    }
    assert_eq!(typed("cargo-brig report r.json --json -").options.forms.json, Some("-".into()));
    assert!(typed("cargo-brig report r.json -v").options.verbose);
}

#[test]
fn help_and_version_are_answers() {
    for line in ["cargo-brig", "cargo-brig brig", "cargo-brig help", "cargo-brig --help", "cargo-brig brig -h", "cargo-brig +nightly"] {
        let Command::Print(text) = typed(line).command else { panic!("{line}") };
        for part in ["--policy", "--timeout", "124", "--allow-degraded", "doctor", "Exit codes", "104", "BRIG_POLICY"] {
            assert!(text.contains(part), "{line}: no {part} in\n{text}");
        }
    }
    let Command::Print(text) = typed("cargo-brig --version").command else { panic!() };
    assert_eq!(text.trim(), format!("cargo-brig {}", env!("CARGO_PKG_VERSION")));
}

/// What a command refuses, its own help does not name.
#[test]
fn help_of_a_command_has_what_it_takes() {
    let help = |line: &str| match typed(&format!("cargo-brig {line} --help")).command {
        Command::Print(text) => text,
        other => panic!("{line}: {other:?}"),
    };
    for line in ["doctor", "allow", "deny", "review", "suggest", "diff", "baseline accept", "baseline diff", "explain", "profile show"] {
        let text = help(line);
        for option in ["--json", "--sarif", "--html", "--markdown"] {
            assert!(!text.contains(option), "{line}: {option} in\n{text}");
            assert!(parse_with(&[&["cargo-brig"], &line.split(' ').collect::<Vec<_>>()[..], &["x", option, "f"]].concat(), &[]).is_err());
        }
        assert!(text.contains("--config"), "{line}");
    }
    for line in ["report", "demo"] {
        assert!(help(line).contains("--markdown"), "{line}");
    }
    for line in ["explain", "suggest", "allow", "baseline diff"] {
        assert!(help(line).contains("--run <ID>") && help(line).contains("--report <FILE>"), "{line}");
    }
}

#[test]
fn misuse_says_what_to_do() {
    // line, part of the message, part of a hint
    let table = [
        ("cargo-brig --profile ci build", "--profile", "cargo owns `--profile`; did you mean `--policy`?"),
        ("cargo-brig --profile=ci build", "--profile", "cargo owns `--profile`; did you mean `--policy`?"),
        ("cargo-brig --release build", "--release", "it goes after the subcommand, `cargo brig build --release`"),
        ("cargo-brig -p x test", "-p", "it goes after the subcommand, `cargo brig test -p`"),
        ("cargo-brig --html - build", "stdout belongs to cargo", "name a file"),
        ("cargo-brig --egress - demo", "stdout belongs to cargo", "report --egress -"),
        ("cargo-brig --mod observe build", "--mod", "--mode"),
        ("cargo-brig --mode observ build", "observ", "observe"),
        ("cargo-brig --color sometimes build", "sometimes", "cargo brig --help"),
        ("cargo-brig --policy", "--policy", "cargo brig --help"),
        ("cargo-brig --nonsense", "--nonsense", "cargo brig --help"),
        ("cargo-brig --timeout 90 build", "`90` needs a unit", "cargo brig --help"),
        ("cargo-brig --timeout soon build", "not a span of time like `90s`", "cargo brig --help"),
        ("cargo-brig --no-config --config c.toml build", "cannot be used with", "cargo brig --help"),
        ("cargo-brig -q -v build", "cannot be used with", "cargo brig --help"),
        ("cargo-brig --mode observe", "no cargo subcommand", "cargo brig build"),
        ("cargo-brig baseline", "`cargo brig baseline` needs a subcommand", "`cargo brig baseline accept`"),
        ("cargo-brig baseline accept x --all", "cannot be used with", "--help"),
        ("cargo-brig baseline diff a", "<B>", "--help"),
        ("cargo-brig allow x@1.0.0 --write /srv/x --reason r", "--build-script", "--help"),
        ("cargo-brig allow x@1.0.0 --build-script --write /srv/x", "--reason", "--help"),
        ("cargo-brig allow x@1.0.0 --build-script --program --write /srv/x --reason r", "cannot be used with", "--help"),
        ("cargo-brig allow --from F1 --write /srv/x --reason r", "cannot be used with", "--help"),
        ("cargo-brig allow --reason r", "CRATE@VERSION", "--help"),
        ("cargo-brig deny --reason r", "CRATE", "--help"),
        ("cargo-brig +nightly deny x --reason r", "+nightly", "does not run cargo"),
        ("cargo-brig explain", "WHAT", "`cargo brig explain --help`"),
        ("cargo-brig allow x@1.0.0 --build-script --write /srv/x --reason …", "in your own words", "`cargo brig allow --help`"),
        ("cargo-brig deny x --reason ...", "in your own words", "`cargo brig deny --help`"),
        ("cargo-brig baseline acept", "acept", "`cargo brig baseline --help`"),
        ("cargo-brig suggest --json f", "makes none", "cargo brig report --json F"),
        ("cargo-brig --html - baseline check", "`--html` is for a report", "cargo brig report --html F"),
        ("cargo-brig --in-toto f doctor", "makes none", "cargo brig report --in-toto F"),
        ("cargo-brig report --list --egress f", "cannot be used with", "--help"),
        ("cargo-brig report --schema --junit f", "cannot be used with", "--help"),
        ("cargo-brig profile", "subcommand", "--help"),
        ("cargo-brig doctor extra", "extra", "--help"),
        ("cargo-brig +nightly doctor", "+nightly", "does not run cargo"),
        ("cargo-brig +a --fresh +b build", "two toolchains", "+nightly"),
        ("cargo-brig --json - build", "stdout belongs to cargo", "report --json -"),
        ("cargo-brig --fresh -- --config x build", "`--config` stands where", "after the subcommand"),
    ];
    for (line, message, hint) in table {
        let misuse = misuse(line);
        assert!(misuse.message.contains(message), "{line}: {misuse:?}");
        assert!(misuse.hints.iter().any(|given| given.contains(hint)), "{line}: {misuse:?}");
        assert!(!misuse.message.contains('\n') && !misuse.message.starts_with("error"), "{misuse:?}");
    }
}

#[test]
fn all_variables_are_named() {
    let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let look = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        None
    };
    variables::merge(Options::default(), &look).unwrap();
    assert_eq!(asked.into_inner(), variables::NAMES.map(str::to_owned).into());
}

#[test]
fn variables_fill_the_gaps() {
    let all = [
        ("BRIG_POLICY", "strict"),
        ("BRIG_MODE", "observe"),
        ("BRIG_FRESH", "1"),
        ("BRIG_REPORT_DIR", "d"),
        ("BRIG_JSON", "f"),
        ("BRIG_SARIF", "s"),
        ("BRIG_HTML", "h"),
        ("BRIG_MARKDOWN", "m"),
        ("BRIG_CODE_QUALITY", "q"),
        ("BRIG_CONFIG", "c"),
        ("BRIG_FLOOR", "l"),
        ("BRIG_LOCKED_BEHAVIOUR", "1"),
        ("BRIG_REQUIRE_RUN", "1"),
        ("BRIG_TIMEOUT", "90s"),
        ("BRIG_ALLOW_DEGRADED", "yes"),
        ("BRIG_LIVE", "1"),
        ("BRIG_COLOR", "always"),
        ("BRIG_VERBOSE", "on"),
    ];
    let options = parse_with(&["cargo-brig", "build"], &all).unwrap().options;
    let expected = Options {
        policy: Some("strict".into()),
        mode: Some(Mode::Observe),
        fresh: true,
        report_dir: Some("d".into()),
        forms: Forms {
            json: Some("f".into()),
            sarif: Some("s".into()),
            html: Some("h".into()),
            markdown: Some("m".into()),
            code_quality: Some("q".into()),
            ..Forms::default()
        },
        passing: false,
        sink: None,
        lure: None,
        weaker: Vec::new(),
        config: Some("c".into()),
        no_config: false,
        floor: Some("l".into()),
        locked_behaviour: true,
        require_run: true,
        timeout: Some(Duration::from_secs(90)),
        allow_degraded: true,
        live: true,
        color: Some(ColorChoice::Always),
        quiet: false,
        verbose: true,
    };
    assert_eq!(options, expected);
    let words = ["cargo-brig", "--policy", "p", "--mode", "enforce", "--color", "auto", "-q", "build"];
    let options = parse_with(&words, &all).unwrap().options;
    assert_eq!((options.policy.as_deref(), options.mode, options.color), (Some("p"), Some(Mode::Enforce), Some(ColorChoice::Auto)));
    assert_eq!((options.quiet, options.verbose), (true, false));
    let options = parse_with(&["cargo-brig", "--no-config", "build"], &[("BRIG_CONFIG", "c")]).unwrap().options;
    assert_eq!((options.no_config, options.config), (true, None), "what is typed wins");
    let empty = [("BRIG_POLICY", ""), ("BRIG_MODE", ""), ("BRIG_FRESH", ""), ("BRIG_JSON", "")];
    assert_eq!(parse_with(&["cargo-brig", "build"], &empty).unwrap().options, Options::default());
}

#[test]
fn bad_variables_are_misuse() {
    for (name, value) in [("BRIG_MODE", "obsreve"), ("BRIG_COLOR", "red"), ("BRIG_FRESH", "maybe"), ("BRIG_ALLOW_DEGRADED", "2")] {
        let misuse = parse_with(&["cargo-brig", "--mode", "enforce", "build"], &[(name, value)]).expect_err(name);
        assert_eq!(misuse.message, format!("invalid value '{value}' for {name}"));
        assert!(misuse.hints[0].starts_with("possible values: "));
    }
    assert!(parse_with(&["cargo-brig", "build"], &[("BRIG_QUIET", "1"), ("BRIG_VERBOSE", "1")]).is_err());
    assert!(parse_with(&["cargo-brig", "build"], &[("BRIG_CONFIG", "c"), ("BRIG_NO_CONFIG", "1")]).is_err());
    let misuse = parse_with(&["cargo-brig", "build"], &[("BRIG_TIMEOUT", "90")]).expect_err("no unit");
    assert_eq!(misuse.message, "BRIG_TIMEOUT: `90` needs a unit, for example `90s` or `90m`");
}

#[test]
fn any_bytes_pass_through() {
    let odd = OsString::from_vec(b"x\xff\xfe".to_vec());
    let args = vec!["cargo-brig".into(), "--report-dir".into(), odd.clone(), "run".into(), "--".into(), odd.clone()];
    let typed = parse(args, &|_| None).unwrap();
    assert_eq!(typed.options.report_dir, Some(odd.clone().into()));
    assert_eq!(typed.command, Command::Cargo { toolchain: None, args: vec!["run".into(), "--".into(), odd.clone()] });
    // A bad option that is not text is a misuse, not a panic; so is an odd variable.
    assert!(parse(vec!["cargo-brig".into(), OsString::from_vec(b"--\xff".to_vec()), "build".into()], &|_| None).is_err());
    assert!(parse(vec!["cargo-brig".into(), "build".into()], &|name| (name == "BRIG_MODE").then(|| odd.clone())).is_err());
    assert!(parse(Vec::new(), &|_| None).is_ok());
}

#[test]
fn exceptions_are_typed_word_for_word_or_by_finding() {
    let line = "cargo-brig allow x@1.2.3 --build-script --write /a --write /b --connect h:443 --reason r --expires never --by me --wide";
    let expected = exceptions::Allow {
        whom: Some("x@1.2.3".into()),
        build_script: true,
        write: vec!["/a".into(), "/b".into()],
        connect: vec!["h:443".into()],
        reason: "r".into(),
        expires: Some("never".into()),
        by: Some("me".into()),
        wide: true,
        ..exceptions::Allow::default()
    };
    assert_eq!(typed(line).command, Command::Allow(Box::new(expected)));
    let expected = exceptions::Allow { from: vec!["F1".into(), "F2".into()], reason: "r".into(), ..exceptions::Allow::default() };
    assert_eq!(typed("cargo-brig allow --from F1 F2 --reason r").command, Command::Allow(Box::new(expected)));
    let expected = exceptions::Deny { name: "x".into(), reason: "r".into(), by: None };
    assert_eq!(typed("cargo-brig --config c.toml deny x --reason r").command, Command::Deny(expected));
    assert_eq!(typed("cargo-brig init").command, Command::Init);
    assert_eq!(typed("cargo-brig --config c.toml init").command, Command::Init);
    assert_eq!(typed("cargo-brig init --lib foo").command, cargo(None, "init --lib foo"));
    assert_eq!(typed("cargo-brig +nightly init foo").command, cargo(Some("+nightly"), "init foo"));
}

#[test]
fn a_variable_that_is_none_of_ours_is_an_error() {
    let check = |name: &str| {
        variables::check(["PATH", "BRIG_POLICY", name].map(OsString::from).into_iter()).map_err(|misuse| misuse.hints.join(""))
    };
    for name in ["BRIG_LOG", "BRIG_LANDLOCK_ABI", "BRIG_TEST_SOCKETS", "BRIG", "BRIGADE", "brig_x"].into_iter().chain(variables::NAMES) {
        assert_eq!(check(name), Ok(()), "{name}");
    }
    for (name, hint) in [
        ("BRIG_POLCY", "did you mean `BRIG_POLICY`?"),
        ("BRIG_LOCKED_BEHAVIOR", "did you mean `BRIG_LOCKED_BEHAVIOUR`?"),
        ("BRIG_SOMETHING_ELSE", "unset it"),
        ("BRIG_", "unset it"),
    ] {
        let said = check(name).unwrap_err();
        assert!(said.starts_with(hint), "{name}: {said}");
    }
}
