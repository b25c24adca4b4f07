//! A clock beside cargo. In: how long the build may take, the gate, cargo's process. Out: when the time is over, an entry in the journal
//! for everything that still ran, and cargo's end; and, while cargo waits for a pipe that nobody of the living but a stray process holds, a
//! word to the user.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use super::owners::Owners;
use super::streams::meanwhile;
use crate::gate::{Alive, Gate};
use crate::judge::Journal;
use crate::judge::rules::proc_timeout;
use crate::launch::survivors::{self, Member};
use crate::model::{Act, ActorId, Event, Hostile, Status, duration};
use crate::report::terminal;
use crate::sys::pidfd;
use crate::sys::process::stat;

/// How often is looked whether something holds cargo up, and how long it must have done so before it is told.
const LOOK: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(6);
/// Between asking cargo to end and ending it: `cargo run` has become the program, which may put its things away.
const GRACE: Duration = Duration::from_secs(2);
/// Processes told of per actor.
const LISTED: usize = 20;

#[derive(Default)]
pub struct Watch {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    cargo: Option<Cargo>,
    ended: bool,
    timed_out: bool,
}

struct Cargo {
    /// None where the ground has no such handles.
    handle: Option<OwnedFd>,
    pid: u32,
    /// When the process began, by the kernel's clock: whoever has its number later began later.
    started: Option<u64>,
    since: Instant,
}

impl Cargo {
    /// Whether it is still there is the kernel's business: `ESRCH` says that it has ended in this very moment.
    fn signal(&self, signal: i32) {
        match &self.handle {
            Some(handle) => drop(pidfd::signal(handle.as_fd(), signal)),
            None if self.started.is_some() && stat(self.pid).map(|stat| stat.started) == self.started => {
                let _ = kill(Pid::from_raw(self.pid as i32), Signal::try_from(signal).ok());
            }
            None => {}
        }
    }
}

/// Ends the watch when dropped, so that a panic beside it does not wait for ever.
pub struct Ending<'w>(&'w Watch);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.bell.notify_all();
    }
}

impl Watch {
    /// Cargo runs from now on.
    pub fn starts(&self, handle: Option<OwnedFd>, pid: u32) {
        let started = stat(pid).map(|stat| stat.started);
        self.state().cargo = Some(Cargo { handle, pid, started, since: Instant::now() });
        self.bell.notify_all();
    }

    pub fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    /// Was the build ended because its time was over?
    pub fn timed_out(&self) -> bool {
        self.state().timed_out
    }

