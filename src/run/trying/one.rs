//! One trial, from what was named to its evidence. In: the conditions, which several trials may have in common, and a suspect. Out: what came of it; its
//! evidence on the disk, its end on the terminal.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use nix::unistd::{User, geteuid};

use super::again::Again;
use super::evidence::Evidence;
use super::expected::Known;
use super::found::Found;
use super::guise::Guise;
use super::interrupt::Interrupt;
use super::left::Look;
use super::named::Named;
use super::preparing::Fetching;
use super::proof::Proof;
use super::recorded::Recorded;
use super::stage::Disk;
use super::stages::{self, Ended, Stages};
use super::suspect::Suspect;
use super::throwaway::{Throwaway, USER};
use super::view::Theirs;
use super::{apart, habits, located, settings, told};
use crate::cli::Options;
use crate::cli::trying::How;
use crate::model::Exit;
use crate::model::report::{Report, VerdictWord};
use crate::plan::places::real;
use crate::report::escape;
use crate::report::joined::joined;
use crate::report::terminal;
use crate::run::spent;
use crate::run::stage::{self as ground, Env};
use crate::run::stopped::Stopped;
use crate::run::streams::Heedless;
use crate::suspect::decoys::{Ground, lay, lay_around, lay_system};

/// What each suspect is tried under.
pub struct Conditions<'a> {
    options: &'a Options,
    how: &'a How,
    style: terminal::Style,
    /// Nothing is said of the trials themselves.
    silent: bool,
    interrupt: Interrupt,
    user: Env,
    toolchain: PathBuf,
    cargo_home: Option<PathBuf>,
}

#[derive(Clone, Copy)]
enum Subject<'a> {
    Suspect(&'a Named, Option<&'a Path>),
    Run(&'a Recorded),
}

/// What came of one.
pub struct Tried {
    pub suspect: Suspect,
    /// Of all stages.
    pub all: Report,
    pub proof: Proof,
    pub exit: Exit,
}

