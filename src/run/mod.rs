//! The conductor: the only place that knows every stage. In: a command line that was understood. Out: an exit code.

mod absent;
mod amending;
mod asked;
mod barring;
mod baseline;
mod bounded;
mod build;
mod chosen;
mod committed;
mod coverage;
mod demo;
mod emitters;
mod ending;
mod excepting;
mod failing;
mod fetch;
mod git;
mod given;
mod graph_now;
mod holding;
mod importing;
mod in_force;
mod job;
mod layers;
mod live;
mod naming;
mod newcomers;
mod outputs;
mod owners;
mod pages;
mod proposing;
mod repository;
mod reviewing;
mod screen;
mod sinking;
mod spent;
mod stage;
mod stopped;
mod stored;
mod streams;
mod suggesting;
mod supervisor;
mod trying;
mod uncommitted;
mod vouched;
mod watch;
mod who;

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use anyhow::Context;

use crate::cli::{Command, Typed};
use crate::launch::keeper;
use crate::model::Exit;
use crate::plan::doctor;
use crate::plan::host::Host;
use crate::report::terminal;
use crate::sys::descriptors;
pub use layers::Layers;
use pages::print;
pub use stopped::Stopped;
pub use trying::stage::{ARGUMENT as STAGE, typed as staged};

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
        Command::Allow(wish) => amending::allow(&typed.options, wish),
        Command::Deny(wish) => amending::deny(&typed.options, wish),
        Command::Baseline(what) => baseline::baseline(&typed.options, what),
        Command::Review => newcomers::review(&typed.options),
        Command::Suggest(of) => suggesting::suggest(&typed.options, of),
        Command::Init => amending::init(&typed.options),
        Command::Demo => demo::demo(&typed.options),
        Command::Try(wish) => trying::trial(&typed.options, wish, style(typed)),
        Command::Bisect(wish) => trying::bisect(&typed.options, wish, style(typed)),
        Command::Replay(wish) => trying::replay(&typed.options, wish, style(typed)),
        Command::Doctor => {
            let profile = pages::in_force(&typed.options)?;
            let host = examine()?;
            let landlock = if typed.options.allow_degraded { 0 } else { profile.require.landlock };
            let asked = doctor::Asked { profile: &profile.name, landlock };
            print(&doctor::text(&host, asked))?;
            Ok(doctor::exit(&host, asked))
        }
        Command::Report(which) => stored::report(&typed.options, which, style(typed)),
        Command::Explain { topic, of } => stored::explain(&typed.options, topic, of, style(typed)),
        Command::ProfileList => print(&pages::profiles(&typed.options)?),
        Command::ProfileShow { name, whom } => print(&pages::profile(&typed.options, name.as_deref(), whom.as_deref())?),
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

/// Of a build, Brig's words are on stderr; of a command of its own they are the answer, on stdout.
fn style(typed: &Typed) -> terminal::Style {
    let (is_terminal, columns) = match typed.command {
        Command::Cargo { .. } => (io::stderr().is_terminal(), descriptors::columns(io::stderr().as_fd())),
        _ => (io::stdout().is_terminal(), descriptors::columns(io::stdout().as_fd())),
    };
    let color = crate::cli::color::resolve(typed.options.color.unwrap_or_default(), &|name| std::env::var_os(name), is_terminal);
    let width = columns.map(usize::from).filter(|columns| *columns > 0);
    terminal::Style { color, verbosity: terminal::Verbosity::from_switches(typed.options.quiet, typed.options.verbose), width }
}
