//! What was kept from code that then failed, without an alarm: nobody else would tell why. In: the report's actors and their behaviour, the
//! profile in force. Out: each such refusal and withheld variable, with the line that would allow it.

use crate::model::report::{Behaviour, Kept, ReportedActor};
use crate::model::{Act, Status};

use super::remedy;

pub fn kept(actors: &[ReportedActor], behaviour: &[Behaviour], profile: &[String]) -> Vec<Kept> {
    let mut kept = Vec::new();
    for actor in actors.iter().filter(|actor| actor.failed) {
        let id = actor.id;
        let withheld = actor.withheld.iter().map(|name| Act::Withhold { name: name.clone() });
        let refused = behaviour.iter().filter(|did| did.actor == id && did.status == Status::Refused).map(|did| did.act.clone());
        let mut acts: Vec<Act> = withheld.chain(refused).collect();
        acts.sort();
        acts.dedup();
        kept.extend(acts.into_iter().map(|act| Kept { actor: id, allow: remedy::quiet(&act, actor.kind, profile), act }));
    }
    // What a line would change comes first.
    kept.sort_by_key(|kept| kept.allow.is_none());
    kept
}