/// Seconds since the epoch.
pub fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl<'a> Conditions<'a> {
    /// # Errors
    /// Without a toolchain, or with one that nobody answers for.
    pub fn of(options: &'a Options, how: &'a How, style: terminal::Style) -> Result<Conditions<'a>, Stopped> {
        Conditions::with(options, how, None, style)
    }

    /// The same with a toolchain by its name, `+nightly`.
    ///
    /// # Errors
    /// As [`Conditions::of`].
    pub fn with(options: &'a Options, how: &'a How, name: Option<&str>, style: terminal::Style) -> Result<Conditions<'a>, Stopped> {
        Guise::read(how, clock()).map_err(anyhow::Error::msg).map_err(Stopped::usage)?;
        let interrupt = Interrupt::heed()?;
        let user: Env = std::env::vars_os().collect();
        let cargo = ground::find_cargo(&user, name.is_some()).map_err(Stopped::usage)?;
        let toolchain = ground::refuse_foreign_toolchain(&cargo, name.map(OsStr::new), &user).map_err(Stopped::wall)?;
        let toolchain = toolchain.context("find out which toolchain is used here").map_err(Stopped::usage)?;
        let cargo_home = ground::variable(&user, "CARGO_HOME").map(Into::into);
        let cargo_home = cargo_home.or_else(|| Some(PathBuf::from(ground::variable(&user, "HOME")?).join(".cargo")));
        Ok(Conditions { options, how, style, silent: false, interrupt, user, toolchain, cargo_home })
    }

    pub fn silent(self) -> Conditions<'a> {
        Conditions { silent: true, ..self }
    }

    pub fn was_interrupted(&self) -> bool {
        self.interrupt.came()
    }

    /// What the registry's index says of a crate; see [`Fetching::index_of`].
    ///
    /// # Errors
    /// When it cannot be fetched.
    pub fn index_of(&self, name: &str) -> Result<Vec<u8>> {
        let throwaway = Throwaway::make()?;
        self.fetching(&throwaway, None).index_of(name)
    }

    fn fetching<'f>(&'f self, throwaway: &'f Throwaway, lock: Option<&'f Path>) -> Fetching<'f> {
        let env = throwaway.fetching(&self.user, &self.toolchain);
        let (interrupt, cargo_home, features) = (&self.interrupt, self.cargo_home.clone(), &self.how.features[..]);
        Fetching { throwaway, env, interrupt, cargo_home, features, lock }
    }

    /// `lock`: which says the versions. `into`: the directory for its evidence, which must not be there.
    ///
    /// # Errors
    /// When it cannot be had, or the walls cannot be built around it (104).
    pub fn one(&self, named: &Named, lock: Option<&Path>, into: Option<&Path>) -> Result<Tried, Stopped> {
        self.trial(Subject::Suspect(named, lock), into)
    }

    /// A run that a report tells of, once more.
    ///
    /// # Errors
    /// As [`Conditions::one`].
    pub fn again(&self, recorded: &Recorded, into: Option<&Path>) -> Result<Tried, Stopped> {
        self.trial(Subject::Run(recorded), into)
    }

    fn trial(&self, subject: Subject, into: Option<&Path>) -> Result<Tried, Stopped> {
        let Conditions { options, how, style, interrupt, user, toolchain, .. } = self;
        let style = *style;
        let (started, earlier) = (clock(), spent::so_far().processor_ms);
        // Each begins at the same date, whenever it is its turn.
        let guise = Guise::read(how, started).map_err(anyhow::Error::msg).map_err(Stopped::usage)?;
        let throwaway = Throwaway::make().map_err(Stopped::usage)?;
        let prepared = match subject {
            Subject::Suspect(named, lock) => self.fetching(&throwaway, lock).prepare(named),
            Subject::Run(recorded) => recorded.prepare(&self.fetching(&throwaway, None)),
        };
        let prepared = prepared.map_err(Stopped::usage)?;
        let suspect = &prepared.suspect;
        let evidence = Evidence::begin(into, suspect, started).map_err(Stopped::usage)?;
        let mut out: Box<dyn Write> = if self.silent { Box::new(io::sink()) } else { Box::new(Heedless(io::stdout())) };
        told::before(&mut out, &prepared, style).context("write to stdout")?;

        let laid = match &prepared.run {
            None => lay(&throwaway.home, &throwaway.app(), place(&how.ground)),
            Some(run) => lay_around(&throwaway.home, &run.workspace, place(&how.ground), &run.baits),
        };
        let laid = laid.context("lay decoys")?;
        let system = lay_system(&throwaway.system(), USER, place(&how.ground)).context("lay decoys")?;
        let mut env = throwaway.environment(user, toolchain, &laid.environment);
        guise.dress(&mut env);
        told::guise(&mut out, &guise, style).context("write to stdout")?;
        let without = throwaway.without();
        let filled = throwaway.filled();
        let before = Look::at(&filled, &without);
        let (seconds, allow_degraded, echo) = (how.seconds, options.allow_degraded, options.verbose);
        let closed = closed(user, self.cargo_home.as_deref());
        throwaway.name(guise.hostname.as_deref()).context("lay decoys")?;
        let canaries = laid.canaries.into_iter().chain(system.canaries).collect();
        let sources = self.cargo_home.as_deref().map(settings::of).unwrap_or_default();
        let kept = [toolchain.clone()].into_iter().chain(settings::directories(&sources)).map(real).collect();
        let disk = Disk::of(&throwaway.root, stages::DISK);
        let view = throwaway.view(Theirs { homes: homes(user), trees: closed.clone(), kept }, &system.files, guise.hostname.as_deref());
        let word = word().context("think of a word")?;
        let stages = Stages { throwaway: &throwaway, env, interrupt, canaries, closed, seconds, allow_degraded, guise, view, disk, word };
        let mut told = false;
        let (ended, reached) = stages.play(&prepared, |one| {
            if echo {
                // What somebody else said must not look like ours, or do anything to a terminal.
                let said = String::from_utf8_lossy(&one.said);
                let said: String = said.lines().map(|line| format!("    | {}\n", escape::ours(line))).collect();
                let _ = io::stderr().write_all(said.as_bytes());
            }
            let shared = one.report.iter().filter(|_| !told).flat_map(|report| &report.enforcement.degraded);
            told::shared(&mut out, shared.filter(|weakness| apart::is_told(weakness)), style)?;
            told |= one.report.is_some();
            told::stage(&mut out, one, style)
        })?;
        let leavings = Look::at(&filled, &without).since(&before, &evidence.files())?;

        let command = match subject {
            Subject::Suspect(..) => ["cargo", "brig", "try", &suspect.name],
            Subject::Run(recorded) => ["cargo", "brig", "replay", &recorded.then.run.id],
        };
        let mut all = joined(ended.iter().filter_map(|one| one.report.clone()), &command)
            .ok_or_else(|| anyhow!("no stage has left a report"))
            .map_err(Stopped::wall)?;
        let sinks = throwaway.sinks();
        let proof = Proof::of(ended.iter().zip(sinks.iter().map(|dir| &**dir)));
        let speakers = habits::speakers(&all);
        let known = Known { suspect, before: &before, reached: reached.as_ref(), sent: &proof.messages };
        stages::settle(&mut all, &ended, prepared.run.is_none().then_some(&known));
        if prepared.run.is_none() {
            located::settle(&mut all, suspect);
        }
        let (spent, costs) = (spent::so_far(), &mut all.run.costs);
        costs.processor_ms = costs.processor_ms.saturating_add(spent.processor_ms - earlier);
        costs.peak_memory_kib = costs.peak_memory_kib.max(spent.peak_memory_kib);
        all.sent = proof.told();
        // Of a run of the user's nothing was to be expected.
        let habits = if prepared.run.is_none() { habits::settle(&mut all, &proof, &speakers) } else { Vec::new() };
        let whole = ended.iter().all(|one| one.was_built() && !one.was_cut());
        let again = match subject {
            Subject::Suspect(..) => None,
            Subject::Run(recorded) => Some(Again::of(recorded, &all, whole)),
        };
        let (reached, again) = (reached.as_ref(), again.as_ref());
        let found = Found {
            prepared: &prepared,
            all: &all,
            ended: &ended,
            left: &leavings.kept,
            gaps: &leavings.gaps,
            proof: &proof,
            reached,
            again,
            habits: &habits,
            whose: "your",
        };
        evidence.keep(&Found { whose: "the decoy", ..found }, &throwaway)?;
        let exit = match again {
            // An act that only another profile forbids is no violation here.
            Some(again) if again.number() > 0 => Exit::Violation,
            Some(again) if again.is_unknown() && !interrupt.came() => Exit::Incomplete,
            _ => exit(all.outcome.verdict, &ended, interrupt.came()),
        };
        told::after(&mut out, &found, (&evidence, exit), style).context("write to stdout")?;
        Ok(Tried { suspect: prepared.suspect, all, proof, exit })
    }
}

