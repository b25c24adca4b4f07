//! Who was after a secret and the network. In: what was tried in one actor, each act with the packages behind it. Out: per package that did both,
//! its own acts: not those of others in the same program.

use std::collections::{BTreeMap, BTreeSet};

use super::parties::Parties;
use crate::model::Package;

/// The acts of one who did both, as places in the two lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Both {
    pub secrets: BTreeSet<usize>,
    pub network: BTreeSet<usize>,
}

/// By who is named for it; `None` where nobody can be.
pub fn both(secrets: &[&Parties], network: &[&Parties]) -> BTreeMap<Option<Package>, Both> {
    let mut found: BTreeMap<Option<Package>, Both> = BTreeMap::new();
    for (at, secret) in secrets.iter().enumerate() {
        if let Some((culprit, ways)) = pair(secret, network) {
            let both = found.entry(culprit).or_default();
            both.secrets.insert(at);
            both.network.extend(ways);
        }
    }
    found
}

/// Who had this secret, and by which ways that one tried to get out: the nearest on the stack that did both, since a library that reads for another
/// has no other way out than that other. Where no stack tells, everybody in the actor may have gone either way.
fn pair(secret: &Parties, network: &[&Parties]) -> Option<(Option<Package>, Vec<usize>)> {
    let ways = |is: &dyn Fn(&Parties) -> bool| -> Vec<usize> { (0..network.len()).filter(|at| is(network[*at])).collect() };
    if secret.sure {
        let surely = |way: &Parties, package: &Package| way.crates.contains(package);
        let perhaps = |way: &Parties, package: &Package| way.candidates.contains(package);
        for has in [surely as fn(&Parties, &Package) -> bool, perhaps] {
            for package in &secret.crates {
                let own = ways(&|way| way.sure && has(way, package));
                if !own.is_empty() {
                    return Some((Some(package.clone()), own));
                }
            }
        }
    }
    let mut unknown = ways(&|way| !way.sure);
    // A way that is somebody's for sure is that one's, unless nothing else is left.
    if unknown.is_empty() && !secret.sure {
        unknown = ways(&|_| true);
    }
    (!unknown.is_empty()).then(|| (secret.crates.first().cloned(), unknown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::package;

    fn of(crates: &str, candidates: &str, sure: bool) -> Parties {
        let all = |names: &str| names.split_whitespace().map(|name| package(name, "1.0.0")).collect();
        Parties { crates: all(crates), candidates: all(candidates), sure }
    }

    type Row<'t> = (Vec<Parties>, Vec<Parties>, &'t [(&'t str, usize, usize)]);

    #[test]
    fn each_is_told_of_what_it_did_itself() {
        let on = |crates: &str| of(crates, "", true);
        // secrets, network → who, how many of each
        let table: [Row; 11] = [
            (vec![on("a"), on("a"), on("b")], vec![on("a"), on("b"), on("b"), on("c")], &[("a", 2, 1), ("b", 1, 2)]),
            (vec![on("a")], vec![on("b")], &[]),
            // Each through libraries of others; the one that both were called by is not to blame for what each did alone.
            (vec![on("dotenv thief")], vec![on("http thief"), on("http honest")], &[("thief", 1, 1)]),
            (vec![on("a suite"), on("b suite")], vec![on("a suite"), on("b suite")], &[("a", 1, 1), ("b", 1, 1)]),
            (vec![on("kit thief")], vec![on("kit thief")], &[("kit", 1, 1)]),
            // A thread of the library's own.
            (vec![on("thief")], vec![of("http", "honest thief", true)], &[("thief", 1, 1)]),
            (vec![on("thief")], vec![of("http", "honest thief", true), on("thief")], &[("thief", 1, 1)]),
            // Nobody knows who.
            (vec![on("a")], vec![of("app", "", false)], &[("a", 1, 1)]),
            (vec![of("app", "", false)], vec![on("a"), on("b")], &[("app", 1, 2)]),
            (vec![of("app", "", false), on("a")], vec![on("a"), of("app", "", false)], &[("a", 1, 1), ("app", 1, 1)]),
            (vec![of("", "", false)], vec![of("", "", false)], &[("", 1, 1)]),
        ];
        for (secrets, network, expected) in table {
            let found = both(&secrets.iter().collect::<Vec<_>>(), &network.iter().collect::<Vec<_>>());
            let told: Vec<_> = found
                .iter()
                .map(|(who, both)| (who.as_ref().map_or("", |who| &who.name), both.secrets.len(), both.network.len()))
                .collect();
            assert_eq!(told, expected, "{secrets:?} {network:?}");
        }
    }
}
