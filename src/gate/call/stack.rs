//! Whose code made a call: the stack of the calling thread, or of the one that spawned it, is caught and unwound, and what was found is
//! remembered for a call that comes again and for the processes below.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Call;
use crate::attribute::stack::Caught;
use crate::gate::note::{Look, Note};
use crate::gate::own::own;
use crate::gate::repeat::Repeat;
use crate::judge::paths::components;
use crate::model::{Act, ActorKind, Blame, Event, Hostile, Status};

/// Stacks looked at per actor: what is refused a thousand times has been understood.
const MOST_LOOKS: u32 = 1000;

thread_local! {
    static LOOKS: Cell<u32> = const { Cell::new(0) };
}

impl Call<'_> {
    /// Who is on the caller's stack, for acts that are judged later without a call that waits. `Err` when the call has to come again,
    /// looked at this time: it is to be answered with that errno, [`Caught::REPEAT`].
    ///
    /// # Errors
    /// See above.
    pub fn blame(&self) -> Result<Option<Blame>, i32> {
        let known = self.known();
        if known.is_some() || LOOKS.get() >= MOST_LOOKS {
            return Ok(known);
        }
        LOOKS.set(LOOKS.get() + 1);
        self.look()
    }

    fn known(&self) -> Option<Blame> {
        self.looked.clone().or_else(|| self.inherited(self.pid()))
    }

    /// Whom this process is blamed on without a look: whoever started it. A program of this build has a stack that says more.
    fn inherited(&self, pid: u32) -> Option<Blame> {
        let blame = self.watched.processes().inherited(pid)?;
        (!self.is_product(pid)).then_some(blame)
    }

    /// Does it run what cargo or rustdoc made in this build, where nobody in this actor could have put it?
    fn is_product(&self, pid: u32) -> bool {
        let (actor, policy) = (&self.watched.actor, &self.watched.policy);
        if !policy.is_program() {
            return false;
        }
        let running = |pid: u32| own().and_then(|own| own.link_of(pid, "exe"));
        let Ok(exe) = running(pid) else { return false };
        if actor.kind == ActorKind::Rustdoc {
            // Doctests, which rustdoc starts, or one program of all of them, which starts itself for each. What one makes there runs under another
            // name: a program that runs is not written to, and one that was replaced is called deleted.
            let parent = self.watched.processes().parent(pid);
            let itself = || running(parent).is_ok_and(|other| other == exe) && self.watched.processes().parent(parent) == actor.pid;
            return Path::new(OsStr::from_bytes(&exe)).starts_with(&actor.tmp) && (parent == actor.pid || itself());
        }
        // Below `build` lies what scripts made.
        policy.places.result(&exe).is_some_and(|rest| !components(rest).any(|part| part == b"build")) && policy.write_depth(&exe).is_none()
    }

    /// Is it a doctest, as rustdoc starts them, and not rustdoc, what macros in it do, or what they have started?
    pub(super) fn is_doctest(&self) -> bool {
        let pid = self.pid();
        let parent = self.watched.processes().parent(pid);
        // One program of all doctests starts itself for each: who has started that one?
        let first = if parent == self.watched.actor.pid { pid } else { parent };
        self.is_product(pid) && self.watched.processes().inherited(first).is_none_or(|starter| starter.crates.is_empty())
    }

    /// The same, however often: where the answer depends on it, the caller pays for each look with its own time.
    pub fn look(&self) -> Result<Option<Blame>, i32> {
        let known = self.known();
        if known.is_some() {
            return Ok(known);
        }
        let Ok(caught) = self.watched.unwinder.catch_before(self.tid) else { return Ok(None) };
        let event = Event {
            actor: self.actor(),
            pid: self.pid(),
            act: Act::Tamper { call: "look".into(), detail: Hostile::default() },
            status: Status::Allowed,
            breach: None,
            blame: None,
            at_ms: 0,
        };
        self.notes.borrow_mut().push(Note { event, look: Some(Look { caught, caller: true }), heir: None });
        Err(Caught::REPEAT)
    }

    pub(super) fn push(&self, mut event: Event) {
        let (mut look, mut heir) = (None, None);
        let spawned = self.is_spawn(&event);
        if event.breach.is_some() || spawned {
            event.blame = self.looked.clone().or_else(|| self.inherited(event.pid));
            let already = self.notes.borrow().iter().any(|note| note.look.is_some());
            if event.blame.is_none() && !already && LOOKS.get() < MOST_LOOKS {
                LOOKS.set(LOOKS.get() + 1);
                match self.catch(&event) {
                    Ok(caught) => look = Some(caught),
                    // One of the actor's own has it, or the one that is starting a program: then it is known who wanted that.
                    Err(_) => {
                        let processes = self.watched.processes();
                        event.blame = processes.traced(event.pid).or_else(|| processes.traced(processes.parent(event.pid)));
                    }
                }
                heir = spawned.then_some(event.pid);
            }
            if event.blame.is_none() && look.is_none() && !already {
                event.blame = self.watched.processes().inherited(event.pid);
            }
        }
        self.notes.borrow_mut().push(Note { event, look, heir });
    }

    /// Is this the first program of a process that the actor's own code started? What that tree does later is blamed on whoever
    /// wanted it now: of a compiler's linker that is the compiler itself, or a macro in it that started one.
    fn is_spawn(&self, event: &Event) -> bool {
        let is_code = !matches!(self.watched.actor.kind, ActorKind::Linker | ActorKind::Tool);
        is_code && matches!(event.act, Act::Exec { .. }) && event.pid != self.watched.actor.pid && {
            let processes = self.watched.processes();
            let (is_fork, parent) = (processes.is_fork(event.pid), processes.parent(event.pid));
            drop(processes);
            is_fork && (parent == self.watched.actor.pid || self.is_product(parent))
        }
    }

    /// Has the right thread stop on its way out of the call it sits in. A child that is about to execute a program was made by a
    /// thread of its parent, whose stack says who wanted it.
    fn catch(&self, event: &Event) -> io::Result<Look> {
        let unwinder = &self.watched.unwinder;
        let exec = event.pid != self.watched.actor.pid && matches!(event.act, Act::Exec { .. });
        if exec && self.watched.processes().is_fork(event.pid) {
            let caught = unwinder.catch_spawner(self.tid)?;
            return Ok(Look { caller: caught.must_repeat(), caught });
        }
        Ok(Look { caught: unwinder.catch(self.tid)?, caller: true })
    }

    /// Is the caller itself caught?
    pub(in crate::gate) fn is_caught(&self) -> bool {
        self.notes.borrow().iter().any(|note| note.look.as_ref().is_some_and(|look| look.caller))
    }

    /// Takes the look that was caught, forgets what was noted, and remembers the blame for when the call comes again. To be called
    /// after the answer `Caught::REPEAT`.
    pub(in crate::gate) fn look_before_repeat(self) {
        for note in self.notes.into_inner() {
            let Some(look) = note.look else { continue };
            let blame = self.watched.unwinder.blame(look.caught).of_started(self.watched.processes().inherited(note.event.pid));
            if let Some(pid) = note.heir {
                self.watched.processes().blame(pid, blame.clone());
            }
            let mut repeats = self.watched.repeats();
            if repeats.len() > 1024 {
                repeats.clear();
            }
            repeats.insert(self.tid, Repeat { number: self.number, args: self.args, blame });
        }
    }
}