/// One that nobody has heard.
fn word() -> io::Result<String> {
    let mut bytes = [0; 16];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Where the user lives: as he says, and as the machine does.
fn homes(user: &Env) -> Vec<PathBuf> {
    let said = ground::variable(user, "HOME").map(PathBuf::from);
    let known = User::from_uid(geteuid()).ok().flatten().map(|user| user.dir);
    said.into_iter().chain(known).map(real).collect()
}

/// What is the user's, by real paths. The root of all is nobody's.
fn closed(user: &Env, cargo_home: Option<&Path>) -> Vec<PathBuf> {
    let homes = ["HOME", "RUSTUP_HOME"].into_iter().filter_map(|name| ground::variable(user, name)).map(PathBuf::from);
    let here = std::env::current_dir().ok();
    let all = homes.chain(cargo_home.map(Path::to_owned)).chain(here).map(real);
    all.filter(|path| path.is_absolute() && path.parent().is_some()).collect()
}

/// The words are those of the command line.
fn place(word: &str) -> Ground {
    match word {
        "ci" => Ground::Ci,
        "container" => Ground::Container,
        "root" => Ground::Root,
        _ => Ground::Laptop,
    }
}

/// Its own tests may fail, and take too long: that is no incident. Nothing is said of what did not run.
fn exit(verdict: VerdictWord, ended: &[Ended], interrupted: bool) -> Exit {
    match verdict {
        VerdictWord::Violation => Exit::Violation,
        VerdictWord::Incomplete | VerdictWord::NotRun => Exit::Incomplete,
        _ if interrupted => Exit::Cargo(130),
        _ if !ended.iter().any(Ended::was_built) => Exit::Incomplete,
        // What whoever depends on it would run has not run to its end here.
        _ if ended.iter().any(|one| one.is_of_dependents() && (!one.was_built() || one.was_cut())) => Exit::Incomplete,
        _ => Exit::Success,
    }
}
