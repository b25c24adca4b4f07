//! Names by which something was carried out, in one sentence instead of one each. In: what was sent in a stage. Out: the same, with a sum for each domain; the
//! names themselves stand in `sent.json`.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Act, ActorId, Hostile, Sent};
use crate::report::incidents::Deed;
use crate::report::wording::{Medium, count};

/// So few names are told one by one.
const FEW: usize = 4;

/// Whose, and the last two labels.
type Key = (ActorId, Option<(String, String)>, Vec<u8>);

pub fn summed(messages: Vec<Sent>) -> Vec<Sent> {
    let mut groups: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate().filter(|(_, message)| message.how == "dns") {
        groups.entry((message.actor, message.by.clone(), domain(&message.to))).or_default().push(at);
    }
    let mut sums: BTreeMap<usize, Sent> = BTreeMap::new();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for group in groups.into_values() {
        let names: BTreeSet<&Hostile> = group.iter().map(|at| &messages[*at].to).collect();
        let Some(first) = group.iter().copied().find(|at| messages[*at].proven).filter(|_| names.len() >= FEW) else { continue };
        let carried: BTreeSet<_> = group.iter().flat_map(|at| messages[*at].carried.iter().cloned()).collect();
        let sum = Sent {
            to: common(&names),
            bytes: group.iter().fold(0, |sum, at| sum.saturating_add(messages[*at].bytes)),
            carried: carried.into_iter().collect(),
            names: Some(names.len() as u64),
            ..messages[first].clone()
        };
        sums.insert(first, sum);
        gone.extend(group);
    }
    let told = messages.into_iter().enumerate();
    told.filter_map(|(at, message)| sums.remove(&at).or_else(|| (!gone.contains(&at)).then_some(message))).collect()
}

/// Acts as they are told, each with its place in the list: of many lookups below one name only the first, as their sum.
pub fn told(deeds: &[&Deed], medium: Medium) -> Vec<(usize, String)> {
    let mut groups: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for (at, deed) in deeds.iter().enumerate() {
        if let Act::Lookup { name, .. } = &deed.evidence.act {
            groups.entry(domain(name)).or_default().push(at);
        }
    }
    let mut sums: BTreeMap<usize, Option<String>> = BTreeMap::new();
    for group in groups.into_values() {
        let name = |at: &usize| if let Act::Lookup { name, .. } = &deeds[*at].evidence.act { Some(name) } else { None };
        let names: BTreeSet<&Hostile> = group.iter().filter_map(name).collect();
        if names.len() >= FEW {
            let sum = format!("tried to look up {} below {}", count(names.len() as u64, "name"), (medium.text)(&common(&names)));
            sums.extend(group.iter().map(|at| (*at, None)));
            sums.insert(group[0], Some(sum));
        }
    }
    let each = deeds.iter().enumerate().map(|(at, deed)| (at, sums.remove(&at).unwrap_or_else(|| Some(deed.told(medium)))));
    let mut told: Vec<(usize, String)> = Vec::new();
    for (at, text) in each.filter_map(|(at, text)| Some((at, text?))) {
        // A name has several addresses, which are not told.
        if !told.iter().any(|(_, known)| *known == text) {
            told.push((at, text));
        }
    }
    told
}

/// The last two labels.
fn domain(name: &Hostile) -> Vec<u8> {
    let labels = labels(name);
    labels[labels.len().saturating_sub(2)..].join(&b'.')
}

fn labels(name: &Hostile) -> Vec<&[u8]> {
    name.as_bytes().split(|byte| *byte == b'.').collect()
}

/// The longest name that all of them are below. They have two labels in common.
fn common(names: &BTreeSet<&Hostile>) -> Hostile {
    let mut names = names.iter().map(|name| labels(name));
    let mut common = names.next().unwrap_or_default();
    for name in names {
        let same = common.iter().rev().zip(name.iter().rev()).take_while(|(a, b)| a == b).count();
        common.drain(..common.len() - same);
    }
    Hostile::new(common.join(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Carried;

    fn name(actor: u32, name: &str, carried: &[&str]) -> Sent {
        let carried: Vec<Carried> =
            carried.iter().map(|place| Carried { place: (*place).into(), name: "KEY".into(), encoding: "hex".into() }).collect();
        let (to, what) = (Hostile::from(name), format!("A {name}").as_str().into());
        Sent { actor: ActorId(actor), by: None, to, how: "dns".into(), what, bytes: 10, proven: !carried.is_empty(), carried, names: None }
    }

    #[test]
    fn many_names_below_one_are_one_sentence() {
        let mut all: Vec<Sent> =
            (0..48).map(|at| name(1, &format!("{at:04x}.x.evil.example"), if at < 40 { &["~/.env"] } else { &[] })).collect();
        all.insert(3, name(1, "crates.example", &[]));
        all.push(name(1, "0000.x.evil.example", &[]));
        all.push(name(1, "last.x.evil.example", &["$TOKEN"]));
        all.extend((0..3).map(|at| name(1, &format!("{at}.few.test"), &["~/.env"])));
        all.extend((0..9).map(|at| name(1, &format!("{at}.honest.test"), &[])));
        all.push(name(2, "other.x.evil.example", &["~/.env"]));
        let told: Vec<_> = summed(all).iter().map(|one| (one.to.to_json_text(), one.names, one.carried.len(), one.bytes)).collect();
        assert_eq!(told[0], ("x.evil.example".into(), Some(49), 2, 500));
        assert_eq!(told[1], ("crates.example".into(), None, 0, 10));
        let few: Vec<_> = told[2..5].iter().map(|one| (&*one.0, one.2)).collect();
        assert_eq!(few, [("0.few.test", 1), ("1.few.test", 1), ("2.few.test", 1)]);
        assert_eq!((told.len(), &*told[14].0, told[14].1), (15, "other.x.evil.example", None), "of another actor");
    }
}
