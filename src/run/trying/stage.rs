//! One stage of a trial: cargo among decoys, in a process of its own. In: what is to be run, handed over on its stdin, which nobody else can do for it.
//! Out: how it ended, what it said, its report.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::interrupt::Interrupt;
use super::view::View;
use super::{apart, guise};
use crate::cli::{self, Options, Typed};
use crate::model::Lure;
use crate::model::report::Report;
use crate::report::json;
use crate::run::stage::Env;
use crate::run::stopped::Stopped;

/// The first word of a stage's command line. Cargo itself writes `brig` there.
pub const ARGUMENT: &str = "--stage-of-a-trial";

/// Of what it says, the beginning and the end.
const MOST: usize = 1 << 20;
const CUT: &[u8] = b"\n(cut)\n";
/// How much longer than its time a stage may take to end: its report is written then.
const GRACE: Duration = Duration::from_secs(60);
/// How often a stage is asked to end.
const AGAIN: Duration = Duration::from_secs(1);
/// How long what was said may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, Deserialize)]
pub struct Stage {
    /// Without one it is an ordinary run of ours: what fetches.
    pub lure: Option<Lure>,
    pub report_dir: PathBuf,
    pub seconds: u64,
    /// Cargo's.
    pub args: Vec<OsString>,
    pub allow_degraded: bool,
    /// The tree of files it is shown, where it can be had.
    pub view: Option<View>,
    /// What the program that cargo starts finds on its standard input; cargo hands it to nobody else (`cargo run`). Short.
    pub told: Option<String>,
}

/// A stage, and who starts it.
#[derive(Serialize, Deserialize)]
struct Started<S> {
    stage: S,
    by: i32,
}

/// What of a disk a trial may fill. Measured by what is free on it, so that nothing escapes by having no name any more; what others write there meanwhile counts, too.
#[derive(Clone, Debug)]
pub struct Disk {
    at: PathBuf,
    /// Bytes that stay free.
    least: u64,
}

impl Disk {
    /// `most`: bytes. Half of what is free stays free in any case.
    pub fn of(at: &Path, most: u64) -> Disk {
        let free = free(at).unwrap_or(0);
        Disk { at: at.to_owned(), least: free.saturating_sub(most).max(free / 2) }
    }

    fn is_full(&self) -> bool {
        free(&self.at).is_some_and(|free| free < self.least)
    }
}

/// Bytes that we may still write (statvfs(3)).
fn free(at: &Path) -> Option<u64> {
    let facts = nix::sys::statvfs::statvfs(at).ok()?;
    Some(facts.blocks_available().saturating_mul(facts.fragment_size()))
}

/// What a stage came to.
pub struct Played {
    /// Brig's exit code.
    pub code: i32,
    /// It was ended since it had filled what it may of the disk.
    pub filled: bool,
    pub said: Vec<u8>,
    pub report: Option<Report>,
}

/// In the stage's own process: what it is to do. It leaves the terminal behind.
///
/// # Errors
/// When nobody said so.
pub fn typed() -> Result<Typed, Stopped> {
    let mut text = String::new();
    let read = io::stdin().take(16 << 20).read_to_string(&mut text).context("read what is to be run").map_err(Stopped::usage)?;
    let started: Started<Stage> = serde_json::from_str(&text[..read]).context("no stage of a trial").map_err(Stopped::usage)?;
    let Started { mut stage, by } = started;
    apart::end_with(by).context("end with whoever started us")?;
    let mut weaker = Vec::new();
    if let (Some(view), Some(lure)) = (&stage.view, &mut stage.lure) {
        let laid = view.laid();
        let entered = apart::enter(view).context("enter namespaces of our own").map_err(Stopped::wall)?;
        if let Some(ours) = entered.ours {
            (lure.more, lure.kept) = (view.filled(), view.kept.clone());
            if entered.layers {
                lure.laid = laid;
            }
            lure.sink = view.moved(&lure.sink, &ours);
            stage.report_dir = view.moved(&stage.report_dir, &ours);
        }
        weaker = entered.weaker;
    }
    if let Some(told) = &stage.told {
        tell(told).context("hand over what the program is told")?;
    }
    Interrupt::let_through();
    nix::unistd::setsid().context("leave the terminal")?;
    if let Some(cpus) = stage.lure.as_ref().and_then(|lure| lure.cpus) {
        guise::run_on(cpus).context("run on fewer processors")?;
    }
    let options = Options {
        policy: Some("default".to_owned()),
        no_config: true,
        passing: true,
        report_dir: Some(stage.report_dir),
        timeout: Some(Duration::from_secs(stage.seconds)),
        allow_degraded: stage.allow_degraded,
        lure: stage.lure,
        weaker,
        ..Options::default()
    };
    Ok(Typed { options, command: cli::Command::Cargo { toolchain: None, args: stage.args } })
}

