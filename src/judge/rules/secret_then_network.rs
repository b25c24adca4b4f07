//! `secret/then-network`: one actor went for a secret and for the network. Computed over the whole journal at the end.

use std::collections::BTreeMap;

use crate::judge::journal::Counted;
use crate::model::{Act, ActorId, Breach, Rule, Severity, Status};

/// Actors that did both, whether they got what they wanted or not. The two acts that prove it come with each.
pub fn correlate(breaches: &[Counted]) -> Vec<(ActorId, Breach, Vec<Act>)> {
    let mut seen: BTreeMap<ActorId, [Option<&Counted>; 2]> = BTreeMap::new();
    for counted in breaches {
        let side = match counted.event.breach.as_ref().map(|breach| breach.rule) {
            Some(Rule::SecretRead) => 0,
            Some(Rule::NetConnect | Rule::NetDns | Rule::ExecDownloader) => 1,
            _ => continue,
        };
        seen.entry(counted.event.actor).or_default()[side].get_or_insert(counted);
    }
    seen.into_iter()
        .filter_map(|(actor, sides)| {
            let [Some(secret), Some(network)] = sides else { return None };
            let got = if secret.event.status == Status::Refused { "tried to read a secret" } else { "read a secret" };
            let reason = format!("the same actor {got} and tried to reach the network");
            let breach = Breach { rule: Rule::SecretThenNetwork, severity: Severity::Critical, reason };
            Some((actor, breach, vec![secret.event.act.clone(), network.event.act.clone()]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    fn counted(actor: u32, rule: Rule) -> Counted {
        let breach = Some(Breach { rule, severity: Severity::High, reason: String::new() });
        let act = Act::Read { path: "/x".into() };
        Counted { event: Event { actor: ActorId(actor), pid: 1, act, status: Status::Refused, breach, blame: None }, count: 1 }
    }

    #[test]
    fn both_sides_of_one_actor_make_it() {
        let journal = [
            counted(1, Rule::SecretRead),
            counted(2, Rule::NetConnect),
            counted(3, Rule::NetDns),
            counted(3, Rule::SecretRead),
            counted(4, Rule::SecretRead),
            counted(4, Rule::SecretRead),
        ];
        let found = correlate(&journal);
        assert_eq!(found.iter().map(|(actor, ..)| actor.0).collect::<Vec<_>>(), [3]);
        assert_eq!(found[0].1.severity, Severity::Critical);
        assert!(correlate(&[]).is_empty());
    }
}
