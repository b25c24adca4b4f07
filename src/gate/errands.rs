//! Errands: plain reads that nobody objects to, done beside the gate thread. A build script's `make -jN` asks N questions at once, and a
//! single thread that answers them one after the other holds all N up. So where another call waits already, the one just received is given
//! to a runner. A runner decides nothing: what is not simply allowed, or is more than opening a file, comes back as it was.
//! In: a notification. Out: its answer and its notes, or the same notification.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::answer::give;
use super::{Answer, Call, STACK, Watched, listener, open};
use crate::sys::notify::Notification;

/// The runners of a run, shared by all its actors. Hired when they are needed.
#[derive(Default)]
pub struct Errands {
    /// So many at most.
    most: usize,
    /// Is every call that may go sent, and not only those that another one waits behind?
    all: bool,
    board: Mutex<Board>,
    news: Condvar,
}

#[derive(Default)]
struct Board {
    waiting: VecDeque<Errand>,
    idle: usize,
    runners: Vec<JoinHandle<()>>,
    closed: bool,
}

struct Errand {
    watched: Arc<Watched>,
    notification: Notification,
}

impl Errands {
    /// With as many runners as there are processors beside the one that the gate thread is on.
    pub fn new() -> Errands {
        Errands { most: std::thread::available_parallelism().map_or(1, usize::from) - 1, ..Errands::default() }
    }

    #[cfg(test)]
    pub fn of_all() -> Errands {
        Errands { most: 2, all: true, ..Errands::default() }
    }

    #[cfg(test)]
    pub fn any_hired(&self) -> bool {
        !self.board().runners.is_empty()
    }

    /// Is this the time for it? `crowded` finds out whether other calls wait.
    pub fn want(&self, crowded: impl FnOnce() -> bool) -> bool {
        self.most > 0 && (self.all || crowded())
    }

    /// Gives a call away, if it may go and somebody is free to take it.
    pub fn send(self: &Arc<Self>, call: &Call, notification: &Notification) -> bool {
        if !may_go(call) {
            return false;
        }
        let mut board = self.board();
        if board.closed || board.idle <= board.waiting.len() && !self.hire(&mut board) {
            return false;
        }
        let Some(watched) = call.watched.itself.upgrade() else { return false };
        watched.away.leave();
        board.waiting.push_back(Errand { watched, notification: *notification });
        drop(board);
        self.news.notify_one();
        true
    }

    fn hire(self: &Arc<Self>, board: &mut Board) -> bool {
        if board.runners.len() >= self.most {
            return false;
        }
        let errands = self.clone();
        let runner = std::thread::Builder::new().name("gate-runner".into()).stack_size(STACK).spawn(move || errands.serve());
        board.idle += usize::from(runner.is_ok());
        board.runners.extend(runner);
        board.idle > board.waiting.len()
    }

    fn serve(&self) {
        listener::make_ready();
        let mut board = self.board();
        while !board.closed {
            let Some(errand) = board.waiting.pop_front() else {
                board = self.news.wait(board).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            board.idle -= 1;
            drop(board);
            let watched = errand.watched.clone();
            if catch_unwind(AssertUnwindSafe(|| errand.run())).is_err() {
                watched.journal.lost("an act could not be written down");
            }
            watched.away.come_home();
            board = self.board();
            board.idle += 1;
        }
    }

    /// Ends all runners. To be called when no gate thread is left.
    pub fn close(&self) {
        let mut board = self.board();
        board.closed = true;
        let runners = std::mem::take(&mut board.runners);
        drop(board);
        self.news.notify_all();
        runners.into_iter().for_each(|runner| drop(runner.join()));
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is it a plain read, by its registers, of somebody who acts in our own name?
fn may_go(call: &Call) -> bool {
    open::is_plain_read(call) && !call.was_looked_at() && !call.has_changed()
}

impl Errand {
    fn run(self) {
        let Errand { watched, notification } = self;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let call = Call::errand(&watched, &notification);
            let answer = open::open(&call).unwrap_or_else(Answer::from);
            if matches!(answer, Answer::Errno(_)) {
                call.nothing_happened();
            }
            (!call.goes_back()).then(|| (answer, call.into_notes()))
        }));
        match outcome {
            Ok(Some((answer, notes))) => {
                give(watched.listener.as_fd(), notification.id, answer);
                listener::write(&watched, notes);
            }
            Ok(None) => watched.answers.bring_back(notification),
            Err(_) => {
                give(watched.listener.as_fd(), notification.id, Answer::Errno(libc::EPERM));
                watched.journal.lost("a call could not be understood");
            }
        }
    }
}

/// How many calls of an actor are with runners.
#[derive(Default)]
pub struct Away {
    count: Mutex<usize>,
    home: Condvar,
}

impl Away {
    fn leave(&self) {
        *self.count() += 1;
    }

    fn come_home(&self) {
        *self.count() -= 1;
        self.home.notify_all();
    }

    /// Waits until none is.
    pub fn wait(&self) {
        let mut count = self.count();
        while *count > 0 {
            count = self.home.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
