//! Namespaces of its own for a stage of a trial: users where it takes that, mounts, processes. In: the tree of files it is to be shown. Out: the calling
//! process goes on in there as the first of its kind, and all that it starts ends with it; or it goes on where it is, and why.
//!
//! What may be had is found out by doing all of it in a child first: a namespace once entered cannot be left (setns(2) asks for rights over it).

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::exit;

use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getegid, geteuid, getppid};

use super::interrupt::Interrupt;
use super::view::{Arranged, View};
use crate::launch::signals;
use crate::model::report::Weakness;
use crate::sys::wait::{Change, wait};
use crate::sys::{forward, identity, spawn};

/// What is told of a stage that has not all of it.
const SHARED_TREE: &str = "the suspect had no file tree of its own";
const BARE_SYSTEM: &str = "there were no decoys in the place of the system's secrets";
const REAL_NAME: &str = "the suspect could find out what this machine is called";
const NAMED_BY: &str = "/proc/sys/kernel/hostname and /etc/hostname say it";
const SHARED_PROCESSES: &str = "the suspect had no process namespace of its own";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spaces {
    /// A user namespace, in which we are who we are and may do what the others take.
    users: bool,
    processes: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Entered {
    /// Where what is ours lies now; nothing where the tree is the machine's.
    pub ours: Option<PathBuf>,
    /// Are decoys of the system's in its place?
    pub layers: bool,
    pub weaker: Vec<Weakness>,
}

/// Is it one of those that are told of here?
pub fn is_told(weakness: &Weakness) -> bool {
    [SHARED_TREE, BARE_SYSTEM, REAL_NAME, SHARED_PROCESSES].contains(&&*weakness.what)
}

/// This process ends when `parent`, which started it, does.
pub fn end_with(parent: i32) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // It may have ended before the line above.
    if getppid().as_raw() != parent { Err(io::Error::from_raw_os_error(libc::ESRCH)) } else { Ok(()) }
}

/// Goes on in namespaces of its own, as far as they can be had. The calling process stays behind, where one of processes is among them, and ends as what goes on
/// does. To be called while there is one thread.
///
/// # Errors
/// When what was had a moment ago cannot be had.
pub fn enter(view: &View) -> io::Result<Entered> {
    let users: &[bool] = if geteuid().is_root() { &[false, true] } else { &[true] };
    let ways = |processes| users.iter().map(move |users| Spaces { users: *users, processes });
    let mut reasons = Vec::new();
    for spaces in ways(true).chain(ways(false)) {
        match rehearse(view, spaces) {
            Ok(()) => {
                let Arranged { ours, unlaid } = spaces.go_in(view)?;
                let why = reasons.first().cloned().unwrap_or_default();
                let means = || format!("the machine's processes are in its /proc, where the gate alone keeps it from them: {why}");
                let processes = (!spaces.processes).then(|| weakness(SHARED_PROCESSES, means()));
                let layers = unlaid.is_none();
                let name =
                    view.hostname.iter().filter(|_| unlaid.is_some()).map(|_| weakness(REAL_NAME, "/etc/hostname says it".to_owned()));
                let name: Vec<Weakness> = name.collect();
                let system = unlaid.map(|error| weakness(BARE_SYSTEM, format!("what it was after there was refused: {error}")));
                return Ok(Entered { ours: Some(ours), layers, weaker: processes.into_iter().chain(system).chain(name).collect() });
            }
            Err(why) => reasons.push(why.to_string()),
        }
    }
    let name = view.hostname.is_some().then(|| weakness(REAL_NAME, NAMED_BY.to_owned()));
    let means = format!(
        "what it wrote to a path such as /tmp/x was refused, and homes and processes of the machine were kept from it by the walls alone: {}",
        reasons.last().cloned().unwrap_or_default()
    );
    Ok(Entered { weaker: [weakness(SHARED_TREE, means)].into_iter().chain(name).collect(), ..Entered::default() })
}

fn weakness(what: &str, means: String) -> Weakness {
    Weakness { what: what.to_owned(), means, covered: false }
}

/// All of it, in a child that ends then.
fn rehearse(view: &View, spaces: Spaces) -> io::Result<()> {
    let (mut reader, mut writer) = io::pipe()?;
    let child = spawn::fork()?;
    if child == 0 {
        drop(reader);
        let told = match spaces.go_in(view) {
            Ok(_) => "done".to_owned(),
            Err(error) => error.to_string(),
        };
        let written = writer.write_all(told.as_bytes());
        exit(i32::from(written.is_err()));
    }
    drop(writer);
    let mut told = String::new();
    reader.by_ref().take(4096).read_to_string(&mut told)?;
    while !matches!(wait(child, false)?, Some((_, Change::Exited(_) | Change::Killed(_)))) {}
    if told == "done" { Ok(()) } else { Err(io::Error::other(told)) }
}

impl Spaces {
    /// Returns in the process that goes on in there.
    fn go_in(self, view: &View) -> io::Result<Arranged> {
        let here = std::env::current_dir()?;
        let (user, group) = (geteuid(), getegid());
        let mut flags = CloneFlags::CLONE_NEWNS;
        flags.set(CloneFlags::CLONE_NEWUSER, self.users);
        flags.set(CloneFlags::CLONE_NEWPID, self.processes);
        flags.set(CloneFlags::CLONE_NEWUTS, view.hostname.is_some());
        unshare(flags)?;
        if self.users {
            // As whom we are, so that programs see who they are. Groups cannot be taken away by which somebody is kept out (user_namespaces(7)).
            std::fs::write("/proc/self/setgroups", "deny")?;
            std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
            std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
        }
        if let Some(name) = &view.hostname {
            nix::unistd::sethostname(name)?;
        }
        if self.processes {
            become_first()?;
        }
        let arranged = view.arrange()?;
        if self.processes {
            mount_proc()?;
        }
        // The directory we were in is below what lies on top of it now.
        std::env::set_current_dir(here)?;
        if self.users {
            identity::give_up()?;
        }
        Ok(arranged)
    }
}

/// Returns in a child, which is the first process of its namespace: when it ends the kernel ends all others (pid_namespaces(7)). Whoever stays outside passes
/// signals on, and ends as that one does.
fn become_first() -> io::Result<()> {
    let (reader, writer) = io::pipe()?;
    let child = spawn::fork()?;
    if child != 0 {
        drop(reader);
        exit(stay(child));
    }
    drop(writer);
    set_pdeathsig(Signal::SIGKILL)?;
    // Outside of a namespace nobody has a number: whether the parent is there still is told by the pipe.
    let mut ends = [PollFd::new(reader.as_fd(), PollFlags::POLLIN)];
    if poll(&mut ends, PollTimeout::ZERO)? > 0 {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

fn stay(child: i32) -> i32 {
    if forward::install(child, &signals::PASSED_ON).is_err() {
        return 128 + libc::SIGTERM;
    }
    Interrupt::let_through();
    loop {
        match wait(child, false) {
            Ok(Some((_, Change::Exited(code)))) => return code,
            Ok(Some((_, Change::Killed(signal)))) => return 128 + signal,
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return 128 + libc::SIGKILL,
            _ => {}
        }
    }
}

/// One that shows the namespace we are in. Where parts of the old one are hidden, as in containers, a user namespace gets none (mount_namespaces(7)).
fn mount_proc() -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let proc = Some("proc");
    mount(proc, "/proc", proc, flags, None::<&str>).map_err(|error| io::Error::other(format!("/proc: {error}")))
}