    /// Watches until the build has ended; for a thread of its own.
    pub fn watch(&self, gate: &Gate, journal: &Journal, limit: Option<Duration>, style: terminal::Style) {
        // Signals for the run are the main thread's business.
        let _ = SigSet::all().thread_block();
        let mut strays = Strays::default();
        let mut state = self.state();
        loop {
            if state.ended {
                return;
            }
            let now = Instant::now();
            let deadline = state.cargo.as_ref().and_then(|cargo| Some(cargo.since + limit?));
            if deadline.is_some_and(|deadline| now >= deadline) {
                break;
            }
            let wait = deadline.map_or(LOOK, |deadline| LOOK.min(deadline - now));
            state = self.wait(state, wait);
            let cargo = state.cargo.as_ref().map(|cargo| cargo.pid).filter(|_| !state.ended);
            if let Some(cargo) = cargo {
                drop(state);
                strays.look(cargo, gate, style);
                state = self.state();
            }
        }
        state.timed_out = true;
        let Some(cargo) = state.cargo.as_ref().map(|cargo| cargo.pid) else { return };
        drop(state);
        linger(gate, journal, cargo, limit.unwrap_or_default());
        state = self.state();
        for (signal, patience) in [(libc::SIGTERM, GRACE), (libc::SIGKILL, Duration::MAX)] {
            if let Some(cargo) = state.cargo.as_ref().filter(|_| !state.ended) {
                cargo.signal(signal);
            }
            let until = Instant::now().checked_add(patience);
            while !state.ended && until.is_none_or(|until| Instant::now() < until) {
                let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
                state = self.wait(state, left);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, time: Duration) -> MutexGuard<'s, State> {
        self.bell.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Enters everything that runs into the journal: who hung the build is among them.
fn linger(gate: &Gate, journal: &Journal, cargo: u32, limit: Duration) {
    let alive = gate.alive();
    let family = survivors::family(&gate.helpers(), Some(cargo as i32));
    let owners = Owners::new(&alive, &family);
    for one in &alive {
        let members: Vec<&Member> = family.iter().filter(|member| owners.of(member) == Some(one.actor.id)).collect();
        let root = members.iter().any(|member| member.pid as u32 == one.actor.pid);
        let held = pipes_read_by(cargo).is_ok_and(|pipes| members.iter().any(|member| holds(member.pid, &pipes)));
        let mut why = format!("{} were over; it had run for {}", duration::text(limit), duration::text(whole(one.since.elapsed())));
        if !root {
            why.push_str(", and what cargo started had ended before");
            if held {
                why.push_str("; what is left of it holds the pipe cargo reads to its end");
            }
        }
        for member in members.into_iter().take(LISTED) {
            let event = Event {
                actor: one.actor.id,
                pid: member.pid as u32,
                act: Act::Linger { exe: Hostile::from(exe(member.pid)) },
                status: Status::Allowed,
                breach: Some(proc_timeout::breach(why.clone())),
                blame: None,
                at_ms: 0,
            };
            journal.event(event);
        }
    }
}

fn whole(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

/// Actors whose first process is gone while others hold the pipe cargo reads: since when, and whether it was told.
#[derive(Default)]
struct Strays(BTreeMap<ActorId, (Instant, bool)>);

impl Strays {
    fn look(&mut self, cargo: u32, gate: &Gate, style: terminal::Style) {
        let orphaned: Vec<Alive> = gate.alive().into_iter().filter(|one| is_gone(one.actor.pid)).collect();
        let known: BTreeSet<ActorId> = orphaned.iter().map(|one| one.actor.id).collect();
        self.0.retain(|id, _| known.contains(id));
        for one in &orphaned {
            self.0.entry(one.actor.id).or_insert((Instant::now(), false));
        }
        let is_due = |(since, told): &(Instant, bool)| !told && since.elapsed() >= PATIENCE;
        if !self.0.values().any(is_due) {
            return;
        }
        let family = survivors::family(&gate.helpers(), Some(cargo as i32));
        let owners = Owners::new(&orphaned, &family);
        let Ok(pipes) = pipes_read_by(cargo) else { return };
        for one in &orphaned {
            let Some((since, told)) = self.0.get_mut(&one.actor.id).filter(|entry| is_due(entry)) else { continue };
            let holder = family.iter().find(|member| owners.of(member) == Some(one.actor.id) && holds(member.pid, &pipes));
            if let Some(holder) = holder {
                *told = true;
                let (package, exe) = (one.actor.package.as_ref(), Hostile::from(exe(holder.pid)));
                meanwhile(|w| terminal::held(w, one.actor.kind, package, &exe, since.elapsed(), style));
            }
        }
    }
}

/// Has this process ended? (A number that was given away again reads as "no": then nothing is told.)
fn is_gone(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

fn exe(pid: i32) -> PathBuf {
    std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default()
}

/// Pipes that cargo only reads from: a child's output. Of a jobserver it holds both ends.
fn pipes_read_by(cargo: u32) -> io::Result<BTreeSet<PathBuf>> {
    let (mut read, mut written) = (BTreeSet::new(), BTreeSet::new());
    for (pipe, mode) in pipes(cargo as i32)? {
        if mode & 0o200 == 0 {
            read.insert(pipe)
        } else {
            written.insert(pipe)
        };
    }
    Ok(&read - &written)
}

/// Could it still write into one of them?
fn holds(pid: i32, wanted: &BTreeSet<PathBuf>) -> bool {
    pipes(pid).is_ok_and(|pipes| pipes.iter().any(|(pipe, mode)| mode & 0o200 != 0 && wanted.contains(pipe)))
}

/// The pipes a process has open, and for what: the mode of the link says so (proc_pid_fd(5)).
fn pipes(pid: i32) -> io::Result<Vec<(PathBuf, u32)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        let (Ok(target), Ok(meta)) = (std::fs::read_link(entry.path()), entry.path().symlink_metadata()) else { continue };
        if target.as_os_str().as_encoded_bytes().starts_with(b"pipe:") {
            found.push((target, meta.permissions().mode()));
        }
    }
    Ok(found)
}
