//! The conductor: the only place that knows every stage. In: a command line that was understood. Out: an exit code.

mod build;
mod coverage;
mod demo;
mod emitters;
mod ending;
mod fetch;
mod layers;
mod owners;
mod pages;
mod reviewing;
mod stage;
mod usher;
mod watch;
mod who;

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};

use crate::cli::{Command, Typed};
use crate::launch::keeper;
use crate::model::Exit;
use crate::plan::host::Host;
use crate::plan::{ConfigError, doctor};
use crate::report::terminal;
pub use layers::Layers;

/// An error with the exit code it ends in.
#[derive(Debug)]
pub struct Stopped {
    pub exit: Exit,
    pub cause: anyhow::Error,
}

impl Stopped {
    fn usage(cause: impl Into<anyhow::Error>) -> Self {
        Stopped { exit: Exit::Usage, cause: cause.into() }
    }

    fn wall(cause: impl Into<anyhow::Error>) -> Self {
        Stopped { exit: Exit::NoWall, cause: cause.into() }
    }
}

impl From<ConfigError> for Stopped {
    fn from(error: ConfigError) -> Self {
        Stopped { exit: Exit::Config, cause: error.into() }
    }
}

/// What nobody foresaw: no wall, no record, so never a success.
impl From<anyhow::Error> for Stopped {
    fn from(cause: anyhow::Error) -> Self {
        Stopped { exit: Exit::NoWall, cause }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.cause)?;
        match self.cause.chain().find_map(limit) {
            Some(advice) => write!(f, "\n  help: {advice}"),
            None => Ok(()),
        }
    }
}

/// Limits are met anywhere, and what to do about one is always the same.
fn limit(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let errno = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    match errno.or_else(|| cause.downcast_ref::<nix::errno::Errno>().map(|errno| *errno as i32))? {
        libc::EMFILE => Some("raise the limit on open files: `ulimit -n`"),
        // From fork(2) and pthread_create(3); nothing else of ours is told to try again.
        libc::EAGAIN => Some("raise the limit on processes: `ulimit -u`, or the container's"),
        _ => None,
    }
}

/// Does what was typed.
///
/// # Errors
/// With the exit code the error stands for; `main` renders it.
pub fn run(typed: &Typed) -> Result<Exit, Stopped> {
    run_behind(typed, Layers::ALL)
}

/// The same with fewer layers around the actors of a build: see [`Layers`].
///
/// # Errors
/// As [`run`].
pub fn run_behind(typed: &Typed, layers: Layers) -> Result<Exit, Stopped> {
    match &typed.command {
        Command::Print(text) => print(text),
        Command::Cargo { toolchain, args } => build::build(&typed.options, toolchain.as_deref(), args, layers, style(typed)),
        Command::Demo => demo::demo(),
        Command::Doctor => {
            let profile = pages::in_force(&typed.options)?;
            let host = examine()?;
            let landlock = if typed.options.allow_degraded { 0 } else { profile.require.landlock };
            let asked = doctor::Asked { profile: &profile.name, landlock };
            print(&doctor::text(&host, asked))?;
            Ok(doctor::exit(&host, asked))
        }
        Command::Report { file } => pages::report(&typed.options, file.as_deref(), style(typed)),
        Command::Explain { topic } => pages::explain(&typed.options, topic, style(typed)),
        Command::ProfileList => print(&pages::profiles(&typed.options)?),
        Command::ProfileShow { name } => print(&pages::profile(&typed.options, name.as_deref())?),
    }
}

/// Asked as a build asks: by the supervisor.
fn examine() -> Result<Host, Stopped> {
    let host = Host::look();
    if host.able().is_err() {
        return Ok(host);
    }
    keeper::split().context("split into supervisor and keeper")?;
    let tmp = stage::make_tmp().map_err(Stopped::usage)?;
    Ok(Host::examine(tmp.path()))
}

/// Our own text on stdout; a reader that has gone away is not our failure.
fn print(text: &str) -> Result<Exit, Stopped> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Stopped::usage(error)),
        _ => Ok(Exit::Success),
    }
}

fn style(typed: &Typed) -> terminal::Style {
    let color =
        crate::cli::color::resolve(typed.options.color.unwrap_or_default(), &|name| std::env::var_os(name), io::stderr().is_terminal());
    terminal::Style { color, verbosity: terminal::Verbosity::from_switches(typed.options.quiet, typed.options.verbose) }
}
