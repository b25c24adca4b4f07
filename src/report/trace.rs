//! The process table of a run, asked three things: from which program to which an act came down, whose stack started a process, and
//! in which order processes are listed. Fork-only processes are not in the table, pids may repeat, parents may be missing: every walk
//! is bounded and says `…` where it has a gap.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{Act, Actor, ActorId, Blame, Event, Hostile, Process, is_interpreter};

use super::normalise::Places;

/// Longest chain of processes followed.
const DEEPEST: usize = 32;

pub struct Trace<'a> {
    /// Every program a pid of an actor became, in time order.
    by_pid: BTreeMap<(ActorId, u32), Vec<&'a Process>>,
}

impl<'a> Trace<'a> {
    pub fn new(processes: &'a [Process]) -> Self {
        let mut by_pid: BTreeMap<_, Vec<&Process>> = BTreeMap::new();
        for process in processes {
            by_pid.entry((process.actor, process.pid)).or_default().push(process);
        }
        for programs in by_pid.values_mut() {
            programs.sort_by_key(|process| process.started_ms);
        }
        Trace { by_pid }
    }

    /// Pids from the actor's root to `pid`, and whether the line is unbroken.
    fn line(&self, actor: &Actor, pid: u32) -> (Vec<u32>, bool) {
        let mut line = vec![pid];
        let mut at = pid;
        while at != actor.pid && line.len() < DEEPEST {
            let parent = self.by_pid.get(&(actor.id, at)).and_then(|programs| programs.first()).map_or(0, |process| process.parent);
            if parent == 0 || line.contains(&parent) {
                line.push(actor.pid);
                line.reverse();
                return (line, false);
            }
            line.push(parent);
            at = parent;
        }
        let whole = at == actor.pid;
        line.reverse();
        (line, whole)
    }

    /// Program names from the actor's root to the process that acted.
    pub fn chain(&self, actor: &Actor, event: &Event, places: &Places) -> Vec<Hostile> {
        if actor.is_cargo() {
            return vec![Hostile::from("cargo"), places.path(&Hostile::from(actor.exe.as_path()))];
        }
        let (line, whole) = self.line(actor, event.pid);
        let mut chain = Vec::new();
        for (depth, pid) in line.iter().enumerate() {
            match self.by_pid.get(&(actor.id, *pid)) {
                Some(programs) => {
                    let ran = programs.iter().filter(|process| !is_own_exec(process, event));
                    chain.extend(ran.map(|process| label(&process.exe, &process.argv, places)));
                }
                None if *pid == actor.pid => chain.push(label(&Hostile::from(actor.exe.as_path()), &actor.argv, places)),
                None => {}
            }
            if depth == 0 && !whole {
                chain.push(Hostile::from("…"));
            }
        }
        chain.dedup();
        chain
    }

    /// Is this process, or one it descends from within the actor, a program below `tree`?
    pub fn came_through(&self, actor: &Actor, pid: u32, tree: &Path) -> bool {
        let (line, _) = self.line(actor, pid);
        let mut programs = line.iter().filter_map(|pid| self.by_pid.get(&(actor.id, *pid))).flatten();
        programs.any(|process| process.exe.as_path().starts_with(tree))
    }

    /// The program that this process became last.
    pub fn runs(&self, actor: &Actor, pid: u32) -> Option<&Path> {
        self.by_pid.get(&(actor.id, pid))?.last().map(|process| process.exe.as_path())
    }

    /// The stack behind an event: its own, else that of the nearest ancestor whose start was blamed.
    pub fn blame(&self, actor: &Actor, pid: u32, own: Option<&Blame>) -> Option<Blame> {
        if let Some(own) = own.filter(|blame| !blame.crates.is_empty()) {
            return Some(own.clone());
        }
        let (line, _) = self.line(actor, pid);
        let inherited = line.iter().rev().find_map(|pid| {
            let programs = self.by_pid.get(&(actor.id, *pid))?;
            programs.iter().find_map(|process| process.blame.as_ref()).filter(|blame| !blame.crates.is_empty())
        });
        inherited.map(|blame| Blame { by: "inherited".into(), ..blame.clone() }).or_else(|| own.cloned())
    }
}

/// An exec event is written before the program is in the table; the program it became is not one it came through.
fn is_own_exec(process: &Process, event: &Event) -> bool {
    matches!(&event.act, Act::Exec { path, .. } if process.pid == event.pid && *path == process.exe)
}

/// A program's real name (never its own `argv[0]`), and what a shell or interpreter was told to run.
fn label(exe: &Hostile, argv: &[Hostile], places: &Places) -> Hostile {
    const LONGEST: usize = 160;
    let name = exe.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut words = super::redact::words(argv);
    let told = if is_interpreter(name) { words.find(|word| matches!(word.as_bytes(), b"-c" | b"-e" | b"-lc" | b"-ec")) } else { None };
    match told.and_then(|flag| Some((flag, words.next()?))) {
        Some((flag, text)) => {
            let text = places.text(&text);
            let text = text.as_bytes();
            let shown = if text.len() > LONGEST { [&text[..LONGEST], "…".as_bytes()].concat() } else { text.to_vec() };
            Hostile::new([name, b" ", flag.as_bytes(), b" \"", &shown, b"\""].concat())
        }
        _ => Hostile::new(name),
    }
}

/// Processes in the order of their tree, brothers by what they ran: the same in every run of the same build.
pub fn in_tree_order(processes: &mut Vec<Process>) {
    let mut children: BTreeMap<(ActorId, u32), Vec<Process>> = BTreeMap::new();
    let pids: std::collections::BTreeSet<_> = processes.iter().map(|process| (process.actor, process.pid)).collect();
    let mut ready = Vec::new();
    for process in processes.drain(..) {
        if process.parent != process.pid && pids.contains(&(process.actor, process.parent)) {
            children.entry((process.actor, process.parent)).or_default().push(process);
        } else {
            ready.push(process);
        }
    }
    fn key(process: &Process) -> (ActorId, &Hostile, &[Hostile], u64, u32) {
        (process.actor, &process.exe, &process.argv, process.started_ms, process.pid)
    }
    // The stack gives the smallest last, so it is filled in falling order.
    ready.sort_by(|a, b| key(b).cmp(&key(a)));
    while let Some(process) = ready.pop() {
        let mut below = children.remove(&(process.actor, process.pid)).unwrap_or_default();
        below.sort_by(|a, b| key(b).cmp(&key(a)));
        processes.push(process);
        ready.extend(below);
    }
    // Cycles (a repeated pid) are not reachable from any root; they are still listed.
    let mut rest: Vec<_> = children.into_values().flatten().collect();
    rest.sort_by(|a, b| key(a).cmp(&key(b)));
    processes.extend(rest);
}
