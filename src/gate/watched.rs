//! What a gate thread knows about the actor it serves, and what it keeps about that actor between calls.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::answer::WakeUps;
use super::net::Sockets;
use super::permits::Permits;
use super::pool::{InFlight, Pool};
use super::process::Processes;
use super::repeat::Repeat;
use super::sandbox::Sandboxes;
use crate::attribute::stack::Unwinder;
use crate::judge::{Journal, Policy};
use crate::model::Actor;

/// What a gate thread knows about the actor it serves.
pub struct Watched {
    pub actor: Arc<Actor>,
    pub policy: Arc<Policy>,
    pub listener: Arc<OwnedFd>,
    pub journal: Arc<Journal>,
    pub(super) unwinder: Arc<Unwinder>,
    processes: Mutex<Processes>,
    sandboxes: Mutex<Sandboxes>,
    /// Calls that will come again, by thread.
    repeats: Mutex<HashMap<u32, Repeat>>,
    pub(super) wake_ups: Arc<WakeUps>,
    pub(super) pool: Arc<Pool>,
    pub(super) in_flight: InFlight,
    /// For those who serve it beside its thread.
    pub(super) itself: Weak<Watched>,
    /// The run's sockets, shared by all actors.
    pub sockets: Arc<Sockets>,
    /// For those of its opens that wait.
    pub(super) permits: Permits,
    /// When the run began: processes are dated from it.
    pub(super) began: Instant,
    /// When the actor came.
    pub(super) since: Instant,
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
        let sandboxes = Mutex::new(Sandboxes::new(actor.pid));
        let (wake_ups, listener) = (Arc::new(WakeUps::new()?), Arc::new(listener));
        let began = Instant::now();
        Ok(Watched {
            actor,
            policy,
            listener,
            journal,
            unwinder,
            processes,
            sandboxes,
            repeats: Mutex::default(),
            wake_ups,
            pool: Arc::default(),
            in_flight: InFlight::default(),
            itself: Weak::new(),
            sockets,
            permits: Permits::default(),
            began,
            since: began,
        })
    }

    /// For those who serve it beside its thread, too.
    pub(super) fn shared(self) -> Arc<Watched> {
        Arc::new_cyclic(|itself| Watched { itself: itself.clone(), ..self })
    }

    pub(super) fn processes(&self) -> MutexGuard<'_, Processes> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sandboxes(&self) -> MutexGuard<'_, Sandboxes> {
        self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn repeats(&self) -> MutexGuard<'_, HashMap<u32, Repeat>> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
