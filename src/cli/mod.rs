//! What was typed: arguments and `BRIG_*` variables become a `Typed` or a `Misuse`. Pure: no files, no terminal, no environment but
//! the one that is passed in.
//!
//! Our options stand before the cargo subcommand; from the subcommand on everything is cargo's and is not looked at.

pub mod arguments;
pub mod baseline;
pub mod color;
pub mod exceptions;
pub mod forms;
pub mod misplaced;
mod misuse;
pub mod replaying;
pub mod reports;
mod shells;
pub mod trying;
pub mod variables;

use std::ffi::OsString;

use clap::FromArgMatches;

pub use arguments::Options;
use arguments::{Arguments, Word};
pub use color::Choice as ColorChoice;
pub use misuse::Misuse;

/// A command line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub options: Options,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run cargo behind the walls: the subcommand and all of its arguments, untouched.
    Cargo {
        toolchain: Option<OsString>,
        args: Vec<OsString>,
    },
    Allow(Box<exceptions::Allow>),
    Deny(exceptions::Deny),
    Baseline(baseline::Baseline),
    /// What nobody has accepted yet.
    Review,
    /// What the last run would have needed.
    Suggest(reports::Of),
    /// A policy file to start from.
    Init,
    Demo,
    /// A crate nobody trusts, among decoys.
    Try(Box<trying::Try>),
    /// Since which version it does something.
    Bisect(Box<trying::Bisect>),
    /// A recorded run, among decoys.
    Replay(Box<replaying::Replay>),
    Doctor,
    /// Render a stored report again, or list them.
    Report(reports::Which),
    Explain {
        topic: String,
        of: reports::Of,
    },
    ProfileList,
    ProfileShow {
        name: Option<String>,
        /// Of exceptions and reviewed allows, only those of this package.
        whom: Option<String>,
    },
    /// `--help` or `--version`: this text goes to stdout.
    Print(String),
}

impl Command {
    /// Does it write reports, where it is asked to?
    fn reports(&self) -> bool {
        matches!(self, Command::Cargo { .. } | Command::Report(_) | Command::Demo)
    }
}

