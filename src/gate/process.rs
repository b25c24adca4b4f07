//! The processes of one actor: which threads belong to which, who started whom, what each is supposed to run, and the blame a spawned
//! tree inherits. In: thread ids of notified calls. Out: process ids, inherited blame, facts for the record.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::model::{Blame, Hostile, Process};
use crate::sys::process::{self, status};

/// Thread ids are reused in the end, but not within this time: there are at least 32768 of them.
const TRUST_A_TID: Duration = Duration::from_millis(20);
/// How far up an ancestry is followed; a cycle can only come from reused ids.
const DEEPEST: usize = 64;

/// Bytes of arguments kept for execs that have not shown themselves yet, of one actor.
const TEXT: usize = 4 << 20;
/// How many such execs there are at least before those whose process is gone are looked for.
const CROWD: usize = 64;

/// A file as the kernel knows it.
pub type FileId = (u64, u64);

/// An exec that was let through: whether it took place shows at the process's next call.
pub struct Expected {
    /// Thread that asked. Once the old program is seen on this very thread again, the exec has failed.
    pub tid: u32,
    pub before: Option<FileId>,
    /// The file the kernel will load: the program, or the interpreter of a script.
    pub file: FileId,
    /// As judged, not redacted. `None` where there was no room to keep them: then they are judged again.
    pub argv: Option<Vec<Hostile>>,
    /// Are they those of a script, behind its interpreter's own?
    pub script: bool,
    pub process: Process,
}

#[derive(Default)]
struct Seen {
    parent: u32,
    /// When a call of its last showed that this number is one of the actor's.
    at: u64,
    /// Has this process executed a program (or is it the actor's first process)? Otherwise it is a fork, with its parent's stack.
    program: bool,
    /// Does its program work where it was started?
    stays: bool,
    blame: Option<Blame>,
    expected: Option<Box<Expected>>,
    /// Where it asked not to be dumped: how long its core dumps might be before, in bytes.
    core_before: Option<u64>,
    /// Where one of the actor's own traces it: who wanted that.
    traced: Option<Blame>,
}

/// What is believed of a thread for a while.
struct Thread {
    pid: u32,
    since: Instant,
    /// Was it seen to act in another name than ours? It is looked at again in every call, then.
    changed: bool,
    /// Its current directory, where that is not going to change.
    directory: Option<Vec<u8>>,
}

/// The table of one actor.
#[derive(Default)]
pub struct Processes {
    threads: HashMap<u32, Thread>,
    seen: HashMap<u32, Seen>,
    /// How many wait for their exec to show: lets every other call skip the look.
    expecting: usize,
    /// Bytes of their arguments.
    text: usize,
    /// How many there must be until the next look for those that are gone: twice as many as the last one left, so that looking costs a
    /// few steps per exec.
    crowd: usize,
    /// What those were to run whose numbers others have now.
    unseen: Vec<Process>,
}

impl Processes {
    /// `root` is the actor's first process.
    pub fn new(root: u32) -> Processes {
        let mut table = Processes::default();
        table.seen.insert(root, Seen { program: true, at: process::now(), ..Seen::default() });
        table
    }

    /// The process of a thread. A thread that is gone counts as its own process.
    pub fn of(&mut self, tid: u32) -> u32 {
        let now = Instant::now();
        if let Some(thread) = self.threads.get(&tid)
            && now.duration_since(thread.since) < TRUST_A_TID
        {
            return thread.pid;
        }
        let Some(status) = status(tid) else { return tid };
        if self.threads.len() > 4096 {
            self.threads.retain(|_, thread| now.duration_since(thread.since) < TRUST_A_TID);
        }
        if self.is_another(status.pid) {
            self.forget(status.pid);
        }
        let changed = self.has_changed(tid);
        self.threads.insert(tid, Thread { pid: status.pid, since: now, changed, directory: None });
        // A fork is dumped or not as its parent when it was made, which is not long ago (`MMF_INIT_MASK`).
        let core_before = self.core_before(status.parent);
        let seen = self.seen.entry(status.pid).or_insert_with(|| Seen { parent: status.parent, core_before, ..Seen::default() });
        seen.at = process::now();
        status.pid
    }

