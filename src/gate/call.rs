//! One notified call: its registers, the process that made it, and what is to be written down about it. How it is judged, in whose name it is
//! done and whose stack it came from are rooms of their own (`judge`, `caller`, `stack`, `kin`).

mod caller;
mod judge;
mod kin;
mod stack;
mod streams;

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsFd;

use super::note::Note;
use super::{Reply, Watched, memory};
use crate::model::{ActorId, Blame, Status};
use crate::sys::identity::Person;
use crate::sys::notify::{self, Notification};

/// One notified call, decoded no further than its registers.
pub struct Call<'a> {
    pub watched: &'a Watched,
    /// The kernel's cookie for the answer: `id` of `struct seccomp_notif`.
    pub id: u64,
    /// Thread that called (in our pid namespace).
    pub tid: u32,
    /// The system call's, in the numbering of this architecture.
    pub number: i64,
    /// Registers as they were when the call was made. What they point at may change at any time.
    pub args: [u64; 6],
    pid: Cell<Option<u32>>,
    person: RefCell<Option<Person>>,
    notes: RefCell<Vec<Note>>,
    /// What was found when this very call came for the first time.
    looked: Option<Blame>,
    /// For a call that a thread of the pool has: does it have to go back to the gate thread?
    back: Option<Cell<bool>>,
}

impl<'a> Call<'a> {
    /// A call that has just been received.
    pub fn new(watched: &'a Watched, notification: &Notification) -> Call<'a> {
        let Notification { tid, number, args, .. } = *notification;
        let before = watched.repeats().remove(&tid);
        let looked = before.filter(|before| (before.number, before.args) == (number, args)).map(|before| before.blame);
        Call { looked, back: None, ..Call::offloaded(watched, notification) }
    }

    /// A call that a thread of the pool has: whatever is not simply allowed makes it go back.
    pub(super) fn offloaded(watched: &'a Watched, notification: &Notification) -> Call<'a> {
        let Notification { id, tid, number, args, .. } = *notification;
        let (pid, person, notes, back) = (Cell::new(None), RefCell::default(), RefCell::default(), Some(Cell::new(false)));
        Call { watched, id, tid, number, args, pid, person, notes, looked: None, back }
    }

    /// Sends a call that a thread of the pool has back to the gate thread; false for all others. What is done about it after that counts for nothing.
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

    /// For a worker thread that answers later.
    pub fn reply(&self) -> Reply {
        Reply::telling(self.watched.listener.clone(), self.id, self.watched.wake_ups.clone())
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
