//! Which macros a compiler had loaded: what it read for the text it compiles, any of them may have written there. In: what compilers read, each actor by
//! itself. Out: packages of macros.

use std::collections::BTreeSet;

use super::material::Material;
use super::who::Who;
use crate::model::{Act, Actor, ActorId, ActorKind, Evidence, Hostile, Package};

/// Of a file that a compiler itself read. None where it is no compiler, or a macro was on the stack: that one is known.
pub fn candidates(material: &Material, member: &Actor, evidence: &[Evidence], who: &dyn Who) -> Vec<Package> {
    let is_read = evidence.iter().all(|one| matches!(one.act, Act::Read { .. }));
    if !matches!(member.kind, ActorKind::Rustc | ActorKind::Rustdoc) || !is_read {
        return Vec::new();
    }
    of(material, &|id| id == member.id, member, who)
}

/// Who can have put a suggestion into the mouth of a package's compiler, which `cargo fix` then followed: no code of the package itself runs in there.
pub fn suggested(material: &Material, member: &Actor, who: &dyn Who) -> Vec<Package> {
    if member.crate_name.as_deref() != Some(Actor::FIX) || member.kind != ActorKind::Tool {
        return Vec::new();
    }
    let is_its = |actor: &&Actor| actor.kind == ActorKind::Rustc && actor.package == member.package;
    let compilers: BTreeSet<ActorId> = material.actors.iter().filter(is_its).map(|actor| actor.id).collect();
    of(material, &|id| compilers.contains(&id), member, who)
}

/// Macros whose objects these actors have read.
fn of(material: &Material, is_it: &dyn Fn(ActorId) -> bool, member: &Actor, who: &dyn Who) -> Vec<Package> {
    let is_object = |path: &&Hostile| path.as_bytes().ends_with(b".so");
    let read = material.behaviours.iter().filter_map(|did| match &did.act {
        Act::Read { path } if is_it(did.actor) => Some(path),
        _ => None,
    });
    let found: BTreeSet<Package> = read.filter(is_object).filter_map(|path| who.macro_of_object(path)).collect();
    // A macro's own compilation makes its object.
    found.into_iter().filter(|package| Some(package) != member.package.as_ref()).collect()
}
