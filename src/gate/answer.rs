//! How a call is answered: an [`Answer`] becomes ioctls on the listener, at once or later from a worker's [`Reply`].

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::sys::memory;
use crate::sys::notify::{self, Notification};

/// How a call is answered.
#[derive(Debug)]
pub enum Answer {
    /// Let the kernel run the call with the actor's own arguments (`SECCOMP_USER_NOTIF_FLAG_CONTINUE`, Linux 5.5). It reads them again from
    /// memory that other threads may write to, so never where what they point at was judged.
    Continue,
    /// The call returns this value.
    Value(i64),
    /// The call fails with this errno.
    Errno(i32),
    /// The call returns this descriptor, put into the actor's table in the same step (`SECCOMP_ADDFD_FLAG_SEND`, Linux 5.14).
    AddFd { fd: OwnedFd, cloexec: bool },
    /// The same in two steps (`SECCOMP_IOCTL_NOTIF_ADDFD`, Linux 5.9; then the response), so that nothing of it is left with us when the
    /// caller goes on.
    AddFdAndDrop { fd: OwnedFd, cloexec: bool },
    /// Put `fd` over the actor's own descriptor number `at` (`SECCOMP_ADDFD_FLAG_SETFD`, Linux 5.9), then return `value`.
    AddFdAt { fd: OwnedFd, at: RawFd, cloexec: bool, value: i64 },
    /// Give the actor this descriptor, close-on-exec; its number goes to `at` in its memory, as much of it as there is `room` for. The call
    /// returns 0.
    AddFdInto { fd: OwnedFd, tid: u32, at: u64, room: usize },
    /// A worker thread answers later.
    Later,
}

impl From<io::Error> for Answer {
    fn from(error: io::Error) -> Self {
        Answer::Errno(errno(&error))
    }
}

/// The errno of an error of ours; `EIO` where it is not the kernel's.
pub fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// Tells the kernel. A descriptor that cannot be handed over is a refusal, never a `Continue`.
pub fn give(listener: BorrowedFd, id: u64, answer: Answer) {
    match answer {
        Answer::Continue => notify::respond_continue(listener, id),
        Answer::Value(value) => notify::respond(listener, id, value, 0),
        // Errno 0 would be a success that nobody meant.
        Answer::Errno(errno) => notify::respond(listener, id, 0, if errno == 0 { libc::EPERM } else { errno }),
        Answer::AddFd { fd, cloexec } => {
            if let Err(error) = add_fd(listener, id, &fd, None, cloexec, true) {
                notify::respond(listener, id, 0, refusal(&error));
            }
        }
        Answer::AddFdAndDrop { fd, cloexec } => {
            let number = add_fd(listener, id, &fd, None, cloexec, false);
            drop(fd);
            match number {
                Ok(number) => notify::respond(listener, id, i64::from(number), 0),
                Err(error) => notify::respond(listener, id, 0, refusal(&error)),
            }
        }
        Answer::AddFdAt { fd, at, cloexec, value } => match add_fd(listener, id, &fd, Some(at), cloexec, false) {
            Ok(_) => notify::respond(listener, id, value, 0),
            Err(error) => notify::respond(listener, id, 0, refusal(&error)),
        },
        Answer::AddFdInto { fd, tid, at, room } => {
            let told = add_fd(listener, id, &fd, None, true, false).map_err(|error| refusal(&error)).and_then(|number| {
                let bytes = number.to_ne_bytes();
                memory::write(tid, at, &bytes[..room.min(bytes.len())]).map_err(|error| errno(&error))
            });
            match told {
                Ok(()) => notify::respond(listener, id, 0, 0),
                Err(errno) => notify::respond(listener, id, 0, errno),
            }
        }
        Answer::Later => {}
    }
}

fn add_fd(listener: BorrowedFd, id: u64, fd: &OwnedFd, at: Option<RawFd>, cloexec: bool, send: bool) -> io::Result<RawFd> {
    loop {
        match notify::add_fd(listener, id, fd.as_fd(), at, cloexec, send) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// A full table is the actor's own affair and told as it is; everything else is a refusal.
fn refusal(error: &io::Error) -> i32 {
    match error.raw_os_error() {
        Some(errno @ (libc::EMFILE | libc::ENFILE | libc::ENOMEM)) => errno,
        _ => libc::EPERM,
    }
}

/// The right to answer one call, for worker threads. Where the last clone is dropped unanswered, the call is refused.
#[derive(Clone)]
pub struct Reply(Arc<Waiting>);

struct Waiting {
    listener: Arc<OwnedFd>,
    id: u64,
    answered: AtomicBool,
    wake_ups: Arc<WakeUps>,
}

impl Reply {
    /// For one call; the gate thread is told when the answer was given.
    pub(super) fn telling(listener: Arc<OwnedFd>, id: u64, wake_ups: Arc<WakeUps>) -> Reply {
        Reply(Arc::new(Waiting { listener, id, answered: AtomicBool::new(false), wake_ups }))
    }

    /// Does the call still wait?
    pub fn valid(&self) -> bool {
        notify::id_valid(self.0.listener.as_fd(), self.0.id)
    }

    /// WakeUps. Only the first answer of all clones counts; `Later` answers nothing.
    pub fn send(self, answer: Answer) {
        if !matches!(answer, Answer::Later) {
            self.0.answer(answer);
        }
    }
}

impl Waiting {
    fn answer(&self, answer: Answer) {
        if !self.answered.swap(true, Ordering::AcqRel) {
            give(self.listener.as_fd(), self.id, answer);
            self.wake_ups.given(self.id);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.answer(Answer::Errno(libc::EPERM));
    }
}

/// What wakes one gate thread beside its listener (an eventfd(2)): written to when a worker has answered, when the pool brings a call back, and when the gate closes.
pub struct WakeUps {
    event: EventFd,
    given: Mutex<Vec<u64>>,
    brought_back: Mutex<Vec<Notification>>,
}

impl WakeUps {
    pub fn new() -> io::Result<WakeUps> {
        let event = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(WakeUps { event, given: Mutex::default(), brought_back: Mutex::default() })
    }

    fn given(&self, id: u64) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.wake();
    }

    /// This call is the gate thread's own business after all.
    pub fn bring_back(&self, notification: Notification) {
        self.brought_back.lock().unwrap_or_else(PoisonError::into_inner).push(notification);
        self.wake();
    }

    pub fn wake(&self) {
        // It can only fail when the counter is full, and then the thread is woken already.
        let _ = self.event.write(1);
    }

    pub fn event(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }

    /// Resets it and takes what was answered and what was brought back since.
    pub fn take(&self) -> (Vec<u64>, Vec<Notification>) {
        let _ = self.event.read();
        let given = std::mem::take(&mut *self.given.lock().unwrap_or_else(PoisonError::into_inner));
        (given, std::mem::take(&mut *self.brought_back.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}
