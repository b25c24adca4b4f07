//! Judging and recording away from a gate thread, where no call waits: datagrams that reach a sink are judged one by one, long after the
//! call that made them.

use std::sync::Arc;

use crate::judge::{Journal, Policy, Spent};
use crate::model::{Act, ActorId, Blame, Event, Judgement, Object};

/// What judging needs of an actor.
#[derive(Clone)]
pub struct Recorder {
    pub actor: ActorId,
    pub policy: Arc<Policy>,
    pub journal: Arc<Journal>,
}

impl Recorder {
    /// Judges an act and writes it down. `pid` is the process (or thread) that acted, 0 when it is not known.
    pub fn judge(&self, pid: u32, act: Act, object: Option<Object>, blame: Option<Blame>) -> Judgement {
        let judgement = self.policy.judge(&act, object);
        let judgement = match self.policy.spent(&act, object, &judgement) {
            Some(spent) => self.excepted(judgement, &spent, blame.as_ref()),
            None => judgement,
        };
        let judgement = self.policy.unless_accepted(&act, &judgement).unwrap_or(judgement);
        self.journal.event(Event {
            actor: self.actor,
            pid,
            act,
            status: judgement.status(),
            breach: judgement.breach.clone(),
            blame,
            at_ms: 0,
        });
        judgement
    }

    /// What exceptions make of it: those that ask who it was count where that is on the stack of whoever aimed there, and nowhere where nobody looked.
    fn excepted(&self, judgement: Judgement, spent: &Spent, blame: Option<&Blame>) -> Judgement {
        let by = spent.counting(blame);
        by.iter().for_each(|granted| self.journal.spent(&granted.by));
        if by.is_empty() { spent.otherwise.clone() } else { judgement }
    }
}
