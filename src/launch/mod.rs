//! Starts cargo, follows its process events, and confines every program it starts at the exec stop, before its first instruction.
//! In: a cargo command line and what is to be decided at each exec stop ([`AtExecStop`]). Out: cargo's end, and a listener for every actor on the way.
//!
//! Only fork and exec events stop cargo; actors are detached once confined and run at full speed.

pub mod channel;
pub mod confine;
pub mod initial_stack;
pub mod inject;
pub mod keeper;
pub mod offline;
pub mod signals;
pub mod survivors;
pub mod tried;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::sys::pidfd;
use crate::sys::process;
use crate::sys::spawn::{self, Held};
use crate::sys::tracee::{self, Stopped};
use crate::sys::wait::{Change, wait};
use crate::wall::cargos::{self, Stops};
use channel::Channel;
use confine::{Walls, confine};
use initial_stack::{Edit, InitialStack};
use inject::Borrowed;
use tried::Tried;

/// The cargo to run.
pub struct Cargo {
    pub path: PathBuf,
    /// Without the program name.
    pub args: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
    /// The Landlock ruleset it starts behind; everything it starts is behind it, too.
    pub wall: Option<OwnedFd>,
    /// Which of its calls stop: it has a network where those do not that lead there.
    pub stops: Stops,
    /// Where its standard output goes, if not where ours does.
    pub stdout: Option<File>,
}

/// A program that cargo has just become or started, traced and stopped before its first instruction, as the kernel and its initial stack
/// show it.
pub struct Tracee<'a> {
    pub pid: i32,
    /// Cargo's own process became this: a rustup shim's real cargo, a cargo plugin, or the program of `cargo run`.
    pub in_place: bool,
    /// The process that started it: another one that conducts, or, where that is gone, nobody known.
    pub parent: i32,
    /// What runs, with all links followed: of a script its interpreter.
    pub exe: PathBuf,
    /// What was meant to run: the path given to execve, absolute, with no link followed. Of a script it is the script.
    pub called: PathBuf,
    pub argv: &'a [OsString],
    pub env: Vec<(OsString, OsString)>,
    pub cwd: PathBuf,
}

/// What is answered about a tracee.
pub enum Admission {
    /// Cargo itself, or another part of the toolchain that starts actors: stays traced, is not confined. One edit per variable.
    Conductor(Vec<Edit>),
    Actor(Walls),
}

/// Decides about tracees; implemented by `run::supervisor`.
pub trait AtExecStop {
    /// Cargo is about to run, as this process; with a handle of it where such can be had.
    fn started(&mut self, _cargo: Option<OwnedFd>, _pid: i32) {}

    /// # Errors
    /// Any error kills the tracee and ends the build: nothing runs unconfined.
    fn admit(&mut self, tracee: &Tracee) -> Result<Admission>;

    /// The tracee could not be confined, and is about to be killed. Was it somebody's doing, who is now on record? Then the build goes on
    /// without it; else it ends with an error.
    fn refuse(&mut self, _tracee: &Tracee, _why: &anyhow::Error) -> bool {
        false
    }

    /// May one that conducts read this? Asked where reading stops, and only about what the kernel would let it.
    fn may_read(&mut self, _tried: &Tried) -> bool {
        true
    }

    /// A call of one that conducts was refused by the kernel: by its own wall, or by permissions.
    fn refused_by_kernel(&mut self, _tried: &Tried) {}

    /// The tracee last admitted as an actor is confined and running; its notifications arrive on `listener`.
    ///
    /// # Errors
    /// As [`AtExecStop::admit`].
    fn entered(&mut self, listener: OwnedFd) -> Result<()>;
}

/// How the run of cargo ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code, or 128 + signal.
    pub code: i32,
    /// We were asked to stop (SIGINT, SIGTERM, SIGHUP) or cargo was killed by a signal.
    pub interrupted: bool,
    /// Why the build was stopped by us: an actor could not be confined.
    pub failure: Option<anyhow::Error>,
    /// How often a cargo without a network wanted one.
    pub refused: u64,
}

/// Runs cargo to its end. Must be called on the main thread: orphans of the build become its children.
///
/// # Errors
/// When cargo could not be started at all. A failure to confine an actor is in [`Ended::failure`].
pub fn run(cargo: &Cargo, supervisor: &mut dyn AtExecStop) -> Result<Ended> {
    nix::sys::prctl::set_child_subreaper(true).context("become the reaper of the build's orphans")?;
    let channel = Channel::new().context("make the confinement channel")?;
    let held = start(cargo, &channel)?;
    signals::forward_to(held.pid).context("install signal handlers")?;
    let mut launcher = Launcher {
        cargo: held.pid,
        channel,
        supervisor,
        failure: None,
        conductors: [held.pid].into(),
        followed: BTreeMap::new(),
        refused: 0,
    };
    if let Err(error) = tracee::seize(held.pid) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(held.pid), nix::sys::signal::SIGKILL);
        let _ = wait(held.pid, false);
        return Err(error).context("trace cargo (ptrace is not permitted here; `cargo brig doctor` says more)");
    }
    // Cargo waits for us at every start of a program. From here on this thread only waits for events; cargo is already there.
    let _ = crate::sys::schedule::short_slices();
    launcher.supervisor.started(pidfd::open_if_permitted(held.pid as u32).context("get hold of cargo's process")?, held.pid);
    held.release().context("start cargo")?;
    let change = launcher.follow();
    let (failure, refused) = (launcher.failure, launcher.refused);
    let change = change?;
    if let Some(error) = held.failure() {
        bail!("start {}: {error}", cargo.path.display());
    }
    let (code, killed) = match change {
        Change::Killed(signal) => (128 + signal, true),
        Change::Exited(code) => (code, false),
        _ => unreachable!("follow returns only ends"),
    };
    Ok(Ended { code, interrupted: killed || signals::received(), failure, refused })
}

