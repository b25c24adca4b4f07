//! The actor's own sandboxes. Whoever has put itself behind a Landlock ruleset (landlock_restrict_self(2)) must be held by it in what we do on
//! its behalf, too: that is done by a thread of ours behind the same ruleset. In: who entered one, and which. Out: behind which a thread is.
//!
//! The kernel keeps this by thread and shows it to nobody, so we keep book: of each thread by its number and when it began. A thread or process
//! made after that by a process of which a part is restricted may have been made by that part: it counts as behind everything that was entered
//! there. Nobody gets rid of a sandbox by way of our not knowing.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::errno::fail;
use super::thread::make_ready;
use crate::sys::elsewhere::Elsewhere;
use crate::sys::landlock;
use crate::sys::process::{self, stat};

/// Threads of ours behind rulesets, of one actor.
const MOST: usize = 256;
/// Rulesets above each other that an actor may enter: the kernel's sixteen, less cargo's and the actor's own.
const DEEPEST: usize = 14;
/// How far up an ancestry is followed.
const MOST_ANCESTORS: usize = 64;

/// Behind one or several rulesets.
#[derive(Clone)]
pub struct Domain(Arc<Behind>);

struct Behind {
    there: Elsewhere,
    depth: usize,
}

impl Domain {
    /// Enters another ruleset behind those of `outer`. What is added to it later counts for nobody: neither for the kernel, nor here.
    fn enter(outer: Option<&Domain>, ruleset: OwnedFd) -> io::Result<Domain> {
        let depth = outer.map_or(0, |outer| outer.0.depth) + 1;
        if depth > DEEPEST {
            return fail(libc::E2BIG);
        }
        let prepare = move || {
            make_ready();
            nix::sys::prctl::set_no_new_privs()?;
            landlock::restrict_self(ruleset.as_fd())
        };
        let start = || Elsewhere::start("brig-sandbox", prepare);
        // A thread begins behind whatever the one that makes it is behind.
        let there = match outer {
            Some(outer) => outer.0.there.run(start),
            None => start(),
        }?;
        Ok(Domain(Arc::new(Behind { there, depth })))
    }

    /// Does something behind it. It must not wait for anybody: others of this actor may be waiting for it.
    pub fn run<T: Send>(&self, deed: impl FnOnce() -> T + Send) -> T {
        self.0.there.run(deed)
    }
}

/// Behind what somebody is.
#[derive(Clone)]
pub enum State {
    Free,
    Behind(Domain),
    /// One of several things, or what nobody holds any more.
    Unknown,
}

impl State {
    fn domain(&self) -> io::Result<Option<&Domain>> {
        match self {
            State::Free => Ok(None),
            State::Behind(domain) => Ok(Some(domain)),
            State::Unknown => fail(libc::EACCES),
        }
    }

    fn is(&self, other: &State) -> bool {
        match (self, other) {
            (State::Free, State::Free) => true,
            (State::Behind(one), State::Behind(other)) => Arc::ptr_eq(&one.0, &other.0),
            _ => false,
        }
    }
}

/// Who is behind what, of one actor.
#[derive(Default)]
pub struct Sandboxes {
    root: u32,
    /// When the first one was entered; whoever was there before is free unless it is known better.
    since: Option<u64>,
    threads: HashMap<u32, Entry>,
    /// What a thread of this process, or a child of it, is behind where it is not known by itself.
    processes: HashMap<u32, Entry>,
}

struct Entry {
    started: u64,
    state: State,
}

impl Entry {
    /// Is it about whoever has this number now?
    fn is_of(&self, number: u32) -> bool {
        stat(number).is_some_and(|stat| stat.started == self.started)
    }
}

/// The children of a process at this moment, by whichever of its threads they were made.
fn children(pid: u32) -> Vec<u32> {
    let of = |tid: &u32| std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/children")).unwrap_or_default();
    let numbers = |text: String| text.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<_>>();
    threads(pid).iter().map(of).flat_map(numbers).collect()
}

fn threads(pid: u32) -> Vec<u32> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

impl Sandboxes {
    /// `root` is the actor's first process.
    pub fn new(root: u32) -> Sandboxes {
        Sandboxes { root, ..Sandboxes::default() }
    }

    /// Has nobody entered any?
    pub fn are_none(&self) -> bool {
        self.processes.is_empty()
    }

    /// Thread `tid` of process `pid`, which waits in this very call, enters a ruleset: alone, or with `all` the threads of its process. `parent` tells
    /// who made a process.
    ///
    /// # Errors
    /// When we cannot follow it there: then it must not go. `E2BIG` as the kernel has it.
    pub fn enter(&mut self, tid: u32, pid: u32, ruleset: OwnedFd, all: bool, parent: impl Fn(u32) -> u32) -> io::Result<()> {
        if self.threads.len() >= MOST || self.processes.len() >= MOST {
            self.forget_the_gone();
        }
        if self.threads.len() >= MOST {
            return fail(libc::E2BIG);
        }
        let before = self.of(tid, pid, &parent);
        let doubt = self.processes.get(&pid).filter(|entry| entry.is_of(pid)).map_or_else(|| before.clone(), |entry| entry.state.clone());
        let copy = ruleset.try_clone()?;
        let entered = State::Behind(Domain::enter(before.domain()?, ruleset)?);
        let everything = match &doubt {
            doubt if doubt.is(&before) => entered.clone(),
            State::Unknown => State::Unknown,
            doubt => Domain::enter(doubt.domain()?, copy).map_or(State::Unknown, State::Behind),
        };
        // Who is there already is not concerned, and was made by nobody who is.
        let others: Vec<(u32, State)> = threads(pid).into_iter().map(|other| (other, self.of(other, pid, &parent))).collect();
        for child in children(pid) {
            self.know_process(child, doubt.clone());
        }
        for (other, state) in others {
            let concerned = all || other == tid;
            self.know(other, if concerned { entered.clone() } else { state });
        }
        self.processes.remove(&pid);
        // Nobody else is there who might be free.
        self.know_process(pid, if all { entered } else { everything });
        self.since.get_or_insert_with(process::now);
        Ok(())
    }

