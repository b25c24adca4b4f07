//! All gate threads of a run: one supervisor for each actor's listener.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, Result};

use super::net::Sockets;
use super::permits::Permits;
use super::pool::Pool;
use super::thread::STACK;
use super::{Watched, listener, own};
use crate::attribute::stack::Unwinder;
use crate::judge::{Journal, Policy};
use crate::model::{Actor, ActorId};

/// An actor that still has processes.
#[derive(Clone)]
pub struct Alive {
    pub actor: Arc<Actor>,
    /// All process ids seen of it.
    pub pids: Vec<u32>,
    pub since: Instant,
}

/// All gate threads of a run.
pub struct Gate {
    journal: Arc<Journal>,
    unwinder: Arc<Unwinder>,
    sockets: Arc<Sockets>,
    pub(super) pool: Arc<Pool>,
    permits: Permits,
    began: Instant,
    closing: Arc<AtomicBool>,
    posts: Mutex<Vec<Post>>,
}

/// One actor and the thread that serves it.
struct Post {
    watched: Arc<Watched>,
    thread: JoinHandle<()>,
}

impl Gate {
    /// # Errors
    /// When `/proc` is not there to look at: nothing can be resolved then.
    pub fn new(journal: Arc<Journal>, unwinder: Arc<Unwinder>, sockets: Arc<Sockets>) -> Result<Gate> {
        own::own().context("look at our own process under /proc")?;
        let pool = Arc::new(Pool::new());
        let (permits, closing, posts) = (Permits::default(), Arc::default(), Mutex::default());
        let began = journal.began();
        Ok(Gate { journal, unwinder, sockets, pool, permits, began, closing, posts })
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
        watched.pool = self.pool.clone();
        watched.permits = self.permits.of_another();
        let watched = watched.shared();
        let (serving, closing) = (watched.clone(), self.closing.clone());
        let thread = std::thread::Builder::new()
            .name(format!("gate-{id}"))
            .stack_size(STACK)
            .spawn(move || {
                listener::serve(&serving, &closing);
                if !closing.load(Ordering::Acquire) {
                    serving.journal.ended(serving.actor.id);
                }
            })
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
        posts.iter().for_each(|post| post.watched.wake_ups.wake());
        for post in posts {
            if post.thread.join().is_err() {
                self.journal.lost("a gate thread died");
            }
        }
        self.pool.close();
        self.sockets.finish();
    }

    /// Processes of our own that serve the build.
    pub fn helpers(&self) -> Vec<i32> {
        self.sockets.helpers()
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
