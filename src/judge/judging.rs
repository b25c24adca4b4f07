//! What a policy says to an act. In: an act on its resolved object. Out: a judgement: the rules' ruling in the policy's mode.

use crate::judge::policy::Policy;
use crate::judge::reviewed::{self, Lift};
use crate::judge::rules::net_connect::Reach;
use crate::judge::ruling::Ruling;
use crate::judge::{rules, scratch};
use crate::model::{Act, ActorKind, Endpoint, Judgement, Mode, Object, Verdict};

impl Policy {
    /// Judges an act on its resolved object. `object` is `None` where nothing exists yet or the act has no file.
    pub fn judge(&self, act: &Act, object: Option<Object>) -> Judgement {
        let always = act.is_hostile();
        let known = self.places.second.known_act(act);
        let act = known.as_ref().unwrap_or(act);
        let ruling = self.unless_closed(act, rules::rule(self, act, object));
        self.answer(ruling, always, self.is_on_decoys(act))
    }

    /// The reviewed allow that lifts this judgement of the act, if there is one. Nothing is lifted before it is asked.
    pub fn lift(&self, act: &Act, object: Option<Object>, judgement: &Judgement) -> Option<Lift<'_>> {
        if self.reviewed.is_empty() {
            return None;
        }
        let known = self.places.second.known_act(act);
        reviewed::lift(&self.reviewed, &self.places, known.as_ref().unwrap_or(act), object, judgement)
    }

    /// What is said to an allowed act where its code on the stack is somebody else's than the program's own; `None` where that makes no
    /// difference.
    pub fn unless_its_own(&self, act: &Act, object: Option<Object>) -> Option<Judgement> {
        if self.kind != ActorKind::Rustdoc {
            return None;
        }
        let known = self.places.second.known_act(act);
        let act = known.as_ref().unwrap_or(act);
        let ruling = rules::fs_foreign_artifact::of_all_pages(self, act, object)?;
        Some(self.answer(ruling, false, self.is_on_decoys(act)))
    }

    /// What is said to an act that is allowed, where only what was accepted may be done; `None` where the lock holds it.
    pub fn unless_accepted(&self, act: &Act, judgement: &Judgement) -> Option<Judgement> {
        let accepted = self.accepted.as_ref().filter(|_| !judgement.refused())?;
        accepted.refuses(act)
    }

    /// Where a connection to `to` may lead; the same decision as in `judge`.
    pub fn reach(&self, to: &Endpoint) -> Reach {
        rules::net_connect::reach(self, to)
    }

    /// Judges a connection to a service of this machine where only those of the actor's own network are allowed.
    pub fn judge_outside(&self) -> Judgement {
        self.answer(rules::net_connect::neighbour(self), false, false)
    }

    /// Judges a process that is still there when cargo has ended. `stayed`: in the session it was started in.
    pub fn judge_survivor(&self, stayed: bool) -> Judgement {
        self.answer(rules::proc_survivor::outlived(self, stayed), false, false)
    }

    /// An act was done: what this actor made where all compilers make things is its own from now on, and what it took away no more.
    pub fn done(&self, act: &Act) {
        let known = self.places.second.known_act(act);
        let act = known.as_ref().unwrap_or(act);
        rules::fs_foreign_artifact::done(self, act);
        scratch::done(self, act);
        rules::fs_write_source::done(self, act);
    }

    /// `always`: in every mode. `decoy`: it is done to one.
    fn answer(&self, ruling: Ruling, always: bool, decoy: bool) -> Judgement {
        let refuse = |errno| match self.mode {
            _ if always => Verdict::Refuse(errno),
            Mode::Decoy if decoy => Verdict::Decoy,
            Mode::Enforce | Mode::Decoy => Verdict::Refuse(errno),
            Mode::Observe => Verdict::Allow,
        };
        match ruling {
            Ruling::Allow => Judgement::allow(),
            Ruling::Redact if decoy => Judgement { verdict: Verdict::Decoy, breach: None, noted: false },
            Ruling::Redact => Judgement { verdict: Verdict::Redact, breach: None, noted: false },
            Ruling::Note(breach) => Judgement { verdict: Verdict::Allow, breach: Some(breach), noted: true },
            Ruling::Quiet(errno) => Judgement { verdict: refuse(errno), breach: None, noted: false },
            Ruling::Alarm(errno, breach) => Judgement { verdict: refuse(errno), breach: Some(breach), noted: false },
        }
    }
}
