//! A pool of threads for a whole run, shared by all its actors and started when they are needed: whatever may be done beside the thread that
//! received it. In: work. What the work is, `offload` knows.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::thread::{STACK, make_ready};

/// One piece of it. It must not panic: the thread would be lost to the pool.
pub type Work = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub struct Pool {
    /// So many threads at most.
    most: usize,
    /// Is every call that may go given to it, and not only those that another one waits behind?
    all: bool,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    idle: usize,
    threads: Vec<JoinHandle<()>>,
    closed: bool,
}

impl Pool {
    /// With as many threads as there are processors beside the one that the gate thread is on.
    pub fn new() -> Pool {
        Pool { most: std::thread::available_parallelism().map_or(1, usize::from) - 1, ..Pool::default() }
    }

    #[cfg(test)]
    pub fn of_all() -> Pool {
        Pool { most: 2, all: true, ..Pool::default() }
    }

    #[cfg(test)]
    pub fn any_started(&self) -> bool {
        !self.state().threads.is_empty()
    }

    /// Is this the time for it? `crowded` finds out whether other calls wait.
    pub fn want(&self, crowded: impl FnOnce() -> bool) -> bool {
        self.most > 0 && (self.all || crowded())
    }

    /// Has a thread do it, if one is free to take it. `work` is only made then.
    pub fn give(self: &Arc<Self>, work: impl FnOnce() -> Work) -> bool {
        let mut state = self.state();
        if state.closed || state.idle <= state.waiting.len() && !self.start(&mut state) {
            return false;
        }
        state.waiting.push_back(work());
        drop(state);
        self.news.notify_one();
        true
    }

    fn start(self: &Arc<Self>, state: &mut State) -> bool {
        if state.threads.len() >= self.most {
            return false;
        }
        let pool = self.clone();
        let thread = std::thread::Builder::new().name("gate-runner".into()).stack_size(STACK).spawn(move || pool.serve());
        state.idle += usize::from(thread.is_ok());
        state.threads.extend(thread);
        state.idle > state.waiting.len()
    }

    fn serve(&self) {
        make_ready();
        let mut state = self.state();
        while !state.closed {
            let Some(work) = state.waiting.pop_front() else {
                state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.idle -= 1;
            drop(state);
            work();
            state = self.state();
            state.idle += 1;
        }
    }

    /// Ends all threads. To be called when no gate thread is left.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        self.news.notify_all();
        threads.into_iter().for_each(|thread| drop(thread.join()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many calls of an actor are with the pool.
#[derive(Default)]
pub struct InFlight {
    count: Mutex<usize>,
    none: Condvar,
}

impl InFlight {
    pub fn begin(&self) {
        *self.count() += 1;
    }

    pub fn end(&self) {
        *self.count() -= 1;
        self.none.notify_all();
    }

    /// Waits until none is.
    pub fn wait(&self) {
        let mut count = self.count();
        while *count > 0 {
            count = self.none.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
