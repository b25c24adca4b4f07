//! Plain reads that nobody objects to, done beside the gate thread. A build script's `make -jN` asks N questions at once, and a single thread
//! that answers them one after the other holds all N up. So where another call waits already, the one just received is given to the pool. A
//! thread there decides nothing: what is not simply allowed, or is more than opening a file, comes back as it was.
//! In: a notification. Out: its answer and its notes, or the same notification.

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::answer::give;
use super::files::{open, wanted};
use super::note::write;
use super::{Answer, Call, Watched};
use crate::sys::notify::Notification;

/// Gives a call to the pool, if it may go and a thread is free to take it.
pub fn offload(call: &Call, notification: &Notification) -> bool {
    if !may_go(call) {
        return false;
    }
    let Some(watched) = call.watched.itself.upgrade() else { return false };
    let notification = *notification;
    call.watched.pool.give(|| {
        watched.in_flight.begin();
        Box::new(move || {
            if catch_unwind(AssertUnwindSafe(|| answer(&watched, notification))).is_err() {
                watched.journal.lost("an act could not be written down");
            }
            watched.in_flight.end();
        })
    })
}

/// Is it a plain read, by its registers, of somebody who acts in our own name?
fn may_go(call: &Call) -> bool {
    wanted::is_plain_read(call) && !call.was_looked_at() && !call.has_changed()
}

fn answer(watched: &Watched, notification: Notification) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let call = Call::offloaded(watched, &notification);
        let answer = open::open(&call).unwrap_or_else(Answer::from);
        if matches!(answer, Answer::Errno(_)) {
            call.nothing_happened();
        }
        (!call.goes_back()).then(|| (answer, call.into_notes()))
    }));
    match outcome {
        Ok(Some((answer, notes))) => {
            give(watched.listener.as_fd(), notification.id, answer);
            write(watched, notes);
        }
        Ok(None) => watched.wake_ups.bring_back(notification),
        Err(_) => {
            give(watched.listener.as_fd(), notification.id, Answer::Errno(libc::EPERM));
            watched.journal.lost("a call could not be understood");
        }
    }
}
