//! In whose name a call is done: ours, or that of a caller which has become somebody else.

use std::io;
use std::os::fd::AsFd;

use super::Call;
use crate::gate::own;
use crate::gate::sandbox::{Domain, State};
use crate::sys::identity::{Person, as_person, is_as_able};
use crate::sys::pidfd;
use crate::sys::process::{person, status};

impl Call<'_> {
    /// The caller's file mode creation mask; everything is masked where it cannot be known.
    pub fn umask(&self) -> u32 {
        status(self.tid).and_then(|status| status.umask).unwrap_or(0o777)
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
            let person = person(self.tid).ok_or_else(|| io::Error::from_raw_os_error(libc::EPERM))?;
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
    pub fn as_caller<T: Send>(&self, deed: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        let (person, sandbox) = (self.someone_else()?, self.sandbox()?);
        // A thread of the pool acts in nobody's name but ours.
        if (person.is_some() || sandbox.is_some()) && self.send_back() {
            return Err(io::Error::from_raw_os_error(libc::EAGAIN));
        }
        let deed = move || as_person(person.as_ref(), deed);
        match sandbox {
            Some(sandbox) => sandbox.run(deed),
            None => deed(),
        }
    }

    /// What the caller has put itself behind.
    ///
    /// # Errors
    /// `EACCES` where that cannot be told.
    pub fn sandbox(&self) -> io::Result<Option<Domain>> {
        let watched = self.watched;
        if watched.sandboxes().are_none() {
            return Ok(None);
        }
        let pid = self.pid();
        let state = watched.sandboxes().of(self.tid, pid, |pid| self.parent_of(pid));
        match state {
            State::Free => Ok(None),
            State::Behind(domain) => Ok(Some(domain)),
            State::Unknown => {
                watched.journal.lost("a process was refused what its own sandbox may allow: its threads have entered more than fourteen rulesets, or it was made by one that is gone, and which it is behind could not be told");
                Err(io::Error::from_raw_os_error(libc::EACCES))
            }
        }
    }

    /// The caller puts itself behind the ruleset that is its descriptor `fd`; with `all` its process.
    ///
    /// # Errors
    /// When we cannot follow it.
    pub fn enters(&self, fd: i32, all: bool) -> io::Result<()> {
        let watched = self.watched;
        let pid = self.pid();
        let ruleset = pidfd::get_fd(pidfd::open(pid, 0)?.as_fd(), fd)?;
        self.check_valid()?;
        watched.sandboxes().enter(self.tid, pid, ruleset, all, |pid| self.parent_of(pid))
    }

    /// As it was when a process was first seen, if it was.
    fn parent_of(&self, pid: u32) -> u32 {
        match self.watched.processes().parent(pid) {
            0 => status(pid).map_or(0, |status| status.parent),
            parent => parent,
        }
    }

    /// Opens what is there with the caller's rights: as `as_caller`, but who the caller is does not matter while it is as able as we are.
    ///
    /// # Errors
    /// As for `as_caller`.
    pub fn open_as_caller<T: Send>(&self, open: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        if self.is_as_able()? && self.sandbox()?.is_none() { open() } else { self.as_caller(open) }
    }

    /// Looks something up with the caller's rights. A miss is told as we see it, until the caller has been seen to be somebody else.
    ///
    /// # Errors
    /// As for `as_caller`.
    pub fn look_as_caller<T>(&self, look: impl Fn() -> io::Result<T>) -> io::Result<T> {
        // No sandbox has a say in it: what is looked up is not opened (Landlock has no right for that).
        if !own::own()?.may_change {
            return look();
        }
        if !self.has_changed() {
            let found = look()?;
            if self.is_as_able()? || self.someone_else()?.is_none() {
                return Ok(found);
            }
        }
        let person = self.someone_else()?;
        if person.is_some() && self.send_back() {
            return Err(io::Error::from_raw_os_error(libc::EAGAIN));
        }
        as_person(person.as_ref(), look)
    }

    fn is_as_able(&self) -> io::Result<bool> {
        let own = own::own()?;
        Ok(!own.may_change || is_as_able(self.tid, own.person.capabilities))
    }
}
