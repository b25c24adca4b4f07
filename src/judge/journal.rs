//! What happened, as it happens: bounded, shared by all gate threads. Refusals are never dropped; ordinary acts are counted per
//! (actor, act) and capped per actor with an explicit `truncated`.

use crate::model::{Actor, Event, Process};

/// Shared by reference between threads; every method takes `&self`.
#[derive(Default)]
pub struct Journal {}

impl Journal {
    pub fn actor(&self, _actor: Actor) {
        todo!()
    }
    pub fn event(&self, _event: Event) {
        todo!()
    }
    pub fn process(&self, _process: Process) {
        todo!()
    }
    /// An event that could not be read or recorded: the run is no longer complete. `what` is our own text.
    pub fn lost(&self, _what: &str) {
        todo!()
    }
}