fn start(cargo: &Cargo, channel: &Channel) -> Result<Held> {
    let text = |text: &OsStr| CString::new(text.as_bytes()).map_err(|_| anyhow!("an argument or variable holds a NUL byte"));
    let path = text(cargo.path.as_os_str())?;
    let mut argv = vec![path.clone()];
    for arg in &cargo.args {
        argv.push(text(arg)?);
    }
    let mut env = Vec::with_capacity(cargo.env.len());
    for (name, value) in &cargo.env {
        let mut pair = name.clone();
        pair.push("=");
        pair.push(value);
        env.push(text(&pair)?);
    }
    let filter = cargos::program(cargo.stops)?;
    let program = spawn::Program {
        path: &path,
        argv: &argv,
        env: &env,
        channel: (channel.far(), channel.number()),
        wall: cargo.wall.as_ref().map(AsFd::as_fd),
        keep: &jobserver(&cargo.env),
        stdout: cargo.stdout.as_ref().map(File::as_fd),
        filter: &filter,
    };
    spawn::hold(&program).context("fork")
}

/// The descriptors of an outer jobserver (`make` running us): `--jobserver-auth=R,W`, or the older `--jobserver-fds=R,W`.
fn jobserver(env: &[(OsString, OsString)]) -> Vec<RawFd> {
    let mut fds = Vec::new();
    for (name, value) in env {
        if name != "MAKEFLAGS" && name != "CARGO_MAKEFLAGS" && name != "MFLAGS" {
            continue;
        }
        for word in value.to_string_lossy().split_whitespace() {
            let pair = word.strip_prefix("--jobserver-auth=").or_else(|| word.strip_prefix("--jobserver-fds="));
            if let Some((read, write)) = pair.and_then(|pair| pair.split_once(','))
                && let (Ok(read), Ok(write)) = (read.parse::<RawFd>(), write.parse::<RawFd>())
            {
                fds.extend([read, write].into_iter().filter(|&fd| fd > 2));
            }
        }
    }
    fds
}

struct Launcher<'a> {
    cargo: i32,
    channel: Channel,
    supervisor: &'a mut dyn AtExecStop,
    failure: Option<anyhow::Error>,
    /// Cargo, and what conducts beside it.
    conductors: BTreeSet<i32>,
    /// Threads in the middle of a call whose end is waited for.
    followed: BTreeMap<i32, Stopped>,
    refused: u64,
}

