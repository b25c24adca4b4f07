//! The grammar, for clap to read: one place for options, commands and the text of `--help`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::baseline::Baseline;
use super::color::Choice as ColorChoice;
use super::forms::Forms;
use super::{exceptions, forms, replaying, reports, trying};
use crate::model::report::Weakness;
use crate::model::{Lure, Mode, duration};
use crate::report::Format;

const EXIT_CODES: &str = "\
Every option can also be given as a variable: BRIG_POLICY, BRIG_MODE, BRIG_FRESH, BRIG_REPORT_DIR, BRIG_JSON, BRIG_SARIF,
BRIG_HTML, BRIG_MARKDOWN, BRIG_JUNIT, BRIG_CODE_QUALITY, BRIG_EVENTS, BRIG_TRACE, BRIG_IN_TOTO, BRIG_EGRESS, BRIG_CONFIG,
BRIG_NO_CONFIG, BRIG_FLOOR, BRIG_TIMEOUT, BRIG_ALLOW_DEGRADED, BRIG_LOCKED_BEHAVIOUR, BRIG_REQUIRE_RUN, BRIG_LIVE, BRIG_COLOR,
BRIG_QUIET, BRIG_VERBOSE. What is typed wins.

Exit codes, first match wins:
    2  bad command line
   96  configuration, profile or brig.lock invalid
  104  the walls the profile requires cannot be built on this kernel
  100  at least one violation
  103  the record is incomplete; or nothing ran, with `--require-run`
  124  the build took longer than `--timeout` and was ended
  102  code, or something it did, that brig.lock does not hold
    *  cargo's own exit code (101, 1, 128+signal)
    0  otherwise; the verdict says `clean`, `observed` or `not-run`";

#[derive(Debug, Parser)]
#[command(
    name = "cargo-brig",
    bin_name = "cargo brig",
    version,
    about = "Runs a cargo command with every build script, proc-macro, compiler and test behind its own kernel wall, and reports which crate did what",
    override_usage = "cargo brig [OPTIONS] <CARGO SUBCOMMAND> [CARGO'S OWN ARGUMENTS]...\n       cargo brig [OPTIONS] <COMMAND>",
    after_long_help = EXIT_CODES,
    after_help = EXIT_CODES,
    disable_help_subcommand = true,
    next_display_order = 100
)]
pub struct Arguments {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub word: Option<Word>,
}

/// Our options; what was typed wins over `BRIG_*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// Profile to enforce (`cargo brig profile list` names them)
    #[arg(long, value_name = "P", value_parser = NonEmptyStringValueParser::new())]
    pub policy: Option<String>,
    /// `enforce` refuses and reports, `observe` refuses nothing and reports
    #[arg(long, value_name = "MODE", value_parser = PossibleValuesParser::new(["enforce", "observe"]).map(|word| mode(&word)))]
    pub mode: Option<Mode>,
    /// Build in a private target directory, so that every build script and macro runs
    #[arg(long)]
    pub fresh: bool,
    /// Directory of the stored report
    #[arg(long, value_name = "D")]
    pub report_dir: Option<PathBuf>,
    #[command(flatten)]
    pub forms: Forms,
    /// Whoever started this run takes the report directory away: it is not named
    #[arg(long, hide = true)]
    pub passing: bool,
    /// Of a stage of `try`, which it tells itself: no word and no variable does.
    #[arg(skip)]
    pub lure: Option<Lure>,
    /// The same: what it could not have of its own.
    #[arg(skip)]
    pub weaker: Vec<Weakness>,
    /// For developers: no actor reaches anything, a sink answers in place of the internet, and what was sent is kept in this directory
    #[arg(long, value_name = "D", hide = true)]
    pub sink: Option<PathBuf>,
    /// Configuration file instead of the workspace's `brig.toml`
    #[arg(long, value_name = "F", global = true)]
    pub config: Option<PathBuf>,
    /// A policy that the project's `brig.toml`, and what is typed, may tighten and not loosen: an organisation's, or the base branch's
    #[arg(long, value_name = "F", global = true)]
    pub floor: Option<PathBuf>,
    /// Do not read the workspace's `brig.toml`: whoever writes to the repository has no say
    #[arg(long, global = true, conflicts_with = "config")]
    pub no_config: bool,
    /// End the build when it takes longer than this (`90s`, `10m`, `1h30m`), and report who was still running
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// Go on where this kernel cannot hold everything the profile requires
    #[arg(long)]
    pub allow_degraded: bool,
    /// Nothing is built or done that `brig.lock` does not hold, whatever the profile says; without a `brig.lock`, nothing at all
    #[arg(long)]
    pub locked_behaviour: bool,
    /// A build in which nothing ran, since all of it was built before, is a failure (103)
    #[arg(long)]
    pub require_run: bool,
    /// Say what breaks a rule as it happens, not only at the end
    #[arg(long, conflicts_with = "quiet")]
    pub live: bool,
    /// `auto`, `always` or `never`
    #[arg(long, value_name = "WHEN", global = true, value_parser = PossibleValuesParser::new(["auto", "always", "never"]).map(|word| color(&word)))]
    pub color: Option<ColorChoice>,
    /// Only findings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also what is merely informative, and one line per actor
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// Commands that make or show a report: only they have options for files that it is written to.
const REPORTING: [&str; 2] = ["report", "demo"];