/// Our standard input is this from now on, and then its end.
fn tell(told: &str) -> io::Result<()> {
    let (reader, mut writer) = io::pipe()?;
    // No pipe holds less (PIPE_BUF, pipe(7)), so nobody has to read yet.
    if told.len() > 4096 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    writer.write_all(told.as_bytes())?;
    nix::unistd::dup2_stdin(&reader)?;
    Ok(())
}

/// Plays a stage in `dir`, which may fill so much of a disk.
///
/// # Errors
/// When it could not be started.
pub fn play(stage: &Stage, (env, dir): (&Env, &Path), interrupt: &Interrupt, disk: Option<&Disk>) -> Result<Played> {
    let mut command = Command::new(std::env::current_exe().context("find ourselves")?);
    command.arg(ARGUMENT).env_clear().envs(env.iter().cloned()).current_dir(dir).stdin(Stdio::piped());
    let text = serde_json::to_vec(&Started { stage, by: std::process::id() as i32 }).context("write down what is to be run")?;
    let (code, filled, said) = run(command, &text, Duration::from_secs(stage.seconds) + GRACE, interrupt, disk)?;
    let stored = stage.report_dir.join("report.json");
    let report = if stored.exists() { Some(json::load(&stored)?) } else { None };
    Ok(Played { code, filled, said, report })
}

/// Runs a program of ours to its end, to `limit`, or until the disk is full. The answer is its code, 128 and the signal, whether it filled the disk, and what
/// it said on both streams.
///
/// # Errors
/// When it could not be started.
fn run(mut command: Command, input: &[u8], limit: Duration, interrupt: &Interrupt, disk: Option<&Disk>) -> Result<(i32, bool, Vec<u8>)> {
    let (reader, writer) = io::pipe().context("make a pipe")?;
    command.stdout(writer.try_clone().context("make a pipe")?).stderr(writer);
    let mut child = command.spawn().context("run ourselves")?;
    drop(command);
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended already says so by its code.
        let _ = stdin.write_all(input);
    }
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(listen(reader)));
    let (end, mut asked, mut filled) = (Instant::now() + limit, Instant::now(), false);
    interrupt.watch(child.id());
    let status = loop {
        if let Some(status) = child.try_wait().context("wait for ourselves")? {
            break status;
        }
        if Instant::now() > end {
            // Whoever traces it ends with it (`PTRACE_O_EXITKILL`).
            let _ = child.kill();
        }
        let fills = !filled && disk.is_some_and(Disk::is_full);
        filled |= fills;
        if fills || asked.elapsed() > AGAIN {
            // Again, since the first process of a namespace hears nothing before it is ready to (pid_namespaces(7)).
            interrupt.remind();
            if filled {
                let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM);
            }
            asked = Instant::now();
        }
        thread::sleep(Duration::from_millis(20));
    };
    interrupt.unwatch();
    let code = status.code().unwrap_or_else(|| 128 + std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0));
    Ok((code, filled, told.recv_timeout(LAST_WORDS).unwrap_or_default()))
}

/// Keeps the beginning and the end: whoever says much hides neither what was said first nor how it came out.
fn listen(mut from: impl Read) -> Vec<u8> {
    let (mut all, mut last, mut buffer) = (Vec::new(), Vec::new(), [0; 16 << 10]);
    let mut is_cut = false;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let room = MOST.saturating_sub(all.len()).min(length);
        all.extend_from_slice(&buffer[..room]);
        last.extend_from_slice(&buffer[room..length]);
        if last.len() > 2 * MOST {
            is_cut = true;
            last.drain(..last.len() - MOST);
        }
    }
    if is_cut {
        all.extend_from_slice(CUT);
    }
    all.extend(last);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_are_heard() {
        let said = |middle: usize| listen(&[b"first\n", &*vec![b'x'; middle], b"\nlast\n"].concat()[..]);
        assert_eq!(said(3), b"first\nxxx\nlast\n");
        for middle in [MOST, 2 * MOST, 9 * MOST] {
            let heard = said(middle);
            assert!(heard.starts_with(b"first\n") && heard.ends_with(b"\nlast\n") && heard.len() < 4 * MOST, "{middle}: {}", heard.len());
            assert_eq!(heard.windows(CUT.len()).any(|part| part == CUT), heard.len() < middle, "{middle}");
        }
    }
}
