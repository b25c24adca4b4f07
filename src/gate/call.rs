//! One notified call: its registers, what it leads to in the actor's memory, and what is written down about it.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use super::patient::as_person;
use super::{Answer, Reply, Watched, memory, own};
use crate::attribute::stack::Caught;
use crate::judge::reviewed::Lift;
use crate::model::{Act, ActorId, ActorKind, Blame, Breach, Event, Hostile, Judgement, Mode, Object, Status, Verdict};
use crate::sys::files;
use crate::sys::identity::{Person, is_as_able};
use crate::sys::notify::{self, Notification};
use crate::sys::process::{stat, status};

/// Stacks looked at per actor: what is refused a thousand times has been understood.
const MOST_LOOKS: u32 = 1000;

/// One notified call, decoded no further than its registers.
pub struct Call<'a> {
    pub watched: &'a Watched,
    /// The kernel's cookie for the answer.
    pub id: u64,
    /// Thread that called (in our pid namespace).
    pub tid: u32,
    pub number: i64,
    pub args: [u64; 6],
    pid: Cell<Option<u32>>,
    person: RefCell<Option<Person>>,
    notes: RefCell<Vec<Note>>,
    /// What was found when this very call came for the first time.
    looked: Option<Blame>,
    /// For a call that a runner has: does it have to go back to the gate thread?
    back: Option<Cell<bool>>,
}

/// What is to be written down once the call is answered.
pub(super) struct Note {
    event: Event,
    look: Option<Look>,
    /// The process whose tree inherits what the look finds.
    heir: Option<u32>,
}

/// A thread caught on its way out of a call.
struct Look {
    caught: Caught,
    /// Is it the calling thread itself? Then the call must not be let through before the look: an exec destroys the stack, and a
    /// call that blocks would be interrupted, restarted and caught for ever.
    caller: bool,
}

/// A call whose stack was looked at before it was made, and which is coming again.
pub(super) struct Repeat {
    number: i64,
    args: [u64; 6],
    blame: Blame,
}

thread_local! {
    static LOOKS: Cell<u32> = const { Cell::new(0) };
}

