//! What is still alive when cargo has ended: daemons, detached children. They are our children now (we are their subreaper), and they die.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal;
use nix::unistd::Pid;

use crate::sys::process::stat;
use crate::sys::wait::wait;

/// A process that outlived the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    pub member: Member,
    pub exe: PathBuf,
    /// It is still of the session that we, and cargo, are of: nobody made a daemon of it (daemon(7)).
    pub stayed: bool,
}

/// How long a process may take to end by itself once cargo has: exiting is not surviving.
const GRACE: Duration = Duration::from_millis(150);
/// How long is killed what forks faster than we kill.
const PATIENCE: Duration = Duration::from_secs(20);
/// Survivors told of one by one.
const MOST: usize = 1000;

/// Waits the grace out. Is there anybody left then, besides `ours`?
pub fn remain(ours: &[i32]) -> bool {
    let deadline = Instant::now() + GRACE;
    loop {
        let left: Vec<i32> = children().into_iter().filter(|pid| !ours.contains(pid)).collect();
        if left.is_empty() {
            return false;
        }
        // Ended children are collected, so that they do not count. Our own helpers have owners who wait for them.
        let alive = left.into_iter().filter(|pid| matches!(wait(*pid, true), Ok(None))).count();
        if Instant::now() >= deadline && alive > 0 {
            return true;
        }
        if alive > 0 {
            std::thread::sleep(Duration::from_millis(3));
        }
    }
}

/// What [`end`] found.
#[derive(Debug, Default)]
pub struct Ended {
    pub survivors: Vec<Survivor>,
    /// Killed, or gone by themselves, before anybody could see what they ran.
    pub unnamed: usize,
    /// Nothing is left. Otherwise it forked faster than we could kill for all of `PATIENCE`.
    pub all: bool,
}

/// Kills every descendant except `ours` until none is left.
///
/// A process that forks and exits all the time is nowhere by the time a list of all processes has been read. But it cannot hide from its
/// parent: whatever is orphaned below us becomes our own child, and stays one, dead or alive, until we wait for it. So the list of our own
/// children is what counts, and an empty one is the end.
pub fn end(ours: &[i32]) -> Ended {
    let mut ended = Ended::default();
    let mut seen: HashSet<i32> = HashSet::new();
    // A look before the first kill, for their names; those below a child come to us when it is gone. Only children of ours are killed:
    // nobody else's number is sure to be still theirs.
    for member in family(ours, None) {
        ended.name(member);
        seen.insert(member.pid);
    }
    let deadline = Instant::now() + PATIENCE;
    let me = std::process::id() as i32;
    loop {
        let mut left = children().into_iter().filter(|pid| !ours.contains(pid)).peekable();
        if left.peek().is_none() {
            ended.all = true;
            return ended;
        }
        let mut quiet = true;
        for pid in left {
            // First of all: it may be gone in a moment.
            let _ = signal::kill(Pid::from_raw(pid), signal::SIGKILL);
            if seen.insert(pid) {
                ended.name(Member { pid, parent: me, orphan: true });
                quiet = false;
            }
            if wait(pid, true).is_ok_and(|change| change.is_some()) {
                // Its number may come again.
                seen.remove(&pid);
                quiet = false;
            }
        }
        if Instant::now() >= deadline {
            return ended;
        }
        if quiet {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Ended {
    fn name(&mut self, member: Member) {
        let session = |pid: u32| stat(pid).map(|stat| stat.session);
        match std::fs::read_link(format!("/proc/{}/exe", member.pid)) {
            Ok(exe) if self.survivors.len() < MOST => {
                let stayed = session(member.pid as u32).is_some_and(|its| Some(its) == session(std::process::id()));
                self.survivors.push(Survivor { member, exe, stayed });
            }
            _ => self.unnamed += 1,
        }
    }
}

/// A living descendant of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub pid: i32,
    pub parent: i32,
    /// It, or an ancestor of it, became our child when its own parent ended.
    pub orphan: bool,
}

/// Everything that lives below us but our own helpers; parents before their children. `cargo` is our child by birth, all others were
/// adopted.
pub fn family(ours: &[i32], cargo: Option<i32>) -> Vec<Member> {
    let me = std::process::id() as i32;
    let mut found: Vec<Member> = Vec::new();
    let mut open = vec![(me, false)];
    let parents = parents();
    while let Some((parent, orphan)) = open.pop() {
        for &(pid, _) in parents.iter().filter(|(pid, of)| *of == parent && !ours.contains(pid)) {
            let orphan = orphan || parent == me && cargo != Some(pid);
            found.push(Member { pid, parent, orphan });
            open.push((pid, orphan));
        }
    }
    found
}

/// Our own children, the dead among them. Orphans become children of the main thread, which is ours.
fn children() -> Vec<i32> {
    let me = std::process::id() as i32;
    // CONFIG_PROC_CHILDREN; where it is missing, the long way.
    match std::fs::read_to_string(format!("/proc/self/task/{me}/children")) {
        Ok(list) => list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect(),
        Err(_) => parents_of(true).into_iter().filter(|&(_, parent)| parent == me).map(|(pid, _)| pid).collect(),
    }
}

fn parents() -> Vec<(i32, i32)> {
    parents_of(false)
}

/// Every (pid, parent) of the system; the dead that nobody has waited for only `with_dead`.
fn parents_of(with_dead: bool) -> Vec<(i32, i32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name stands in parentheses and may hold anything: fields count from the last one (proc_pid_stat(5)).
            let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
            let state = fields.next()?;
            let parent = fields.next()?.parse().ok()?;
            (with_dead || !matches!(state, "Z" | "X")).then_some((pid, parent))
        })
        .collect()
}
