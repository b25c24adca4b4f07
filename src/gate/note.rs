//! What is to be written down about a call once it is answered, and the look at a stack that goes with it.

use std::time::Duration;

use super::Watched;
use crate::attribute::stack::Caught;
use crate::model::{Blame, Event};

/// What is to be written down once the call is answered.
pub(super) struct Note {
    pub(super) event: Event,
    pub(super) look: Option<Look>,
    /// The process whose tree inherits what the look finds.
    pub(super) heir: Option<u32>,
}

/// A thread caught on its way out of a call.
pub(super) struct Look {
    pub(super) caught: Caught,
    /// Is it the calling thread itself? Then the call must not be let through before the look: an exec destroys the stack, and a
    /// call that blocks would be interrupted, restarted and caught for ever.
    pub(super) caller: bool,
}

impl Note {
    /// Whoever wanted this is a thread that waits for the caller, which must be able to go on meanwhile: has that thread been looked at?
    /// True for all other notes.
    pub(super) fn is_settled(&mut self, watched: &Watched, patience: Duration) -> bool {
        match &mut self.look {
            Some(look) if !look.caller => watched.unwinder.settle(&mut look.caught, patience),
            _ => true,
        }
    }

    /// Does its stack still have to be looked at?
    pub(super) fn waits(&self) -> bool {
        self.look.is_some()
    }

    /// Writes it down. To be called on the thread that caught the stack, after the answer.
    pub(super) fn write(self, watched: &Watched, blame: &mut Option<Blame>) {
        let mut event = self.event;
        if let Some(Look { caught, caller }) = self.look {
            // A spawner has been waited for already, see `is_settled`.
            let found =
                if caller { watched.unwinder.blame(caught) } else { watched.unwinder.blame_within(caught, Duration::from_millis(20)) };
            let found = found.of_started(watched.processes().inherited(event.pid));
            if let Some(pid) = self.heir {
                watched.processes().blame(pid, found.clone());
            }
            *blame = Some(found);
        }
        // A fork runs its parent's program: that is the one which acts, and the one the record knows.
        event.pid = watched.processes().program(event.pid);
        if (event.breach.is_some() || self.heir.is_some()) && event.blame.is_none() {
            event.blame = blame.clone();
        }
        watched.journal.event(event);
    }
}

/// Writes all of one call's notes down. To be called on the thread that caught the stack, after the answer.
pub(super) fn write(watched: &Watched, notes: Vec<Note>) {
    let mut blame = None;
    notes.into_iter().for_each(|note| note.write(watched, &mut blame));
}
