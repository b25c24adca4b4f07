//! What a report is made from: what happened, and what the conductor knows about the run.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::barred::Barred;
use crate::model::report::{Behaviour, Enforcement, Host, Run};
use crate::model::{Act, Actor, ActorId, ActorKind, Event, ExceptionUse, Process, Reviewed, Span};

use super::normalise::Places;

/// What happened, as the journal holds it at the end of a run.
#[derive(Clone, Debug, Default)]
pub struct Material {
    pub actors: Vec<Actor>,
    pub processes: Vec<Process>,
    pub processes_truncated: u64,
    /// Acts that broke no rule: per actor each once.
    pub behaviours: Vec<Behaviour>,
    pub behaviours_truncated: u64,
    /// Acts that broke a rule (they are not in `behaviours`), with how often.
    pub breaches: Vec<(Event, u64)>,
    /// Of all acts, those that no line of a policy would have allowed.
    pub beyond: BTreeSet<(ActorId, Act)>,
    /// What could not be read or recorded, one entry per loss.
    pub lost: Vec<String>,
    /// All events, recorded or counted.
    pub events: u64,
    /// Reviewed allows that were used, with how often.
    pub reviewed: Vec<(Reviewed, u64)>,
    /// Exceptions of the user's, with what became of them.
    pub exceptions: Vec<ExceptionUse>,
    /// When actors ran, and how they ended.
    pub spans: BTreeMap<ActorId, Span>,
    /// Actors that are known to have failed.
    pub failed: BTreeSet<ActorId>,
    /// Descriptors beyond the first three that the user opened for cargo's programs, and that they got.
    pub given: Vec<i32>,
    /// Those that they did not get.
    pub closed: Vec<i32>,
}

/// About the run: what the conductor knows.
#[derive(Clone, Debug)]
pub struct Facts {
    pub run: Run,
    pub host: Host,
    pub enforcement: Enforcement,
    /// See `model::report::Coverage`.
    pub units: Option<u64>,
    pub fresh: Option<u64>,
    pub not_reached: Option<u64>,
    /// Cargo's exit code, 128+signal when it was killed; `None` when it was never learned.
    pub cargo_exit: Option<i32>,
    /// Ended by us because its time was over.
    pub timed_out: bool,
    /// What kept the build from beginning, or from going on.
    pub barred: Vec<Barred>,
    pub places: Places,
}

impl Facts {
    /// The places as one actor has them: with its own `{out}` and `{tmp}`.
    pub fn places_of(&self, actor: &Actor) -> Places {
        let places = self.places.with(&actor.tmp, "{tmp}");
        match actor.outputs.first().filter(|_| actor.kind == ActorKind::BuildScript) {
            Some(out) => places.with(out, "{out}"),
            None => places,
        }
    }
}
