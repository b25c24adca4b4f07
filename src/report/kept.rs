//! What was kept from code that then failed, without an alarm: nobody else would tell why. In: the report's actors and their behaviour, what of it broke
//! a rule, the profile in force. Out: each such refusal and withheld variable, with the line that would allow it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::report::{Behaviour, Kept, ReportedActor};
use crate::model::{Act, ActorId, Breach, Severity, Status};

use super::remedy;

/// The gravest breach of each act.
pub type Broken<'b> = BTreeMap<(ActorId, Act), &'b Breach>;

/// What no line would have allowed.
pub type Beyond = BTreeSet<(ActorId, Act)>;

pub fn kept(actors: &[ReportedActor], behaviour: &[Behaviour], (broken, beyond): (&Broken, &Beyond), profile: &[String]) -> Vec<Kept> {
    let mut kept = Vec::new();
    for actor in actors.iter().filter(|actor| actor.failed) {
        let id = actor.id;
        let withheld = actor.withheld.iter().map(|name| Act::Withhold { name: name.clone() });
        let refused = behaviour.iter().filter(|did| did.actor == id && did.status == Status::Refused).map(|did| did.act.clone());
        let mut acts: Vec<Act> = withheld.chain(refused).collect();
        acts.sort();
        acts.dedup();
        kept.extend(acts.into_iter().filter_map(|act| {
            let allow = match broken.get(&(id, act.clone())) {
                // An alarm: its finding tells of it, and of what would allow it.
                Some(breach) if breach.severity > Severity::Info => return None,
                // By the rule that refused it: a line for another would change nothing.
                Some(breach) => remedy::quiet(&act, actor.kind, profile).filter(|_| remedy::list(breach.rule).is_some()),
                None => remedy::quiet(&act, actor.kind, profile),
            };
            let allow = allow.filter(|_| !beyond.contains(&(id, act.clone())));
            Some(Kept { actor: id, act, allow })
        }));
    }
    // What a line would change comes first.
    kept.sort_by_key(|kept| kept.allow.is_none());
    kept
}