/// All that may be typed. A command's `--help` has no option that the command refuses.
pub fn grammar() -> clap::Command {
    let mut all = Arguments::command();
    all.build();
    all.mut_subcommands(|command| if REPORTING.contains(&command.get_name()) { command } else { without_outputs(command) })
}

fn without_outputs(command: clap::Command) -> clap::Command {
    let hidden = |argument: clap::Arg| if forms::NAMES.contains(&argument.get_id().as_str()) { argument.hide(true) } else { argument };
    command.mut_args(hidden).mut_subcommands(without_outputs)
}

impl Options {
    /// The files asked for, each with its format.
    pub fn outputs(&self) -> Vec<(Format, &Path)> {
        self.forms.outputs()
    }
}

#[derive(Debug, Subcommand)]
pub enum Word {
    /// Writes an exception into `brig.toml`: for one package, one kind of its code, what is named, until a day
    Allow(Box<exceptions::Allow>),
    /// Writes into `brig.toml` that no build may hold a package
    Deny(exceptions::Deny),
    /// Code that runs at build time and that `brig.lock` does not hold: why it is there, how old it is, what it did; on a terminal, asked about one by one
    Review,
    /// The smallest exceptions that would have let the last run be clean, with their evidence
    Suggest(reports::Of),
    /// What the code of one report or `brig.lock` did that another's did not
    Diff { a: PathBuf, b: PathBuf },
    /// `brig.lock`: what code of others was accepted to do, and what is new
    Baseline {
        #[command(subcommand)]
        what: Baseline,
    },
    /// Writes a commented `brig.toml` to start from (with arguments it is cargo's own `init`)
    Init {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<OsString>,
    },
    /// An embedded, inert re-enactment of real incidents
    Demo,
    /// Runs a crate you do not trust among decoys, and tells and keeps what it does: nothing of yours is in its reach
    Try(Box<trying::Try>),
    /// The first version of a crate that breaks a rule when it is tried as `try` does: a binary search
    Bisect(Box<trying::Bisect>),
    /// A suspicious run once more, of the recorded commit and lock file, among decoys: did the incident come again, act by act
    Replay(Box<replaying::Replay>),
    /// What this kernel can enforce, and what would be weaker here
    Doctor,
    /// Render a stored report again (the last one, if none is named), or list those that are kept
    Report(reports::Which),
    /// What a rule, a finding of the last report or a crate in it is about, and what to do; what is known against a crate
    Explain {
        /// `secret/read`, `F1`, or a crate's name
        #[arg(value_name = "WHAT", value_parser = NonEmptyStringValueParser::new())]
        topic: String,
        #[command(flatten)]
        of: reports::Of,
    },
    /// Prints what a shell needs to complete `cargo-brig`
    Completions {
        #[arg(value_parser = shell())]
        shell: Shell,
    },
    /// Prints the manual page, of all or of one command (`cargo brig man baseline accept | man -l -`)
    Man {
        #[arg(value_name = "COMMAND")]
        words: Vec<String>,
    },
    /// Profiles: their names, or what one of them allows
    Profile {
        #[command(subcommand)]
        what: Profile,
    },
    #[command(external_subcommand)]
    Cargo(Vec<OsString>),
}

#[derive(Debug, Subcommand)]
pub enum Profile {
    /// Names of all profiles
    List,
    /// The effective policy of a profile
    Show {
        name: Option<String>,
        /// Of exceptions, denials and reviewed allows, only those of this package: `mac`, or as `allow` names it (`mac@0.1.0`, `path#mac`)
        #[arg(long = "for", value_name = "CRATE", value_parser = NonEmptyStringValueParser::new())]
        whom: Option<String>,
    },
}

/// Names of shells, as they are typed.
fn shell() -> impl TypedValueParser<Value = Shell> {
    let names = Shell::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    PossibleValuesParser::new(names).map(|name| Shell::from_str(&name, false).unwrap_or(Shell::Bash))
}

/// The words are checked by whoever calls: there are only two.
pub fn mode(word: &str) -> Mode {
    if word == "observe" { Mode::Observe } else { Mode::Enforce }
}

pub fn color(word: &str) -> ColorChoice {
    match word {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}
