//! Whose a living process is. In: the actors that still have processes, and the family tree below us. Out: an actor, never a guess:
//! descent from what cargo started, or a call of its own that came in on the actor's listener, or that no other actor is left.

use std::collections::HashMap;

use crate::gate::Alive;
use crate::launch::survivors::Member;
use crate::model::ActorId;

pub struct Owners {
    parents: HashMap<i32, i32>,
    roots: HashMap<i32, ActorId>,
    seen: HashMap<u32, ActorId>,
    only: Option<ActorId>,
}

/// An ancestry is no longer than this; a cycle can only come from numbers given away again while they were read.
const DEEPEST: usize = 256;

impl Owners {
    pub fn new(alive: &[Alive], family: &[Member]) -> Owners {
        let seen = alive.iter().flat_map(|one| one.pids.iter().map(|pid| (*pid, one.actor.id)));
        Owners {
            parents: family.iter().map(|member| (member.pid, member.parent)).collect(),
            roots: alive.iter().map(|one| (one.actor.pid as i32, one.actor.id)).collect(),
            seen: seen.collect(),
            only: if let [only] = alive { Some(only.actor.id) } else { None },
        }
    }

    /// `None` for cargo itself, and where several actors come into question.
    pub fn of(&self, member: &Member) -> Option<ActorId> {
        let ancestry = || std::iter::successors(Some(member.pid), |pid| self.parents.get(pid).copied()).take(DEEPEST);
        let found = ancestry().find_map(|pid| self.roots.get(&pid)).or_else(|| ancestry().find_map(|pid| self.seen.get(&(pid as u32))));
        if let Some(actor) = found {
            return Some(*actor);
        }
        // A listener hangs up when the last process of its actor is gone: with one left, it can only be that actor's.
        self.only.filter(|_| member.orphan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Alive;
    use std::sync::Arc;
    use std::time::Instant;

    fn alive(id: u32, root: u32, pids: &[u32]) -> Alive {
        let actor = crate::model::Actor {
            id: ActorId(id),
            kind: crate::model::ActorKind::BuildScript,
            package: None,
            host: None,
            pid: root,
            exe: "/x".into(),
            argv: Vec::new(),
            cwd: "/".into(),
            crate_name: None,
            attributed_by: "",
            outputs: Vec::new(),
            tmp: "/".into(),
            withheld: Vec::new(),
        };
        Alive { actor: Arc::new(actor), pids: pids.to_vec(), since: Instant::now() }
    }

    /// 1 is us, 2 is cargo, 10 and 20 are what it started, 12 was orphaned and made calls, 13 was orphaned and made none.
    #[test]
    fn descent_then_calls_then_nobody_else() {
        let family: Vec<Member> = [(2, 1, false), (10, 2, false), (11, 10, false), (12, 1, true), (13, 1, true), (14, 13, true)]
            .map(|(pid, parent, orphan)| Member { pid, parent, orphan })
            .into();
        let of = |alive: &[Alive]| {
            let owners = Owners::new(alive, &family);
            family.iter().map(|member| owners.of(member).map_or(0, |actor| actor.0)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[alive(1, 10, &[10, 11]), alive(2, 20, &[20, 12])]), [0, 1, 1, 2, 0, 0]);
        assert_eq!(of(&[alive(2, 20, &[20, 12])]), [0, 0, 0, 2, 2, 2]);
    }
}
