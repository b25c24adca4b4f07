//! What is still alive when cargo has ended: daemons, detached children. They are our children now (we are their subreaper), and they die.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal;
use nix::unistd::Pid;

use crate::sys::wait::wait;

/// A process that outlived the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    pub member: Member,
    pub exe: PathBuf,
}

/// How long a process may take to end by itself once cargo has: exiting is not surviving.
const GRACE: Duration = Duration::from_millis(150);
/// A process that forks faster than we kill is given this many rounds.
const ROUNDS: usize = 200;

/// Waits the grace out. Is there anybody left then, besides `ours`?
pub fn remain(ours: &[i32]) -> bool {
    let deadline = Instant::now() + GRACE;
    while reap(ours) && !family(ours, None).is_empty() {
        if Instant::now() >= deadline {
            return true;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    false
}

/// Kills every descendant except `ours`, round by round until none is left. Returns those found alive.
pub fn end(ours: &[i32]) -> Vec<Survivor> {
    let mut found: Vec<Survivor> = Vec::new();
    for _ in 0..ROUNDS {
        let alive = family(ours, None);
        if alive.is_empty() {
            break;
        }
        for member in alive {
            let pid = member.pid;
            if found.iter().all(|survivor| survivor.member.pid != pid) && found.len() < 1000 {
                found.push(Survivor { member, exe: std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default() });
            }
            let _ = signal::kill(Pid::from_raw(pid), signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(1));
        reap(ours);
    }
    found
}

/// Collects ended children, so that they do not count as alive. Our own helpers have owners who wait for them. False when we have no
/// child left at all, which is the ordinary case and costs one call.
fn reap(ours: &[i32]) -> bool {
    if ours.is_empty() {
        loop {
            match wait(-1, true) {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
    for pid in children(std::process::id() as i32) {
        if !ours.contains(&pid) {
            let _ = wait(pid, true);
        }
    }
    true
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

fn children(of: i32) -> Vec<i32> {
    parents_of(true).into_iter().filter(|&(_, parent)| parent == of).map(|(pid, _)| pid).collect()
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
