//! Judging the acts of a call, and noting what is to be recorded of them.

use super::Call;
use crate::gate::Answer;
use crate::judge::Spent;
use crate::judge::exceptions::Granted;
use crate::judge::reviewed::Lift;
use crate::model::{Act, ActorKind, Breach, Event, Hostile, Judgement, Mode, Object, Status, Verdict};

impl Call<'_> {
    /// Judges, and notes whatever is worth recording (with blame where the act needs a finer name).
    /// A verdict [`Caught::REPEAT`](crate::attribute::stack::Caught::REPEAT) is no refusal: the call comes again, and is judged then.
    pub fn judge(&self, act: Act, object: Option<Object>) -> Judgement {
        let judgement = self.watched.policy.judge(&act, object);
        let is_new = self.watched.policy.unless_accepted(&act, &judgement).is_some();
        if (is_new || judgement != Judgement::allow()) && self.send_back() {
            return Judgement { verdict: Verdict::Refuse(libc::EAGAIN), breach: None, noted: false };
        }
        let judgement = if judgement == Judgement::allow() { judgement } else { self.unless_a_stream(&act, object, judgement) };
        if let Some(spent) = self.watched.policy.spent(&act, object, &judgement) {
            return self.excepted(act, object, judgement, &spent);
        }
        if let Some(lift) = self.watched.policy.lift(&act, object, &judgement)
            && let Some(lifted) = self.lifted(&lift)
        {
            if let Some(new) = self.watched.policy.unless_accepted(&act, &lifted) {
                self.note(act, object, new.status(), new.breach.clone());
                return new;
            }
            if lifted == Judgement::allow() {
                self.watched.journal.used(lift.by);
                self.note(act, object, Status::Allowed, None);
            }
            return lifted;
        }
        if judgement == Judgement::allow()
            && let Some(others) = self.watched.policy.unless_its_own(&act, object)
        {
            match self.look() {
                Ok(blame) if blame.as_ref().is_some_and(|blame| blame.is_whole() && blame.crates.is_empty()) => {}
                Ok(_) => {
                    // Shared by all crates: no grant is about that.
                    self.watched.journal.beyond(self.actor(), &act);
                    self.note(act, object, others.status(), others.breach.clone());
                    return others;
                }
                Err(repeat) => return Judgement { verdict: Verdict::Refuse(repeat), breach: None, noted: false },
            }
        }
        let judgement = self.watched.policy.unless_accepted(&act, &judgement).unwrap_or(judgement);
        self.note(act, object, judgement.status(), judgement.breach.clone());
        judgement
    }

    /// What exceptions of the user's make of an act: those of macros count where the macro alone is on the stack, those `via` a crate where that is on
    /// it, those of programs in rustdoc where a doctest acts.
    fn excepted(&self, act: Act, object: Option<Object>, judgement: Judgement, spent: &Spent) -> Judgement {
        let is_doctests = |granted: &Granted| self.watched.actor.kind == ActorKind::Rustdoc && granted.by.actor == ActorKind::Program;
        let about = spent.by.iter().copied().filter(|granted| !is_doctests(granted) || self.is_doctest());
        let (some, mut by): (Vec<&Granted>, Vec<&Granted>) = about.partition(|granted| granted.asks_who());
        if by.is_empty() && !some.is_empty() {
            match self.look() {
                Ok(blame) => by = some.into_iter().filter(|granted| blame.as_ref().is_some_and(|blame| granted.is_for(blame))).collect(),
                Err(repeat) => return Judgement { verdict: Verdict::Refuse(repeat), breach: None, noted: false },
            }
        }
        let judgement = if by.is_empty() { spent.otherwise.clone() } else { judgement };
        let judgement = self.watched.policy.unless_accepted(&act, &judgement).unwrap_or(judgement);
        by.iter().for_each(|granted| self.watched.journal.spent(&granted.by));
        self.note(act, object, judgement.status(), judgement.breach.clone());
        judgement
    }

    /// What a reviewed allow makes of an act; `None` where it is not for whoever is on the stack.
    fn lifted(&self, lift: &Lift) -> Option<Judgement> {
        if !lift.to_macro {
            return Some(Judgement::allow());
        }
        match self.look() {
            Ok(blame) => blame.is_some_and(|blame| lift.allow.made_this(&blame)).then(Judgement::allow),
            Err(repeat) => Some(Judgement { verdict: Verdict::Refuse(repeat), breach: None, noted: false }),
        }
    }

    /// As `judge`, for a connection that is allowed inside the actor's private network, and would leave it.
    pub fn judge_outside(&self, act: Act) -> Judgement {
        let judgement = self.watched.policy.judge_outside();
        let judgement = self.watched.policy.unless_accepted(&act, &judgement).unwrap_or(judgement);
        self.note(act, None, judgement.status(), judgement.breach.clone());
        judgement
    }

    /// As `judge`, but refused with `errno` whatever the policy says, in both modes: acts that would blind the record.
    pub fn refuse(&self, act: Act, object: Option<Object>, errno: i32) -> Answer {
        if self.send_back() {
            return Answer::Errno(libc::EAGAIN);
        }
        let judgement = self.watched.policy.judge(&act, object);
        self.watched.journal.beyond(self.actor(), &act);
        self.note(act, object, Status::Refused, judgement.breach);
        Answer::Errno(errno)
    }

    /// Refuses a call nothing honest makes.
    pub fn tamper(&self, call: &str, detail: impl Into<Hostile>) -> Answer {
        self.refuse(Act::Tamper { call: call.into(), detail: detail.into() }, None, libc::EPERM)
    }

    /// Is what is refused really refused, and not only recorded?
    pub fn enforces(&self) -> bool {
        match self.watched.policy.mode {
            Mode::Enforce | Mode::Decoy => true,
            Mode::Observe => false,
        }
    }

    fn note(&self, act: Act, object: Option<Object>, status: Status, breach: Option<Breach>) {
        let (journal, actor) = (&self.watched.journal, self.actor());
        let is_broken = matches!(status, Status::Refused | Status::Observed | Status::Decoy);
        if is_broken && journal.is_news(actor, &act) && !self.watched.policy.could_allow(&act, object, breach.as_ref()) {
            journal.beyond(actor, &act);
        }
        let event = Event { actor: self.actor(), pid: self.pid(), act, status, breach, blame: None, at_ms: 0 };
        self.push(event);
    }
}
