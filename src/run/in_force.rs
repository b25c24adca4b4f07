//! The policy of a run for its report: every grant, with the file and line it comes from. In: a resolved profile. Out: lines.

use crate::model::ActorKind;
use crate::model::report::PolicyLine;
use crate::plan::Profile;

/// Kinds of code that have grants of their own; macros and linkers share those of their compiler.
const KINDS: [ActorKind; 5] = [ActorKind::BuildScript, ActorKind::Rustc, ActorKind::Rustdoc, ActorKind::Program, ActorKind::Tool];

pub fn lines(profile: &Profile) -> Vec<PolicyLine> {
    let one = |actor: &str, list: &str, text: &str, origin: &str| PolicyLine {
        actor: actor.to_owned(),
        list: list.to_owned(),
        entry: text.to_owned(),
        origin: origin.to_owned(),
    };
    let mut all = Vec::new();
    for kind in KINDS {
        for (list, lines) in profile.grants(kind).lists() {
            all.extend(lines.iter().map(|line| one(kind.name(), list, &line.text, &line.origin)));
        }
    }
    for (table, reach) in profile.cargo.tables() {
        for (list, lines) in reach.lists() {
            all.extend(lines.iter().map(|line| one(&table, list, &line.text, &line.origin)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grant_says_where_it_comes_from() {
        let all = lines(&crate::plan::load("strict", None).unwrap());
        assert!(KINDS.iter().all(|kind| all.iter().any(|line| line.actor == kind.name())), "{all:?}");
        assert!(all.iter().all(|line| line.origin.starts_with("profiles/") && line.origin.contains(".toml:")), "{all:?}");
        assert!(all.iter().any(|line| line.actor == "build-script" && line.list == "read" && line.entry == "{package}"), "{all:?}");
    }
}