    /// What the gone were behind, those may be whom they have left: that much is kept, the thread of ours is not.
    fn forget_the_gone(&mut self) {
        self.threads.retain(|number, entry| entry.is_of(*number));
        for (number, entry) in &mut self.processes {
            if matches!(entry.state, State::Behind(_)) && !entry.is_of(*number) {
                entry.state = State::Unknown;
            }
        }
    }

    fn know(&mut self, tid: u32, state: State) {
        if let Some(stat) = stat(tid) {
            self.threads.insert(tid, Entry { started: stat.started, state });
        }
    }

    /// Unless more is known of it already.
    fn know_process(&mut self, pid: u32, state: State) {
        if self.processes.get(&pid).is_some_and(|entry| entry.is_of(pid)) {
            return;
        }
        if let Some(stat) = stat(pid) {
            self.processes.insert(pid, Entry { started: stat.started, state });
        }
    }

    /// Behind what a thread is.
    pub fn of(&mut self, tid: u32, pid: u32, parent: impl Fn(u32) -> u32) -> State {
        // Nearly always.
        if self.are_none() {
            return State::Free;
        }
        if let Some(entry) = self.threads.get(&tid).filter(|entry| entry.is_of(tid)) {
            return entry.state.clone();
        }
        let state = self.of_process(pid, parent);
        self.know_process(pid, state.clone());
        state
    }

    fn of_process(&self, mut pid: u32, parent: impl Fn(u32) -> u32) -> State {
        let began = stat(pid).map(|stat| stat.started);
        for _ in 0..MOST_ANCESTORS {
            if let Some(entry) = self.processes.get(&pid).filter(|entry| entry.is_of(pid) || stat(pid).is_none()) {
                return entry.state.clone();
            }
            if pid == self.root {
                return State::Free;
            }
            match parent(pid) {
                above if above > 1 => pid = above,
                _ => break,
            }
        }
        // Whoever made it is gone, and was never seen.
        match (began, self.since) {
            (Some(began), Some(since)) if began >= since => State::Unknown,
            _ => State::Free,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use ::landlock::{ABI, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};

    use super::*;

    /// Nothing may be read any more.
    fn ruleset() -> OwnedFd {
        let ruleset =
            Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::from_read(ABI::V1)).unwrap();
        Option::<OwnedFd>::from(ruleset.create().unwrap()).unwrap()
    }

    fn reads(state: &State) -> Option<bool> {
        let read = || std::fs::read("/etc/passwd").is_ok();
        state.domain().ok().map(|domain| domain.map_or_else(read, |domain| domain.run(read)))
    }

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    #[test]
    fn who_enters_is_held_and_whoever_it_makes_and_nobody_else() {
        let mut processes: Vec<Child> = (0..4).map(|_| sleeper()).collect();
        let [root, enters, child, bystander] = [0, 1, 2, 3].map(|n| processes[n].id());
        let parent = |pid: u32| if pid == child { enters } else { root };
        let mut book = Sandboxes::new(root);
        assert_eq!(reads(&book.of(enters, enters, parent)), Some(true));
        book.enter(enters, enters, ruleset(), false, parent).unwrap();
        assert_eq!([enters, child, bystander, root].map(|pid| reads(&book.of(pid, pid, parent)).unwrap()), [false, false, true, true]);
        assert!(std::fs::read("/etc/passwd").is_ok(), "we are not");

        // One whose parent is gone and unknown: not where it began after that.
        let mut late = sleeper();
        let orphan = |pid: u32| if pid == late.id() { 0 } else { root };
        assert_eq!(reads(&book.of(late.id(), late.id(), orphan)), None);
        // What the gone have left.
        processes[1].kill().unwrap();
        processes[1].wait().unwrap();
        let mut later = sleeper();
        let left = |pid: u32| if pid == later.id() { enters } else { root };
        assert_eq!(reads(&book.of(later.id(), later.id(), left)), Some(false));
        book.forget_the_gone();
        book.processes.remove(&later.id());
        assert_eq!(reads(&book.of(later.id(), later.id(), left)), None);
        processes.iter_mut().chain([&mut late, &mut later]).for_each(|child| drop(child.kill().and_then(|()| child.wait())));
    }

    #[test]
    fn sandboxes_lie_in_each_other_as_deep_as_the_kernels() {
        let mut one = sleeper();
        let pid = one.id();
        let mut book = Sandboxes::new(pid);
        for _ in 0..DEEPEST {
            book.enter(pid, pid, ruleset(), false, |_| 0).unwrap();
        }
        assert_eq!(book.enter(pid, pid, ruleset(), false, |_| 0).unwrap_err().raw_os_error(), Some(libc::E2BIG));
        one.kill().and_then(|()| one.wait()).unwrap();
    }
}
