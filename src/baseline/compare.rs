//! What was done that is not in a lock, and whose code is not. In: a lock, what was folded of a report, units. Out: what is new.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::{Did, Folded, Key};
use super::line::Line;
use super::lock::{Library, Lock, Unit};
use crate::model::barred::{Barred, Why, code_of};
use crate::model::{ActorId, ActorKind};

/// What one actor did that was not accepted.
pub struct News<'f, 'r> {
    pub key: &'f Key,
    pub actor: ActorId,
    pub did: Vec<(&'f Line, &'f Did<'r>)>,
    /// The last version before this one that was accepted and did not do it.
    pub before: Option<String>,
}

/// By package, kind and actor. Of whom nothing was accepted, nothing is news: that is told as it is.
pub fn news<'f, 'r>(lock: &Lock, folded: &'f Folded<'r>) -> Vec<News<'f, 'r>> {
    let mut all: BTreeMap<(&Key, ActorId), News> = BTreeMap::new();
    for (key, lines) in &folded.lines {
        let is_unit = matches!(key.1, crate::model::ActorKind::BuildScript | crate::model::ActorKind::ProcMacro);
        if is_unit && lock.versions(&key.0, key.1).next().is_none() {
            continue;
        }
        for (line, did) in lines.iter().filter(|(line, _)| !lock.holds(key, line)) {
            for one in did {
                let other = || lock.versions(&key.0, key.1).filter(|version| *version != one.version).last().map(str::to_owned);
                let new = all.entry((key, one.actor)).or_insert_with(|| News { key, actor: one.actor, did: Vec::new(), before: other() });
                new.did.push((line, one));
            }
        }
    }
    all.into_values().collect()
}

/// Units that were not accepted, each as what keeps a build from beginning; `origin` names the lock.
pub fn unaccepted<'u>(lock: &Lock, units: impl IntoIterator<Item = &'u Unit>, origin: &str) -> Vec<Barred> {
    let barred = |unit: &Unit| {
        let same = lock.versions(&unit.name, unit.kind).find(|version| *version == unit.version);
        let before = same.or_else(|| lock.versions(&unit.name, unit.kind).last()).map(str::to_owned);
        let why = Why::Unaccepted { kind: unit.kind, before };
        Barred { name: unit.name.clone(), version: unit.version.clone(), why, origin: origin.to_owned() }
    };
    units.into_iter().filter(|unit| !lock.accepts(unit)).map(barred).collect()
}

/// The same of libraries, each with whose scripts and macros it is linked into.
pub fn unlinked<'l>(
    lock: &Lock,
    libraries: impl IntoIterator<Item = (&'l Library, &'l BTreeSet<(String, ActorKind)>)>,
    origin: &str,
) -> Vec<Barred> {
    let barred = |(library, into): (&Library, &BTreeSet<(String, ActorKind)>)| {
        let mut known = lock.libraries.iter().filter(|known| known.name == library.name).map(|known| &known.version);
        let before = known.clone().find(|version| **version == library.version).or_else(|| known.next_back()).cloned();
        let into = into.iter().map(|(name, kind)| format!("the {} of `{name}`", code_of(*kind))).collect();
        let why = Why::Library { into, before, older: lock.without_libraries };
        Barred { name: library.name.clone(), version: library.version.clone(), why, origin: origin.to_owned() }
    };
    libraries.into_iter().filter(|(library, _)| !lock.links(library)).map(barred).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActorKind::BuildScript;

    #[test]
    fn three_states_of_a_unit() {
        let lock = Lock::read("brig-lock 1\na build-script 1.0.0 00 ran x -\nb build-script 1.0.0 00 unseen - -\n").unwrap();
        let unit =
            |name: &str, version: &str, pin: &str| Unit { name: name.into(), kind: BuildScript, version: version.into(), pin: pin.into() };
        let units = [
            unit("a", "1.0.0", "00"),
            unit("b", "1.0.0", "00"),
            unit("a", "1.0.0", "ff"),
            unit("a", "1.1.0", "11"),
            unit("c", "1.0.0", "00"),
            Unit { kind: crate::model::ActorKind::ProcMacro, ..unit("a", "1.0.0", "00") },
        ];
        let found = unaccepted(&lock, &units, "brig.lock");
        let told: Vec<_> = found
            .iter()
            .map(|one| match &one.why {
                Why::Unaccepted { before, .. } => (one.name.as_str(), one.version.as_str(), before.as_deref()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [("a", "1.0.0", Some("1.0.0")), ("a", "1.1.0", Some("1.0.0")), ("c", "1.0.0", None), ("a", "1.0.0", None)]);
    }

    #[test]
    fn a_library_that_changed_is_told_with_whose_code_it_is_linked_into() {
        let lock = Lock::read("brig-lock 2\ncc library 1.0.0 00\ncc library 1.1.0 11\n").unwrap();
        let library = |name: &str, version: &str, pin: &str| Library { name: name.into(), version: version.into(), pin: pin.into() };
        let into = BTreeSet::from([("a".to_owned(), BuildScript), ("m".to_owned(), ActorKind::ProcMacro)]);
        let told = |lock: &Lock, library: &Library| {
            unlinked(lock, [(library, &into)], "brig.lock").into_iter().next().map(|one| match one.why {
                Why::Library { into, before, older } => (into.join(", "), before, older),
                other => panic!("{other:?}"),
            })
        };
        let whose = "the build script of `a`, the macro of `m`".to_owned();
        for (library, expected) in [
            (library("cc", "1.0.0", "00"), None),
            (library("cc", "1.1.0", "ff"), Some(Some("1.1.0"))),
            (library("cc", "1.2.0", "22"), Some(Some("1.1.0"))),
            (library("find", "1.0.0", "00"), Some(None)),
        ] {
            let expected = expected.map(|before: Option<&str>| (whose.clone(), before.map(str::to_owned), false));
            assert_eq!(told(&lock, &library), expected, "{library:?}");
        }
        let older = Lock::read("brig-lock 1\n").unwrap();
        assert_eq!(told(&older, &library("cc", "1.0.0", "00")), Some((whose, None, true)));
    }
}
