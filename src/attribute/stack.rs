//! Looking at a stack while its thread is inside a system call. In: the thread of a notification. Out: `model::Blame`.
//!
//! [`Unwinder::catch`] before the notification is answered, answer, then [`Unwinder::blame`]. The thread stops at the door, on its way
//! out of the call, with its stack as it was. The listener must wait killably (`SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`), or the
//! interrupt would take the call back out of the queue.
//!
//! A call that is answered with CONTINUE and may block (a FIFO, a connection) would be interrupted, restarted and notified again, for
//! ever if each notice is caught. For those, and for an exec, which destroys the stack: [`Unwinder::catch_before`].
//!
//! Each catch has a thread of its own which traces, waits, walks and lets go. So a gate thread never waits for a tracee longer than it
//! wants to, a thread that stops late is still let go the moment it does, and should anything go wrong the end of that thread detaches
//! (ptrace(2)).

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::frames::Frame;
use super::objects::Objects;
use super::registers::Registers;
use super::threads;
use super::walk::{self, Walk};
use crate::model::Blame;
use crate::sys::catch::{seize, wait_for};
use crate::sys::tracee;
use crate::sys::wait::Change;

/// How long a gate thread waits for the stop and the walk, after its answer.
const PATIENCE: Duration = Duration::from_secs(2);

const MOST_TIMED: usize = 1000;

/// Walks stacks; remembers files, unwind rules and names. Shared by all gate threads.
#[derive(Default)]
pub struct Unwinder {
    objects: Arc<Objects>,
    /// How long each look took, from the answer to the names; the first [`MOST_TIMED`].
    took: Mutex<Vec<Duration>>,
}

/// A thread that will stop on its way out of the call it is in. Dropping it lets the thread go by itself.
pub struct Caught {
    coming: Receiver<Blame>,
    found: Option<Blame>,
    repeat: bool,
}

impl Caught {
    /// Answer with this errno before [`Unwinder::blame`]: `ERESTARTNOINTR`. The caught thread stops at the door, and once let go the
    /// kernel makes it repeat the very same call, which is then answered for good. The number never reaches the program: a thread that
    /// is stopped this way always passes the kernel's restart code (`arch_do_signal_or_restart`).
    pub const REPEAT: i32 = 513;

    /// True when the call has to be answered with [`Caught::REPEAT`] before [`Unwinder::blame`], because it would destroy the stack that
    /// is to be looked at (an exec by a forked child, or in place).
    pub fn must_repeat(&self) -> bool {
        self.repeat
    }
}

impl Unwinder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Catches the thread of a notification that has not been answered yet.
    ///
    /// # Errors
    /// When the thread is gone, is traced by someone else, or no thread can be started.
    pub fn catch(&self, tid: u32) -> io::Result<Caught> {
        self.catch_as(tid, "stack")
    }

    /// As [`Unwinder::catch`], but to look at the stack before the call is made: answer with [`Caught::REPEAT`], take the blame, and
    /// answer the same thread's next notification, which is the very same call, without catching it again.
    ///
    /// # Errors
    /// As [`Unwinder::catch`].
    pub fn catch_before(&self, tid: u32) -> io::Result<Caught> {
        Ok(Caught { repeat: true, ..self.catch_as(tid, "stack")? })
    }

    /// For an `execve` of `child`: catches the parent's thread that waits in vfork for it, which stops once the child has exec'd or
    /// exited. After a plain fork, where nobody waits, the child's own stack is a copy of the parent's: then the child itself is caught,
    /// and [`Caught::must_repeat`] says that the call has to be answered with [`Caught::REPEAT`] first.
    ///
    /// # Errors
    /// As [`Unwinder::catch`].
    pub fn catch_spawner(&self, child: u32) -> io::Result<Caught> {
        match threads::spawner_of(child) {
            Some(spawner) => self.catch_as(spawner, "parent stack"),
            None => self.catch_before(child),
        }
    }

    /// Waits for the stop (at most two seconds) and says who is on the stack.
    pub fn blame(&self, caught: Caught) -> Blame {
        self.blame_within(caught, PATIENCE)
    }

    /// The same with a patience of the caller's own.
    pub fn blame_within(&self, mut caught: Caught, patience: Duration) -> Blame {
        self.settle(&mut caught, patience);
        caught.found.unwrap_or_else(|| walk::nothing("the thread did not stop to be looked at"))
    }

    /// Has it stopped and been looked at? Waits for that no longer than `patience`; then [`Unwinder::blame`] does not wait.
    pub fn settle(&self, caught: &mut Caught, patience: Duration) -> bool {
        if caught.found.is_some() {
            return true;
        }
        let began = Instant::now();
        caught.found = match caught.coming.recv_timeout(patience) {
            Ok(blame) => Some(blame),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => Some(walk::nothing("the thread was gone before it could be looked at")),
        };
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        if took.len() < MOST_TIMED {
            took.push(began.elapsed());
        }
        true
    }

    /// What looking cost: the first look, and the median of the later ones. Zero where there was none.
    pub fn cost(&self) -> (Duration, Duration) {
        let took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        let mut later = took.get(1..).unwrap_or_default().to_vec();
        later.sort_unstable();
        (took.first().copied().unwrap_or_default(), later.get(later.len() / 2).copied().unwrap_or_default())
    }

    fn catch_as(&self, tid: u32, by: &'static str) -> io::Result<Caught> {
        let objects = Arc::clone(&self.objects);
        let (caught, is_caught) = sync_channel(1);
        let (sender, coming) = sync_channel(1);
        std::thread::Builder::new().name("brig-stack".into()).spawn(move || {
            let seized = seize(tid);
            let goes_on = seized.is_ok();
            // The other end waits for exactly this message.
            let _ = caught.send(seized);
            if goes_on {
                watch(&objects, tid, by, &sender);
            }
        })?;
        is_caught.recv().map_err(|_| io::Error::other("the thread that looks at stacks ended early"))??;
        Ok(Caught { coming, found: None, repeat: false })
    }
}

/// Waits for the one tracee of this thread, walks its stack, lets it go.
fn watch(objects: &Objects, tid: u32, by: &'static str, sender: &SyncSender<Blame>) {
    let Some((stopped, change)) = wait_for(tid) else { return };
    let signal = match change {
        Change::Event { .. } | Change::Syscall => 0,
        Change::Signal(signal) => signal,
        Change::Exited(_) | Change::Killed(_) => return,
    };
    // A thread that exec'd comes back under its leader's id, with nothing left of the stack that was meant.
    let walk = if stopped as u32 == tid { stand(objects, tid) } else { Err("the program was replaced before it could be looked at") };
    // Dead meanwhile, or let go: either way it is no longer ours to hold, and names are found without it.
    let _ = tracee::detach(stopped, signal);
    let blame = walk.and_then(|walk| fence(|| Ok(walk.name(by)))).unwrap_or_else(walk::nothing);
    // Nobody listens when the gate lost patience or dropped the catch.
    let _ = sender.send(blame);
}

/// Climbs the stack of a stopped thread.
fn stand(objects: &Objects, tid: u32) -> Result<Walk<'_>, &'static str> {
    fence(|| {
        let registers = tracee::registers(tid as i32).map_err(|_| "its registers could not be read")?;
        walk::climb(objects, tid, Frame::new(&Registers::from(&registers)))
    })
}

/// Files and memory are the actor's: a fault in reading them must not cost more than this one answer.
fn fence<T>(look: impl FnOnce() -> Result<T, &'static str>) -> Result<T, &'static str> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).unwrap_or(Err("its stack could not be understood"))
}
