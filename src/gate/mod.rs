//! The gate: answers what actors ask. One thread per actor receives its notifications, decodes registers, resolves paths and
//! addresses once, has the policy judge the resolved object, performs the act itself or refuses it, and writes the journal.
//! In: an actor, its policy, its listener. Out: answers to the kernel, events to the journal.
//!
//! Nothing an actor sends may panic, block or starve a gate thread: what cannot be read is refused and recorded.

pub mod answer;
pub mod memory;
pub mod net;

use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;

use crate::judge::{Journal, Policy};
use crate::model::{Act, Actor, Blame, Judgement, Object};

/// One notified call, decoded no further than its registers.
pub struct Call<'a> {
    pub watched: &'a Watched,
    /// The kernel's cookie for the answer.
    pub id: u64,
    /// Thread that called (in our pid namespace).
    pub tid: u32,
    pub number: i64,
    pub args: [u64; 6],
}

/// What a gate thread knows about the actor it serves.
pub struct Watched {
    pub actor: Arc<Actor>,
    pub policy: Arc<Policy>,
    pub listener: OwnedFd,
    pub journal: Arc<Journal>,
    /// The run's sockets, shared by all actors.
    pub sockets: Arc<net::Sockets>,
}

/// How a call is answered.
pub enum Answer {
    /// Let the kernel run the call with the actor's own arguments.
    Continue,
    /// The call returns this value.
    Value(i64),
    /// The call fails with this errno.
    Errno(i32),
    /// The call returns this descriptor, put into the actor's table (`ADDFD|SEND`).
    Descriptor { fd: OwnedFd, cloexec: bool },
    /// Put `fd` over the actor's own descriptor number `at` (`ADDFD` with `SETFD`), then return `value`.
    Replace { fd: OwnedFd, at: RawFd, cloexec: bool, value: i64 },
    /// A worker thread answers later.
    Later,
}

impl Call<'_> {
    /// Judges, and records whatever is worth recording (with blame where the act needs a finer name).
    pub fn judge(&self, act: Act, object: Option<Object>) -> Judgement {
        net::Recorder::new(self.watched).judge(self.tid, act, object, self.blame())
    }

    /// The crates on the calling thread's stack. Stand-in of the network branch.
    pub fn blame(&self) -> Option<Blame> {
        None
    }

    /// For work that a worker thread answers.
    ///
    /// # Errors
    /// When no descriptor is left.
    pub fn reply(&self) -> std::io::Result<answer::Reply> {
        Ok(answer::Reply::new(self.watched.listener.try_clone()?, self.id))
    }
}
