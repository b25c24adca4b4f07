//! Whose code an act was, inside a process that runs the code of many. In: an actor, the stack, the build graph. Out: the packages on the stack
//! that handed the act down from one to the next, and which of them is to be named for it.

use crate::model::{Actor, ActorKind, Blame, Package, Rule};

use super::who::Who;

/// The packages behind one act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parties {
    /// Innermost first: who acted, then who needs that and called it, and so on. The program's own code is none of them.
    pub crates: Vec<Package>,
    /// Who may have called the last of them, where nobody on the stack did: a thread of its own.
    pub candidates: Vec<Package>,
    /// The stack was conclusive, or the actor is the code of one package.
    pub sure: bool,
}

impl Parties {
    /// A stack is evidence only, so an incomplete walk names nobody but the actor.
    pub fn of(actor: &Actor, blame: Option<&Blame>, who: &dyn Who) -> Parties {
        let own = || actor.package.clone().into_iter().collect();
        let is_mixed = matches!(actor.kind, ActorKind::Program | ActorKind::BuildScript);
        let Some(blame) = blame.filter(|blame| is_mixed && blame.caveat.is_none() && !blame.crates.is_empty()) else {
            return Parties { crates: own(), candidates: Vec::new(), sure: !is_mixed };
        };
        let name = actor.crate_name.as_ref().map(|name| name.replace('-', "_"));
        // Of a program that somebody else had started, who wanted it comes after its own code.
        let started = blame.by == Blame::STARTED;
        let (mut crates, mut is_called): (Vec<Package>, bool) = (Vec::new(), false);
        for candidate in &blame.crates {
            if candidate.name.starts_with("build_script_") || Some(&candidate.name) == name.as_ref() {
                is_called = true;
                if started {
                    continue;
                }
                break;
            }
            let package = candidate.package.clone().or_else(|| who.package_of_crate(&candidate.name));
            let Some(package) = package.filter(|package| !(started && Some(package) == actor.package.as_ref())) else { continue };
            match crates.last() {
                None => crates.push(package),
                // Who does not need the one below has only lent a thread to it, or was called back.
                Some(last) if who.needs(&package, last) => crates.push(package),
                Some(_) => {}
            }
        }
        // What a build script has a library do is its own doing. Of tests, what they call was written by others.
        if is_called && actor.kind == ActorKind::BuildScript {
            crates.extend(own().into_iter().filter(|package: &Package| !crates.contains(package)).collect::<Vec<_>>());
        }
        let alone = crates.last().filter(|_| !is_called && crates.len() == 1).zip(actor.package.as_ref());
        let candidates = alone.map(|(package, within)| who.dependents(package, within)).unwrap_or_default();
        // With one way to it there is nothing to choose from.
        let candidates = if candidates.len() > 1 { candidates } else { Vec::new() };
        if crates.is_empty() {
            return Parties { crates: own(), candidates, sure: true };
        }
        Parties { crates, candidates, sure: true }
    }

    /// Who is named for it, and what that one did it through, nearest first. The network is reached through libraries that are there for that: who called
    /// them wanted it. Everything else is the deed of who did it.
    pub fn accused(&self, rule: Rule) -> (Option<&Package>, Vec<&Package>) {
        match (&self.crates[..], is_network(rule)) {
            ([through @ .., caller], true) => (Some(caller), through.iter().rev().collect()),
            (crates, _) => (crates.first(), Vec::new()),
        }
    }
}

pub fn is_network(rule: Rule) -> bool {
    matches!(rule, Rule::NetConnect | Rule::NetDns | Rule::NetBind)
}

#[cfg(test)]
#[path = "parties_tests.rs"]
mod tests;
