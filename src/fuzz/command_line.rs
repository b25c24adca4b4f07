//! Target: the command line and the `BRIG_*` variables. What is cargo's arrives as it was typed, byte for byte; what is ours is what a plain
//! reading of the line says, typed or by variable.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::source::Source;
use super::{Bytes, fuzz, must};
use crate::cli::{Command, Typed, parse, variables};
use crate::plan::steering::Steering;

const OURS: [&str; 29] = [
    "--policy",
    "strict",
    "--mode",
    "observe",
    "--mode=enforce",
    "--fresh",
    "--report-dir",
    "d",
    "--json",
    "f.json",
    "--sarif=s",
    "--html",
    "-",
    "--markdown",
    "--config",
    "c.toml",
    "--no-config",
    "--timeout",
    "90s",
    "--timeout=1h30m",
    "--timeout=99999999999999999999d",
    "--allow-degraded",
    "--color",
    "never",
    "-q",
    "-v",
    "-qv",
    "--policy=",
    "--mod",
];
const CARGOS: [&str; 24] = [
    "--target-dir",
    "--target-dir=t",
    "--manifest-path=m",
    "--features",
    "-Fx",
    "--locked",
    "build",
    "test",
    "b",
    "help",
    "brig",
    "+nightly",
    "+",
    "--release",
    "-p",
    "x",
    "--",
    "--help",
    "-V",
    "report",
    "explain",
    "demo",
    "doctor",
    "profile",
];
const VALUES: [&str; 14] = ["10m", "0s", "", "1", "0", "yes", "off", "observe", "enforce", "never", "strict", "-", "f", "maybe"];

#[derive(Debug)]
struct Line {
    words: Vec<Bytes>,
    variables: BTreeMap<&'static str, Bytes>,
}

impl Line {
    fn parse(&self, words: &[Bytes]) -> Result<Typed, crate::cli::Misuse> {
        let args = words.iter().map(|word| OsString::from_vec(word.0.clone())).collect();
        parse(args, &|name| self.variables.get(name).map(|value| OsString::from_vec(value.0.clone())))
    }
}

fn word(source: &mut Source) -> Bytes {
    Bytes(match source.below(12) {
        0 => source.hostile().as_bytes().to_vec(),
        1 => format!("--{}", source.text()).into_bytes(),
        2..=6 => source.pick(&CARGOS).into(),
        _ => source.pick(&OURS).into(),
    })
}

fn line(source: &mut Source) -> Line {
    let mut words = vec![Bytes(b"cargo-brig".to_vec())];
    words.extend(source.many(8, word));
    if source.one_in(40) {
        words.clear();
    }
    let most = source.pick(&[0, 0, 3]);
    let value = |source: &mut Source| if source.one_in(6) { source.hostile().as_bytes().to_vec() } else { source.pick(&VALUES).into() };
    let name = |source: &mut Source| if source.one_in(16) { "BRIG_OTHER" } else { source.pick(&variables::NAMES) };
    let variables = source.many(most, |source| (name(source), Bytes(value(source))));
    Line { words, variables: variables.into_iter().collect() }
}

#[test]
fn any_line_is_understood_or_refused() {
    fuzz("command-line", 250, line, |line| {
        let answer = line.parse(&line.words);
        must(answer == line.parse(&line.words), || "not the same twice".into())?;
        // Cargo puts its own word in front.
        if line.words.len() > 1 && line.words[1].0 != b"brig" {
            let with = [&line.words[..1], &[Bytes(b"brig".to_vec())], &line.words[1..]].concat();
            must(line.parse(&with) == answer, || "`brig` in front changes it".into())?;
        }
        match answer {
            Err(misuse) => {
                must(!misuse.message.is_empty() && !misuse.hints.is_empty(), || format!("says too little: {misuse:?}"))?;
                must(!misuse.message.starts_with("error"), || format!("says error twice: {misuse:?}"))
            }
            Ok(Typed { options, command: Command::Cargo { toolchain, args } }) => {
                let given: Vec<&[u8]> = line.words.iter().map(|word| &word.0[..]).collect();
                let kept: Vec<&[u8]> = args.iter().map(|word| word.as_bytes()).collect();
                // From the subcommand on all of it, in order, and nothing else. The toolchain may have stood before it.
                must(!kept.is_empty() && given.ends_with(&kept), || format!("cargo gets {args:?}"))?;
                must(!kept[0].is_empty() && !kept[0].starts_with(b"-"), || format!("{:?} is no subcommand", args[0]))?;
                let before = &given[..given.len() - kept.len()];
                let chosen = toolchain.as_ref().map(|name| name.as_bytes());
                must(chosen.is_none_or(|name| before.contains(&name) && name.len() > 1), || format!("toolchain {toolchain:?}"))?;
                // What steers cargo is read from the same words, and what is the program's own does not count.
                let steering = Steering::read(&args);
                must(args[0].as_bytes().starts_with(b"+") || steering.subcommand.as_ref() == args.first(), || format!("{steering:?}"))?;
                let behind = ["--", "--target-dir", "x", "--path=y", "--locked"].map(OsString::from);
                let longer = Steering::read(&[&args[..], &behind].concat());
                must(longer == steering, || format!("with words of the program's: {longer:?}"))?;
                must(options.outputs().iter().all(|(_, path)| path.as_os_str() != "-"), || "writes to cargo's stdout".into())
            }
            Ok(_) => Ok(()),
        }
    });
}

/// A line of options that can be given both ways.
#[test]
fn a_variable_says_what_an_option_says() {
    let options = |source: &mut Source| {
        let mut both: Vec<(Vec<String>, &'static str, String)> = Vec::new();
        for (option, variable) in [
            ("--policy", "BRIG_POLICY"),
            ("--report-dir", "BRIG_REPORT_DIR"),
            ("--json", "BRIG_JSON"),
            ("--sarif", "BRIG_SARIF"),
            ("--html", "BRIG_HTML"),
            ("--markdown", "BRIG_MARKDOWN"),
            ("--config", "BRIG_CONFIG"),
        ] {
            let value = format!("v{}", source.text().replace(['\0', '-'], ""));
            both.push((vec![format!("{option}={value}")], variable, value));
        }
        for (option, variable) in [("--fresh", "BRIG_FRESH"), ("--allow-degraded", "BRIG_ALLOW_DEGRADED"), ("-q", "BRIG_QUIET")] {
            both.push((vec![option.into()], variable, source.pick(&["1", "true", "yes", "on"]).into()));
        }
        for (option, variable, words) in [("--mode", "BRIG_MODE", ["enforce", "observe"]), ("--color", "BRIG_COLOR", ["always", "never"])] {
            let word = source.pick(&words);
            both.push((vec![option.into(), word.into()], variable, word.into()));
        }
        source.shuffle(&mut both);
        both.truncate(source.below(6));
        both
    };
    fuzz("variables", 150, options, |both| {
        let start = || vec![OsString::from("cargo-brig")];
        let typed: Vec<OsString> =
            start().into_iter().chain(both.iter().flat_map(|(words, ..)| words.iter().map(OsString::from))).collect();
        let typed = parse([typed, vec!["build".into()]].concat(), &|_| None).map_err(|misuse| misuse.message)?;
        let look = |name: &str| both.iter().find(|(_, variable, _)| *variable == name).map(|(.., value)| OsString::from(value));
        let given = parse([start(), vec!["build".into()]].concat(), &look).map_err(|misuse| misuse.message)?;
        must(typed == given, || format!("typed {:?}\n  given {:?}", typed.options, given.options))
    });
}