    /// Has this number been given to a process that was not there when we last saw it?
    fn is_another(&self, pid: u32) -> bool {
        self.seen_at(pid).is_some_and(|at| process::stat(pid).is_some_and(|stat| stat.started > at))
    }

    /// Nothing that was known of a number holds for its next owner: neither its program nor whom it is blamed on.
    fn forget(&mut self, pid: u32) {
        let expected = self.expected(pid);
        self.seen.remove(&pid);
        self.unseen.extend(expected.map(|expected| expected.process));
    }

    /// Remembers that a thread acts in another name than ours.
    pub fn changed(&mut self, tid: u32) {
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.changed = true;
        }
    }

    /// Was this thread seen to act in another name than ours?
    pub fn has_changed(&self, tid: u32) -> bool {
        self.threads.get(&tid).is_some_and(|thread| thread.changed)
    }

    /// The current directory of a thread, if it was told.
    pub fn directory(&self, tid: u32) -> Option<&[u8]> {
        self.threads.get(&tid)?.directory.as_deref()
    }

    /// Remembers where a thread works, if its program stays there. For as long as its number is believed, so that a surprise does not last.
    pub fn works_in(&mut self, tid: u32, directory: &[u8]) {
        if let Some(thread) = self.threads.get_mut(&tid)
            && self.seen.get(&thread.pid).is_some_and(|seen| seen.stays)
        {
            thread.directory = Some(directory.to_vec());
        }
    }

    /// All processes seen, in order.
    pub fn pids(&self) -> Vec<u32> {
        let mut pids: Vec<u32> = self.seen.keys().copied().collect();
        pids.sort_unstable();
        pids
    }

    /// When this number was one of the actor's processes: a process that began later has inherited nothing but the number.
    pub fn seen_at(&self, pid: u32) -> Option<u64> {
        self.seen.get(&pid).map(|seen| seen.at)
    }

    /// As it was when the process was first seen; 0 where it never was.
    pub fn parent(&self, pid: u32) -> u32 {
        self.seen.get(&pid).map_or(0, |seen| seen.parent)
    }

    /// Is this still the image its parent forked, so that its stack says who forked?
    pub fn is_fork(&self, pid: u32) -> bool {
        self.seen.get(&pid).is_none_or(|seen| !seen.program)
    }

    /// The process itself, or the one whose program it runs as a fork.
    pub fn program(&self, mut pid: u32) -> u32 {
        let asked = pid;
        for _ in 0..DEEPEST {
            match self.seen.get(&pid) {
                Some(seen) if seen.program => return pid,
                Some(seen) => pid = seen.parent,
                None => break,
            }
        }
        asked
    }

    /// The blame of the nearest ancestor (or of the process itself) that has one.
    pub fn inherited(&self, mut pid: u32) -> Option<Blame> {
        for _ in 0..DEEPEST {
            let seen = self.seen.get(&pid)?;
            if let Some(blame) = &seen.blame {
                return Some(Blame { by: "inherited".into(), ..blame.clone() });
            }
            pid = seen.parent;
        }
        None
    }

    /// Blames a process, and thereby the tree below it.
    pub fn blame(&mut self, pid: u32, blame: Blame) {
        self.seen.entry(pid).or_default().blame = Some(blame);
    }

    /// An exec is let through. What is known by now of others, whose processes ended without another call, is for the record.
    pub fn expect(&mut self, mut expected: Expected) -> Vec<Process> {
        let pid = expected.process.pid;
        // A second one on another thread takes the first one's place.
        drop(self.expected(pid));
        if self.expecting >= self.crowd.max(CROWD) || self.text + text_of(&expected) > TEXT {
            self.look_for_the_gone();
        }
        if self.text + text_of(&expected) > TEXT {
            expected.argv = None;
            expected.process.argv = vec![Hostile::from("…")];
        }
        self.seen.entry(pid).or_default().parent = expected.process.parent;
        self.still_expect(Box::new(expected));
        std::mem::take(&mut self.unseen)
    }

    fn look_for_the_gone(&mut self) {
        let waiting: Vec<u32> = self.seen.iter().filter(|(_, seen)| seen.expected.is_some()).map(|(pid, _)| *pid).collect();
        for pid in waiting {
            let gone = process::stat(pid).is_none_or(|stat| stat.ended) || self.is_another(pid);
            if gone && let Some(expected) = self.expected(pid) {
                self.unseen.push(expected.process);
            }
        }
        self.crowd = 2 * self.expecting;
    }

    /// Takes what `pid` was expected to run, for a look; `None` in nearly all calls, at the cost of one comparison.
    pub fn expected(&mut self, pid: u32) -> Option<Box<Expected>> {
        if self.expecting == 0 {
            return None;
        }
        let expected = self.seen.get_mut(&pid)?.expected.take()?;
        self.expecting -= 1;
        self.text -= text_of(&expected);
        Some(expected)
    }

    /// Puts it back: the exec may still be under way on another thread.
    pub fn still_expect(&mut self, expected: Box<Expected>) {
        let pid = expected.process.pid;
        self.expecting += 1;
        self.text += text_of(&expected);
        self.seen.entry(pid).or_default().expected = Some(expected);
    }

    /// `pid` runs a program of its own now. `stays`: one that works where it was started.
    pub fn runs(&mut self, pid: u32, stays: bool) {
        let seen = self.seen.entry(pid).or_default();
        seen.program = true;
        seen.stays = stays;
        seen.core_before = None;
        // An exec leaves one thread, which has the number of the process (execve(2)).
        if let Some(thread) = self.threads.get_mut(&pid) {
            thread.directory = None;
        }
    }

    /// How long core dumps might be before this process asked not to be dumped; `None` where it has not asked.
    pub fn core_before(&self, pid: u32) -> Option<u64> {
        self.seen.get(&pid)?.core_before
    }

    /// Remembers that it is not to be dumped, or (`None`) that it may be; what was remembered before.
    pub fn dumps(&mut self, pid: u32, core_before: Option<u64>) -> Option<u64> {
        std::mem::replace(&mut self.seen.entry(pid).or_default().core_before, core_before)
    }

    /// Remembers who wanted that it is traced: its own stack nobody else sees from then on.
    pub fn is_traced(&mut self, pid: u32, by: Blame) {
        self.seen.entry(pid).or_default().traced = Some(Blame { by: Blame::TRACED.into(), ..by });
    }

    /// Who wanted that.
    pub fn traced(&self, pid: u32) -> Option<Blame> {
        self.seen.get(&pid)?.traced.clone()
    }

    /// Everything still expected, at the end: those processes made no call after their exec.
    pub fn unconfirmed(&mut self) -> Vec<Process> {
        (self.expecting, self.text) = (0, 0);
        let expected = self.seen.values_mut().filter_map(|seen| seen.expected.take()).map(|expected| expected.process);
        std::mem::take(&mut self.unseen).into_iter().chain(expected).collect()
    }
}

