//! What rustc makes in its current directory for a moment when it is to write to its standard output: a directory `rmetaXXXXXX` with one
//! file in it. Build scripts that probe so (rustix 0.38, `rustc --emit=metadata -o - -`) stand in their own package, which they may not
//! write; refused, they believe that the compiler lacks what they asked for. So a script may make just these, in just this place. What is
//! in them when the script is over, the gate takes away. In: an act of a build script. Out: a ruling, and what is still there.

use std::path::PathBuf;

use super::paths::{below, is_drawn, name, parent};
use super::policy::Policy;
use super::ruling::Ruling;
use crate::model::{Act, ActorKind};

/// At the same time: a probe has one.
const MOST: usize = 64;

/// Allowed, or nothing to say. A link, another name, a change of mode is none of rustc's habits here.
pub(crate) fn change(policy: &Policy, act: &Act, path: &[u8]) -> Option<Ruling> {
    if policy.kind != ActorKind::BuildScript {
        return None;
    }
    let allowed = match act {
        Act::Create { .. } if is_scratch(policy, path) => policy.made.count() < MOST,
        Act::Create { .. } | Act::Write { .. } => name(path).ends_with(b".rmeta") && policy.made.holds(parent(path)),
        Act::Remove { .. } => policy.made.holds(path) || policy.made.holds(parent(path)),
        _ => false,
    };
    allowed.then_some(Ruling::Allow)
}

/// An act was done.
pub(crate) fn done(policy: &Policy, act: &Act) {
    match act {
        Act::Create { path } if is_scratch(policy, path.as_bytes()) => policy.made.enter(path.as_bytes()),
        Act::Remove { path } => policy.made.leave(path.as_bytes()),
        _ => {}
    }
}

/// What a script that is over has left: to be taken away.
pub fn left(policy: &Policy) -> Vec<PathBuf> {
    if policy.kind == ActorKind::BuildScript { policy.made.all() } else { Vec::new() }
}

fn is_scratch(policy: &Policy, path: &[u8]) -> bool {
    let own = policy.kind == ActorKind::BuildScript
        && policy.own.package.as_ref().is_some_and(|package| below(path, package) == Some(name(path)));
    own && policy.write_depth(path).is_none() && name(path).strip_prefix(b"rmeta").is_some_and(is_drawn)
}