/// Understands a command line. `args` begins with the program's own name; `variable` looks up an environment variable.
pub fn parse(args: Vec<OsString>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Typed, Misuse> {
    let mut args = args;
    if args.is_empty() {
        args.push("cargo-brig".into());
    }
    // Cargo calls an external subcommand as `cargo-brig brig …`. Only there: `cargo-brig build brig` is cargo's business.
    if args.get(1).is_some_and(|word| word == "brig") {
        args.remove(1);
    }
    let mut toolchain = None;
    if args.get(1).is_some_and(is_toolchain) {
        toolchain = Some(args.remove(1));
    }
    loop {
        if args.len() == 1 {
            return Ok(Typed { options: variables::merge(Options::default(), variable)?, command: help() });
        }
        let arguments = match arguments::grammar().try_get_matches_from(&args).and_then(|found| Arguments::from_arg_matches(&found)) {
            Ok(arguments) => arguments,
            Err(error) => return from_clap(&error, &args),
        };
        let Arguments { options, word } = arguments;
        if let Some(Word::Cargo(words)) = &word
            && words.first().is_some_and(is_toolchain)
        {
            // `--mode observe +nightly build`: take it out and read the line again.
            if toolchain.is_some() {
                return Err(Misuse::new("two toolchains given", "name one, as the first word: `cargo-brig +nightly build`"));
            }
            let at = args.len() - words.len();
            toolchain = Some(args.remove(at));
            continue;
        }
        let command = command(word, toolchain)?;
        if let Some((format, _)) = options.outputs().first().filter(|_| !command.reports()) {
            let option = format.option();
            return Err(Misuse::new(
                format!("`{option}` is for a report, and this command makes none"),
                format!("`cargo brig report {option} F` writes the last one"),
            ));
        }
        let options = variables::merge(options, variable)?;
        let outputs = if matches!(command, Command::Cargo { .. } | Command::Demo) { options.outputs() } else { Vec::new() };
        if let Some((format, _)) = outputs.iter().find(|(_, path)| path.as_os_str() == "-") {
            return Err(Misuse::new(
                "`-` is not possible here: stdout belongs to cargo",
                format!("name a file, or use `cargo brig report {} -` afterwards", format.option()),
            ));
        }
        return Ok(Typed { options, command });
    }
}

fn command(word: Option<Word>, toolchain: Option<OsString>) -> Result<Command, Misuse> {
    let own = |command: Command| match &toolchain {
        None => Ok(command),
        Some(name) => Err(Misuse::new(
            format!("`{}` chooses the toolchain of a cargo command", name.to_string_lossy().escape_debug()),
            "leave it out: this command does not run cargo",
        )),
    };
    match word {
        None => Err(Misuse::new("no cargo subcommand given", "for example: `cargo brig build`; `cargo brig --help` lists everything")),
        Some(Word::Allow(wish)) => own(Command::Allow(wish)),
        Some(Word::Deny(wish)) => own(Command::Deny(wish)),
        Some(Word::Diff { a, b }) => {
            own(Command::Baseline(baseline::Baseline::Diff { a: Some(a), b: Some(b), of: reports::Of::default() }))
        }
        Some(Word::Review) => own(Command::Review),
        Some(Word::Suggest(of)) => own(Command::Suggest(of)),
        Some(Word::Baseline { what }) => own(Command::Baseline(what)),
        Some(Word::Init { rest }) if rest.is_empty() => own(Command::Init),
        // With anything behind it, it is cargo's.
        Some(Word::Init { rest }) => Ok(Command::Cargo { toolchain, args: [OsString::from("init")].into_iter().chain(rest).collect() }),
        Some(Word::Demo) => own(Command::Demo),
        Some(Word::Try(wish)) => own(Command::Try(wish)),
        Some(Word::Bisect(wish)) => own(Command::Bisect(wish)),
        Some(Word::Replay(wish)) => own(Command::Replay(wish)),
        Some(Word::Doctor) => own(Command::Doctor),
        Some(Word::Report(which)) => own(Command::Report(which)),
        Some(Word::Explain { topic, of }) => own(Command::Explain { topic, of }),
        Some(Word::Completions { shell }) => own(Command::Print(shells::completions(shell))),
        Some(Word::Man { words }) => match shells::page(&words) {
            Some(page) => own(Command::Print(page)),
            None => Err(Misuse::new(
                format!("there is no command `{}`", words.join(" ").escape_debug()),
                "`cargo brig --help` names them: of cargo's own, `cargo help COMMAND` has the page",
            )),
        },
        Some(Word::Profile { what: arguments::Profile::List }) => own(Command::ProfileList),
        Some(Word::Profile { what: arguments::Profile::Show { name, whom } }) => own(Command::ProfileShow { name, whom }),
        Some(Word::Cargo(words)) => match words.first() {
            Some(word) if word == "help" && words.len() == 1 => Ok(help()),
            // Behind `--`. What comes first decides what kind of command it is, so it has to be one.
            Some(word) if word.as_encoded_bytes().starts_with(b"-") => Err(Misuse::new(
                format!("`{}` stands where the cargo subcommand belongs", word.to_string_lossy().escape_debug()),
                "cargo's own options go after the subcommand, `cargo brig build --release`",
            )),
            Some(word) if word.is_empty() => Err(Misuse::new("the cargo subcommand is empty", "for example: `cargo brig build`")),
            _ => Ok(Command::Cargo { toolchain, args: words }),
        },
    }
}

fn help() -> Command {
    Command::Print(arguments::grammar().render_long_help().to_string())
}

fn is_toolchain(word: &OsString) -> bool {
    let bytes = word.as_encoded_bytes();
    bytes.len() > 1 && bytes[0] == b'+'
}

/// Help and version are answers, everything else is a misuse; clap's own text is kept, its layout is not.
fn from_clap(error: &clap::Error, args: &[OsString]) -> Result<Typed, Misuse> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Ok(Typed { options: Options::default(), command: Command::Print(error.render().to_string()) });
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        if args.iter().any(|word| word == "baseline") {
            return Err(Misuse::new(
                "`cargo brig baseline` needs a subcommand",
                "`cargo brig baseline accept`, `diff`, `check`, `import` or `prune`; see `--help`",
            ));
        }
        return Err(Misuse::new(
            "`cargo brig profile` needs a subcommand",
            "`cargo brig profile list` or `cargo brig profile show [NAME]`; see `--help`",
        ));
    }
    let text = error.render().to_string();
    let mut lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let mut message = lines.next().unwrap_or("bad command line").trim_start_matches("error: ").to_owned();
    let mut hints = Vec::new();
    for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("tip: ") {
            Some(tip) if tip.contains("' as a value, use '-- ") || tip.starts_with("to pass '") => {}
            Some(tip) => hints.push(tip.to_owned()),
            None => message.push_str(&format!(" {line}")),
        }
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
    {
        hints.splice(0..0, unknown(flag, args));
    }
    hints.push(format!("`cargo brig{} --help` lists the options", own_words(args)));
    Err(Misuse { message, hints })
}

/// The command of ours that was typed, and what of it, each with a space before it.
fn own_words(args: &[OsString]) -> String {
    let mut command = arguments::grammar();
    let mut words = String::new();
    for word in args.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(known) = command.find_subcommand(word).cloned() {
            words.push_str(&format!(" {word}"));
            command = known;
        }
    }
    words
}

/// What to say about an option that is not ours.
fn unknown(flag: &str, args: &[OsString]) -> Option<String> {
    const CARGOS: [&str; 20] = [
        "--release",
        "-r",
        "--features",
        "-F",
        "--all-features",
        "--no-default-features",
        "-p",
        "--package",
        "--workspace",
        "--target",
        "--target-dir",
        "--manifest-path",
        "--locked",
        "--offline",
        "--frozen",
        "-j",
        "--jobs",
        "--bin",
        "--lib",
        "--all-targets",
    ];
    let name = flag.split('=').next().unwrap_or(flag);
    let subcommand = || {
        args.iter()
            .skip(1)
            .filter_map(|word| word.to_str())
            .find(|word| ["build", "b", "check", "test", "run", "clippy", "doc", "bench", "install"].contains(word))
    };
    match name {
        "--profile" => Some("cargo owns `--profile`; did you mean `--policy`?".to_owned()),
        _ if CARGOS.contains(&name) => {
            Some(format!("`{name}` is cargo's: it goes after the subcommand, `cargo brig {} {name}`", subcommand().unwrap_or("build")))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
