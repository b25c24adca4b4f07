//! What happened, as it happens: bounded, shared by all gate threads. Refusals are never dropped; ordinary acts are counted per
//! (actor, act) and capped per actor with an explicit `truncated`.

use crate::model::{Actor, Event, Process};

/// Shared by reference between threads; every method takes `&self`.
#[derive(Default)]
pub struct Journal {
    events: std::sync::Mutex<Vec<Event>>,
}

impl Journal {
    pub fn actor(&self, _actor: Actor) {
        todo!()
    }
    pub fn event(&self, event: Event) {
        self.events.lock().unwrap_or_else(|e| e.into_inner()).push(event);
    }
    /// Stand-in of the network branch, for its tests.
    pub fn seen(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }
    pub fn process(&self, _process: Process) {
        todo!()
    }
    /// An event that could not be read or recorded: the run is no longer complete. `what` is our own text.
    pub fn lost(&self, what: &str) {
        tracing::warn!(what, "lost");
    }
}