fn text_of(expected: &Expected) -> usize {
    let lists = [expected.argv.as_deref().unwrap_or_default(), &expected.process.argv];
    lists.iter().flat_map(|list| list.iter()).map(|word| word.as_bytes().len() + size_of::<Hostile>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActorId, Candidate};

    #[test]
    fn a_directory_is_remembered_of_programs_that_stay_and_until_the_next_one() {
        let me = std::process::id();
        let mut table = Processes::new(me);
        assert_eq!(table.of(me), me);
        table.works_in(me, b"/where");
        assert_eq!(table.directory(me), None);
        table.runs(me, true);
        table.works_in(me, b"/where");
        assert_eq!(table.directory(me), Some(&b"/where"[..]));
        table.runs(me, true);
        assert_eq!(table.directory(me), None);
        table.works_in(me + 1, b"/where");
        assert_eq!(table.directory(me + 1), None);
    }

    /// Else its next owner could run what it has run, and be taken for it.
    #[test]
    fn nothing_is_known_of_whoever_has_a_number_next() {
        let me = std::process::id();
        let mut table = Processes::new(me);
        table.of(me);
        assert!(!table.is_fork(me), "the same process as before");
        table.blame(me, Blame { crates: Vec::new(), by: "stack".into(), caveat: None });
        let process = Process {
            actor: ActorId(1),
            pid: me,
            parent: 1,
            exe: "/x".into(),
            argv: Vec::new(),
            started_ms: 0,
            blame: None,
            steered: false,
        };
        table.expect(Expected { tid: me, before: None, file: (1, 1), argv: Some(Vec::new()), script: false, process });
        // Seen for the last time before it began.
        let seen = table.seen.get_mut(&me).unwrap();
        (seen.at, seen.program) = (0, true);
        table.threads.clear();
        assert_eq!(table.of(me), me);
        assert!(table.is_fork(me) && table.inherited(me).is_none() && table.expected(me).is_none());
        assert_eq!(table.unconfirmed().len(), 1, "it is on record all the same");
    }

    /// Programs that end without another call, and programs that live without one: neither fills our memory.
    #[test]
    fn what_execs_leave_behind_is_bounded() {
        let expected = |pid: u32| {
            let word = |n: usize| Hostile::from(format!("{pid}-{n}-{}", "x".repeat(120)).as_str());
            let argv: Vec<Hostile> = (0..255).map(word).collect();
            let process = Process {
                actor: ActorId(1),
                pid,
                parent: 1,
                exe: "/x".into(),
                argv: argv.clone(),
                started_ms: 0,
                blame: None,
                steered: false,
            };
            Expected { tid: pid, before: None, file: (1, 1), argv: Some(argv), script: false, process }
        };
        let mut table = Processes::new(1);
        // No numbers of living processes are as high (PID_MAX_LIMIT).
        let recorded: usize = (0..1000).map(|n| table.expect(expected((1 << 23) + n)).len()).sum();
        assert!(table.expecting <= CROWD && table.text <= TEXT, "{} with {} bytes", table.expecting, table.text);
        assert_eq!(recorded + table.unconfirmed().len(), 1000, "each is on record");

        let mut children: Vec<_> = (0..80).map(|_| std::process::Command::new("sleep").arg("60").spawn().unwrap()).collect();
        let mut table = Processes::new(1);
        let steps: usize = children
            .iter()
            .map(|child| {
                let pid = child.id();
                table.of(pid);
                table.expect(expected(pid)).len()
            })
            .sum();
        let (text, kept) = (table.text, table.expecting);
        let last = table.expected(children[79].id());
        children.iter_mut().for_each(|child| drop(child.kill().and_then(|()| child.wait())));
        assert_eq!((steps, kept), (0, 80));
        assert!(text <= TEXT + 80 * 64, "{text} bytes");
        assert!(last.is_some_and(|last| last.argv.is_none()), "judged again where its arguments could not be kept");
    }

    #[test]
    fn blame_is_inherited_down_the_tree() {
        let mut table = Processes::new(1);
        for (pid, parent) in [(2, 1), (3, 2)] {
            table.seen.insert(pid, Seen { parent, ..Seen::default() });
        }
        assert_eq!(table.inherited(3), None);
        let candidate = Candidate { name: "evil".into(), function: None, object: None, package: None };
        table.blame(2, Blame { crates: vec![candidate], by: "parent stack".into(), caveat: None });
        assert_eq!(table.inherited(3).unwrap().by, "inherited");
        assert_eq!(table.inherited(3).unwrap().crates[0].name, "evil");
        assert_eq!(table.inherited(1), None);
        assert!(!table.is_fork(1) && table.is_fork(3));
        assert_eq!([1, 3, 9].map(|pid| table.program(pid)), [1, 1, 9]);
    }
}