impl<'a> Call<'a> {
    pub fn new(watched: &'a Watched, notification: &Notification) -> Call<'a> {
        let Notification { tid, number, args, .. } = *notification;
        let before = watched.repeats().remove(&tid);
        let looked = before.filter(|before| (before.number, before.args) == (number, args)).map(|before| before.blame);
        Call { looked, back: None, ..Call::errand(watched, notification) }
    }

    /// A call that a runner has: whatever is not simply allowed makes it go back.
    pub(super) fn errand(watched: &'a Watched, notification: &Notification) -> Call<'a> {
        let Notification { id, tid, number, args, .. } = *notification;
        let (pid, person, notes, back) = (Cell::new(None), RefCell::default(), RefCell::default(), Some(Cell::new(false)));
        Call { watched, id, tid, number, args, pid, person, notes, looked: None, back }
    }

    /// Sends a call that a runner has back to the gate thread; false for all others. What is done about it after that counts for nothing.
    pub(super) fn send_back(&self) -> bool {
        self.back.as_ref().is_some_and(|back| {
            back.set(true);
            true
        })
    }

    /// Was it sent back?
    pub(super) fn goes_back(&self) -> bool {
        self.back.as_ref().is_some_and(Cell::get)
    }

    /// Has it come for the second time, now that its stack was looked at?
    pub(super) fn was_looked_at(&self) -> bool {
        self.looked.is_some()
    }

    pub fn actor(&self) -> ActorId {
        self.watched.actor.id
    }

    /// Process (thread group) of the caller.
    pub fn pid(&self) -> u32 {
        self.pid.get().unwrap_or_else(|| {
            let pid = self.watched.processes().of(self.tid);
            self.pid.set(Some(pid));
            pid
        })
    }

    /// An argument that the kernel takes as an `int`: the upper half of the register means nothing.
    pub fn int(&self, index: usize) -> i32 {
        self.args[index] as i32
    }

    /// # Errors
    /// `ESRCH` when the caller waits no longer: its thread id may be another's by now.
    pub fn check_valid(&self) -> io::Result<()> {
        if notify::id_valid(self.watched.listener.as_fd(), self.id) { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
    }

    /// The path an argument points at.
    ///
    /// # Errors
    /// The kernel's: `EFAULT`, `ENAMETOOLONG`.
    pub fn path(&self, index: usize) -> io::Result<Vec<u8>> {
        memory::read_path(self.tid, self.args[index])
    }

    /// The caller's file mode creation mask; everything is masked where it cannot be known.
    pub fn umask(&self) -> u32 {
        status(self.tid).map_or(0o777, |status| status.umask)
    }

    /// Makes something with this mode on the caller's behalf, under its umask.
    pub fn make<T>(&self, mode: u32, make: impl FnOnce(u32) -> io::Result<T>) -> io::Result<T> {
        files::masked(self.umask(), mode, make)
    }

    /// Is this a process of the same actor? One that has made a call here, or whose ancestor has; numbers are used again, so it must have
    /// begun by then.
    pub fn is_kin(&self, mut pid: u32) -> bool {
        let asked = pid;
        for _ in 0..32 {
            if self.is_seen(pid) {
                return true;
            }
            match status(pid) {
                Some(status) if status.parent > 1 => pid = status.parent,
                _ => break,
            }
        }
        // A fork that has never made a call here, and has lost its parent.
        stat(asked).is_some_and(|stat| self.is_own_group(stat.group) || self.is_own_group(stat.session))
    }

    /// Is this a group (or session) that a process of the actor leads or led? Only its descendants can be in it: one may put oneself and
    /// one's children into a group (setpgid(2)), and its number is nobody else's while it has members.
    pub fn is_own_group(&self, group: u32) -> bool {
        match stat(group) {
            Some(_) => self.is_seen(group),
            None => self.watched.processes().seen_at(group).is_some(),
        }
    }

    /// The processes of this actor that are still there, the caller's first.
    pub fn own_processes(&self) -> Vec<u32> {
        let mut pids = self.watched.processes().pids();
        pids.retain(|pid| self.is_seen(*pid));
        pids.sort_by_key(|pid| *pid != self.pid());
        pids
    }

    fn is_seen(&self, pid: u32) -> bool {
        let seen = self.watched.processes().seen_at(pid);
        seen.is_some_and(|seen| stat(pid).is_some_and(|stat| stat.started <= seen))
    }

    /// Who the caller is, where that is not who we are: a root's child that has become somebody else, or has given capabilities away.
    ///
    /// # Errors
    /// When it cannot be known.
    pub fn someone_else(&self) -> io::Result<Option<Person>> {
        let own = own::own()?;
        if !own.may_change {
            return Ok(None);
        }
        if self.person.borrow().is_none() {
            // The thread waits in its call and is the only one that could change this.
            let person = crate::sys::process::person(self.tid).ok_or_else(|| io::Error::from_raw_os_error(libc::EPERM))?;
            self.check_valid()?;
            *self.person.borrow_mut() = Some(person);
        }
        let person = self.person.borrow().as_ref().filter(|person| **person != own.person).cloned();
        if person.is_some() {
            self.pid();
            self.watched.processes().changed(self.tid);
        }
        Ok(person)
    }

    /// Has the caller been seen to be somebody else?
    pub fn has_changed(&self) -> bool {
        self.watched.processes().has_changed(self.tid)
    }

    /// Does something to files with the caller's rights: ours, unless it has become somebody else. Never left to the kernel with the
    /// caller's own pointers, which another thread exchanges.
    ///
    /// # Errors
    /// The deed's, and `EPERM` where we cannot act in the caller's name.
    pub fn as_caller<T>(&self, deed: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let person = self.someone_else()?;
        // A runner acts in nobody's name but ours.
        if person.is_some() && self.send_back() {
            return Err(io::Error::from_raw_os_error(libc::EAGAIN));
        }
        as_person(person.as_ref(), deed)
    }

    /// Opens what is there with the caller's rights: as `as_caller`, but who the caller is does not matter while it is as able as we are.
    ///
    /// # Errors
    /// As for `as_caller`.
    pub fn open_as_caller<T>(&self, open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.is_as_able()? { open() } else { self.as_caller(open) }
    }

    /// Looks something up with the caller's rights. A miss is told as we see it, until the caller has been seen to be somebody else.
    ///
    /// # Errors
    /// As for `as_caller`.
    pub fn look_as_caller<T>(&self, look: impl Fn() -> io::Result<T>) -> io::Result<T> {
        if !own::own()?.may_change {
            return look();
        }
        if !self.has_changed() {
            let found = look()?;
            if self.is_as_able()? || self.someone_else()?.is_none() {
                return Ok(found);
            }
        }
        self.as_caller(look)
    }

    fn is_as_able(&self) -> io::Result<bool> {
        let own = own::own()?;
        Ok(!own.may_change || is_as_able(self.tid, own.person.capabilities))
    }

    /// For a worker thread that answers later.
    pub fn reply(&self) -> Reply {
        Reply::telling(self.watched.listener.clone(), self.id, self.watched.answers.clone())
    }

    /// Judges, and notes whatever is worth recording (with blame where the act needs a finer name).
    /// A verdict [`Caught::REPEAT`] is no refusal: the call comes again, and is judged then.
    pub fn judge(&self, act: Act, object: Option<Object>) -> Judgement {
        let judgement = self.watched.policy.judge(&act, object);
        if judgement != Judgement::allow() && self.send_back() {
            return Judgement { verdict: Verdict::Refuse(libc::EAGAIN), breach: None, noted: false };
        }
        if let Some(lift) = self.watched.policy.lift(&act, object, &judgement)
            && let Some(lifted) = self.lifted(&lift)
        {
            if lifted == Judgement::allow() {
                self.watched.journal.used(lift.by);
                self.note(act, Status::Allowed, None);
            }
            return lifted;
        }
        self.note(act, judgement.status(), judgement.breach.clone());
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
        self.note(act, judgement.status(), judgement.breach.clone());
        judgement
    }

    /// As `judge`, but refused with `errno` whatever the policy says, in both modes: acts that would blind the record.
    pub fn refuse(&self, act: Act, object: Option<Object>, errno: i32) -> Answer {
        if self.send_back() {
            return Answer::Errno(libc::EAGAIN);
        }
        let judgement = self.watched.policy.judge(&act, object);
        self.note(act, Status::Refused, judgement.breach);
        Answer::Errno(errno)
    }

    /// Refuses a call nothing honest makes.
    pub fn tamper(&self, call: &str, detail: impl Into<Hostile>) -> Answer {
        self.refuse(Act::Tamper { call: call.into(), detail: detail.into() }, None, libc::EPERM)
    }

    pub fn enforces(&self) -> bool {
        self.watched.policy.mode == Mode::Enforce
    }

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
        self.looked.clone().or_else(|| self.watched.processes().inherited(self.pid()))
    }

    /// The same, however often: where the answer depends on it, the caller pays for each look with its own time.
    fn look(&self) -> Result<Option<Blame>, i32> {
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
        };
        self.notes.borrow_mut().push(Note { event, look: Some(Look { caught, caller: true }), heir: None });
        Err(Caught::REPEAT)
    }

    fn note(&self, act: Act, status: Status, breach: Option<Breach>) {
        let event = Event { actor: self.actor(), pid: self.pid(), act, status, breach, blame: None };
        self.push(event);
    }

    fn push(&self, mut event: Event) {
        let (mut look, mut heir) = (None, None);
        let spawned = self.is_spawn(&event);
        if event.breach.is_some() || spawned {
            event.blame = self.looked.clone().or_else(|| self.watched.processes().inherited(event.pid));
            let already = self.notes.borrow().iter().any(|note| note.look.is_some());
            if event.blame.is_none() && !already && LOOKS.get() < MOST_LOOKS {
                LOOKS.set(LOOKS.get() + 1);
                look = self.catch(&event);
                heir = spawned.then_some(event.pid);
            }
        }
        self.notes.borrow_mut().push(Note { event, look, heir });
    }

    /// Is this the first program of a process that the actor's own code started? What that tree does later is blamed on whoever
    /// wanted it now. A compiler's linker is the compiler's own doing.
    fn is_spawn(&self, event: &Event) -> bool {
        let Act::Exec { path, .. } = &event.act else { return false };
        let wanted = match self.watched.actor.kind {
            ActorKind::BuildScript | ActorKind::Program | ActorKind::ProcMacro => true,
            ActorKind::Rustc | ActorKind::Rustdoc => !is_linker(path.as_path()),
            ActorKind::Linker | ActorKind::Tool => false,
        };
        wanted && event.pid != self.watched.actor.pid && {
            let processes = self.watched.processes();
            processes.is_fork(event.pid) && processes.parent(event.pid) == self.watched.actor.pid
        }
    }

    /// Has the right thread stop on its way out of the call it sits in. A child that is about to execute a program was made by a
    /// thread of its parent, whose stack says who wanted it.
    fn catch(&self, event: &Event) -> Option<Look> {
        let unwinder = &self.watched.unwinder;
        let exec = event.pid != self.watched.actor.pid && matches!(event.act, Act::Exec { .. });
        if exec && self.watched.processes().is_fork(event.pid) {
            let caught = unwinder.catch_spawner(self.tid).ok()?;
            return Some(Look { caller: caught.must_repeat(), caught });
        }
        Some(Look { caught: unwinder.catch(self.tid).ok()?, caller: true })
    }

    /// Is the caller itself caught?
    pub(super) fn is_caught(&self) -> bool {
        self.notes.borrow().iter().any(|note| note.look.as_ref().is_some_and(|look| look.caller))
    }

    /// Takes the look that was caught, forgets what was noted, and remembers the blame for when the call comes again. To be called
    /// after the answer `Caught::REPEAT`.
    pub(super) fn look_before_repeat(self) {
        for note in self.notes.into_inner() {
            let Some(look) = note.look else { continue };
            let blame = self.watched.unwinder.blame(look.caught);
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

    /// Takes back what was noted about an act that was allowed and then failed all the same: nothing happened.
    pub(super) fn nothing_happened(&self) {
        self.notes.borrow_mut().retain(|note| note.event.breach.is_some() || note.event.status == Status::Refused);
    }

    pub(super) fn has_notes(&self) -> bool {
        !self.notes.borrow().is_empty()
    }

    pub(super) fn into_notes(self) -> Vec<Note> {
        self.notes.into_inner()
    }
}

impl Note {
    /// Whoever wanted this is a thread that waits for the caller, which must be able to go on meanwhile: has that thread been looked at?
    /// True for all other notes.
    pub(super) fn is_settled(&mut self, watched: &Watched, patience: Duration) -> bool {
        match &mut self.look {
            Some(look) if !look.caller => watched.unwinder.settle(&mut look.caught, patience),
            _ => true,
        }
    }

    /// Does its stack still have to be looked at?
    pub(super) fn waits(&self) -> bool {
        self.look.is_some()
    }

    /// Writes it down. To be called on the thread that caught the stack, after the answer.
    pub(super) fn write(self, watched: &Watched, blame: &mut Option<Blame>) {
        let mut event = self.event;
        if let Some(Look { caught, caller }) = self.look {
            // A spawner has been waited for already, see `is_settled`.
            let found =
                if caller { watched.unwinder.blame(caught) } else { watched.unwinder.blame_within(caught, Duration::from_millis(20)) };
            if let Some(pid) = self.heir {
                watched.processes().blame(pid, found.clone());
            }
            *blame = Some(found);
        }
        // A fork runs its parent's program: that is the one which acts, and the one the record knows.
        event.pid = watched.processes().program(event.pid);
        if (event.breach.is_some() || self.heir.is_some()) && event.blame.is_none() {
            event.blame = blame.clone();
        }
        watched.journal.event(event);
    }
}

/// Does this look like what rustc links with?
fn is_linker(program: &Path) -> bool {
    let name = program.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
    [
        "cc", "gcc", "clang", "ld", "lld", "collect2", "mold", "wild", "ld.bfd", "ld.gold", "ld.lld", "ld.mold", "rust-lld", "clang++",
        "g++", "c++",
    ]
    .iter()
    .any(|linker| stem == *linker || stem.strip_suffix(linker).is_some_and(|front| front.ends_with('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linkers_by_name() {
        for (path, linker) in [
            ("/usr/bin/cc", true),
            ("/usr/bin/x86_64-linux-gnu-gcc-12", true),
            ("/usr/bin/clang-14", true),
            ("/t/rust-lld", true),
            ("/usr/bin/sh", false),
            ("/usr/bin/curl", false),
            ("/usr/bin/rustfmt", false),
        ] {
            assert_eq!(is_linker(Path::new(path)), linker, "{path}");
        }
    }
}
