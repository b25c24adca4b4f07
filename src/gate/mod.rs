//! The gate: answers what actors ask. One thread per actor receives its notifications, decodes registers, resolves paths and
//! addresses once, has the policy judge the resolved object, performs the act itself or refuses it, and writes the journal. Where calls
//! wait for each other, plain reads are done by runners beside it.
//! In: an actor, its policy, its listener. Out: answers to the kernel, events to the journal.
//!
//! Nothing an actor sends may panic, block or starve a gate thread: what cannot be read is refused and recorded.

mod answer;
mod arguments;
mod call;
mod change;
mod create;
mod errands;
mod exec;
mod ipc;
mod listener;
mod memfd;
pub mod memory;
mod metadata;
mod moved;
pub mod net;
mod open;
mod own;
mod patient;
mod process;
mod published;
pub mod redact;
mod resolve;
mod schedule;
mod signal;
#[cfg(test)]
mod tests;
mod walk;
mod watch;

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, Result};

pub use answer::{Answer, Reply};
pub use call::Call;
use net::Sockets;

use crate::attribute::stack::Unwinder;
use crate::judge::{Journal, Policy};
use crate::model::{Actor, ActorId};
use answer::Answers;
use call::Repeat;
use errands::{Away, Errands};
use process::Processes;

/// What a gate thread knows about the actor it serves.
pub struct Watched {
    pub actor: Arc<Actor>,
    pub policy: Arc<Policy>,
    pub listener: Arc<OwnedFd>,
    pub journal: Arc<Journal>,
    unwinder: Arc<Unwinder>,
    processes: Mutex<Processes>,
    /// Calls that will come again, by thread.
    repeats: Mutex<HashMap<u32, Repeat>>,
    answers: Arc<Answers>,
    errands: Arc<Errands>,
    away: Away,
    /// For those who serve it beside its thread.
    itself: Weak<Watched>,
    /// The run's sockets, shared by all actors.
    pub sockets: Arc<Sockets>,
    /// When the run began: processes are dated from it.
    began: Instant,
    /// When the actor came.
    since: Instant,
}

/// An actor that still has processes.
#[derive(Clone)]
pub struct Alive {
    pub actor: Arc<Actor>,
    /// All process ids seen of it.
    pub pids: Vec<u32>,
    pub since: Instant,
}

impl Watched {
    /// # Errors
    /// When no eventfd can be had.
    pub fn new(
        actor: Arc<Actor>,
        policy: Arc<Policy>,
        listener: OwnedFd,
        journal: Arc<Journal>,
        unwinder: Arc<Unwinder>,
        sockets: Arc<Sockets>,
    ) -> io::Result<Watched> {
        let processes = Mutex::new(Processes::new(actor.pid));
        let (answers, listener) = (Arc::new(Answers::new()?), Arc::new(listener));
        let began = Instant::now();
        Ok(Watched {
            actor,
            policy,
            listener,
            journal,
            unwinder,
            processes,
            repeats: Mutex::default(),
            answers,
            errands: Arc::default(),
            away: Away::default(),
            itself: Weak::new(),
            sockets,
            began,
            since: began,
        })
    }

    fn processes(&self) -> MutexGuard<'_, Processes> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn repeats(&self) -> MutexGuard<'_, HashMap<u32, Repeat>> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All gate threads of a run.
pub struct Gate {
    journal: Arc<Journal>,
    unwinder: Arc<Unwinder>,
    sockets: Arc<Sockets>,
    errands: Arc<Errands>,
    began: Instant,
    closing: Arc<AtomicBool>,
    posts: Mutex<Vec<Post>>,
}

/// One actor and the thread that serves it.
struct Post {
    watched: Arc<Watched>,
    thread: JoinHandle<()>,
}

/// Resolution keeps its buffers on the heap; this is ample.
const STACK: usize = 256 * 1024;

impl Gate {
    /// # Errors
    /// When `/proc` is not there to look at: nothing can be resolved then.
    pub fn new(journal: Arc<Journal>, unwinder: Arc<Unwinder>, sockets: Arc<Sockets>) -> Result<Gate> {
        own::own().context("look at our own process under /proc")?;
        let errands = Arc::new(Errands::new());
        Ok(Gate { journal, unwinder, sockets, errands, began: Instant::now(), closing: Arc::default(), posts: Mutex::default() })
    }

    /// Serves an actor from now on, until all its processes are gone.
    ///
    /// # Errors
    /// When no thread can be had: the actor must not run then.
    pub fn admit(&self, actor: Arc<Actor>, policy: Arc<Policy>, listener: OwnedFd) -> Result<()> {
        let id = actor.id.0;
        let mut watched = Watched::new(actor, policy, listener, self.journal.clone(), self.unwinder.clone(), self.sockets.clone())
            .context("make a bell")?;
        watched.began = self.began;
        watched.errands = self.errands.clone();
        let watched = Arc::new_cyclic(|itself| Watched { itself: itself.clone(), ..watched });
        let (serving, closing) = (watched.clone(), self.closing.clone());
        let thread = std::thread::Builder::new()
            .name(format!("gate-{id}"))
            .stack_size(STACK)
            .spawn(move || listener::serve(&serving, &closing))
            .context("start a gate thread")?;
        let mut posts = self.posts();
        // A long build has hundreds of actors: let go of those that are done.
        posts.retain(|post| !post.thread.is_finished());
        posts.push(Post { watched, thread });
        Ok(())
    }

    /// The actors that still have processes.
    pub fn alive(&self) -> Vec<Alive> {
        let posts = self.posts();
        let alive = posts.iter().map(|post| (&post.watched, &post.thread)).filter(|(_, thread)| !thread.is_finished());
        alive.map(|(one, _)| Alive { actor: one.actor.clone(), pids: one.processes().pids(), since: one.since }).collect()
    }

    /// What an actor that is still alive may do.
    pub fn policy_of(&self, actor: ActorId) -> Option<Arc<Policy>> {
        self.posts().iter().find(|post| post.watched.actor.id == actor).map(|post| post.watched.policy.clone())
    }

    /// Ends all threads. Whoever is still alive gets `ENOSYS` for everything it asks from now on.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        let posts = std::mem::take(&mut *self.posts());
        posts.iter().for_each(|post| post.watched.answers.ring());
        for post in posts {
            if post.thread.join().is_err() {
                self.journal.lost("a gate thread died");
            }
        }
        self.errands.close();
        self.sockets.finish();
    }

    /// Processes of our own that serve the build.
    pub fn helpers(&self) -> Vec<i32> {
        self.sockets.helper().into_iter().collect()
    }

    fn posts(&self) -> MutexGuard<'_, Vec<Post>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.close();
    }
}