impl Launcher<'_> {
    /// Handles every event until cargo has ended.
    fn follow(&mut self) -> Result<Change> {
        loop {
            let (pid, change) = match wait(-1, false) {
                Ok(Some(event)) => event,
                Ok(None) => continue,
                Err(error) if error.raw_os_error() == Some(libc::EINTR) => continue,
                Err(error) => return Err(error).context("wait for the build"),
            };
            match change {
                Change::Exited(_) | Change::Killed(_) if pid == self.cargo => return Ok(change),
                // A thread or child of a conductor, or an orphan of the build that became ours.
                Change::Exited(_) | Change::Killed(_) => {
                    self.conductors.remove(&pid);
                    self.followed.remove(&pid);
                }
                Change::Event { event: libc::PTRACE_EVENT_EXEC, .. } => self.exec_stop(pid),
                Change::Event { event: libc::PTRACE_EVENT_SECCOMP, .. } => gone_is_fine(self.stopped(pid))?,
                Change::Syscall => gone_is_fine(self.ended(pid))?,
                Change::Event { event: libc::PTRACE_EVENT_STOP, signal } if signal != libc::SIGTRAP => gone_is_fine(tracee::listen(pid))?,
                Change::Event { .. } => gone_is_fine(tracee::resume(pid, 0))?,
                Change::Signal(signal) => gone_is_fine(tracee::resume(pid, signal))?,
            }
        }
    }

    /// Before a call that cargo's filter stops. One that leads to a network, where there is to be none, is decided about: what cannot be judged is
    /// not made, nor is a command to a device, and whoever is not released stands still, and ends with us. One that names a file is made, and looked at when it has ended.
    fn stopped(&mut self, tid: i32) -> io::Result<()> {
        let call = tracee::stopped_call(tid)?;
        match call {
            Some(call) if tried::is_followed(&call) => {
                if tried::about_to_read(tid, &call).is_some_and(|tried| !self.supervisor.may_read(&tried)) {
                    inject::skip(tid, libc::EACCES)?;
                    return tracee::resume(tid, 0);
                }
                self.followed.insert(tid, call);
                tracee::resume_to_syscall(tid)
            }
            // A command to a device that honest programs do not need: as if it had none.
            Some(call) if call.number as i64 == libc::SYS_ioctl => {
                inject::skip(tid, libc::ENOTTY)?;
                tracee::resume(tid, 0)
            }
            call => {
                self.refused += u64::from(offline::decide(tid, call.as_ref(), &self.conductors)?);
                Ok(())
            }
        }
    }

    /// Behind it.
    fn ended(&mut self, tid: i32) -> io::Result<()> {
        if let Some(call) = self.followed.remove(&tid)
            && let Some(tried) = tried::look(tid, &call)
        {
            self.supervisor.refused_by_kernel(&tried);
        }
        tracee::resume(tid, 0)
    }

    /// A program was exec'd. Whatever goes wrong, it does not run unconfined.
    fn exec_stop(&mut self, pid: i32) {
        match self.receive(pid) {
            Ok(()) => {}
            Err(error) => {
                let pid = nix::unistd::Pid::from_raw(pid);
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
                if died(&error) {
                    // Killed from outside while we held it: not our failure.
                    return;
                }
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.cargo), nix::sys::signal::SIGKILL);
                self.failure.get_or_insert(error);
            }
        }
    }

    fn receive(&mut self, pid: i32) -> Result<()> {
        // The execve has not returned yet: registers set here would be overwritten with its result. Step to its exit first.
        tracee::resume_to_syscall(pid)?;
        loop {
            match wait(pid, false)? {
                Some((_, Change::Syscall)) => break,
                Some((_, Change::Exited(_) | Change::Killed(_))) => return Err(io::Error::from_raw_os_error(libc::ESRCH).into()),
                _ => tracee::resume_to_syscall(pid)?,
            }
        }
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).context("read what was started")?;
        let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).with_context(|| format!("read the working directory of {exe:?}"))?;
        let parent = process::status(pid as u32).with_context(|| format!("find out who started {exe:?}"))?.parent as i32;
        let borrowed = match Borrowed::new(pid) {
            Ok(borrowed) => borrowed,
            Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
                let why = anyhow!("cannot confine {exe:?}: {}", confine::Failure::Foreign);
                let (argv, env) = (process::strings(pid as u32, "cmdline"), process::strings(pid as u32, "environ"));
                let env = env.iter().map(|pair| pair.split_at(pair.iter().position(|&b| b == b'=').unwrap_or(pair.len())));
                let tracee = Tracee {
                    pid,
                    in_place: pid == self.cargo,
                    parent,
                    called: exe.clone(),
                    exe,
                    argv: &argv.iter().map(|word| OsStr::from_bytes(word).to_owned()).collect::<Vec<_>>(),
                    env: env.map(|(name, value)| (text_of(name), text_of(value.get(1..).unwrap_or_default()))).collect(),
                    cwd,
                };
                return self.refused(&tracee, why);
            }
            Err(error) => return Err(anyhow!(error).context(format!("cannot confine {exe:?}"))),
        };
        let mut initial = InitialStack::read(pid, borrowed.stack_pointer()).with_context(|| format!("read the stack of {exe:?}"))?;
        let called = initial.called().with_context(|| format!("the kernel does not say how {exe:?} was called"))?;
        let tracee = Tracee {
            pid,
            in_place: pid == self.cargo,
            parent,
            called: cwd.join(called),
            cwd,
            argv: initial.argv(),
            env: initial.env().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            exe: exe.clone(),
        };
        match self.supervisor.admit(&tracee)? {
            Admission::Conductor(edits) => {
                initial.edit(pid, &edits).with_context(|| format!("edit the environment of {exe:?}"))?;
                self.conductors.insert(pid);
                borrowed.put_back()?;
                tracee::resume(pid, 0)?;
            }
            Admission::Actor(walls) => {
                let listener = confine(pid, borrowed, &mut initial, &walls, &self.channel)
                    .map_err(|error| anyhow!(error).context(format!("cannot confine {exe:?}")))?;
                self.supervisor.entered(listener)?;
            }
        }
        Ok(())
    }

    /// What cannot be confined is killed; the build ends with it, unless whoever is to blame is on record.
    fn refused(&mut self, tracee: &Tracee, why: anyhow::Error) -> Result<()> {
        if !self.supervisor.refuse(tracee, &why) {
            return Err(why);
        }
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(tracee.pid), nix::sys::signal::SIGKILL).context("kill what cannot be confined")
    }
}

fn text_of(bytes: &[u8]) -> OsString {
    OsStr::from_bytes(bytes).to_owned()
}

/// The process vanished (ESRCH) between its stop and our request: another event tells how.
fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        other => other,
    }
}

fn died(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.raw_os_error() == Some(libc::ESRCH))
}

/// Finds `name` on `path` (the value of `PATH`), as execvp would.
pub fn search(name: &OsStr, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|dir| dir.join(name)).find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file()
}
