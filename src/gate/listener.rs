//! The loop of a gate thread: wait, receive, dispatch by the table of calls, answer, write down.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::answer::give;
use super::files::{change, ioctl, memfd, open, watch};
use super::note::{Note, write};
use super::offload::offload;
use super::programs::{exec, ipc, itself, outcome, restrict, schedule, signal, told};
use super::thread::make_ready;
use super::{Answer, Call, Watched, clock, net};
use crate::attribute::stack::Caught;
use crate::judge::scratch;
use crate::model::calls::{self, Row, Treatment};
use crate::sys::notify::{self, Notification};
use crate::sys::sweep;

/// How long the thread that waits for a new program is waited for, in the ordinary case that the program starts.
const SPAWN: Duration = Duration::from_millis(100);
/// A child whose program was refused may try another before it ends and its spawner can be looked at: it is served meanwhile, so long.
const REFUSED: Duration = Duration::from_secs(2);
const BETWEEN: Duration = Duration::from_millis(5);

/// Notes about one process that wait for the look at its spawner.
struct Pending {
    pid: u32,
    since: Instant,
    notes: Vec<Note>,
}

/// Finds a call's row. The table's own search; tests have a table of their own.
type Rows = fn(i64) -> Option<&'static Row>;

/// A poll that took no longer did not sleep: what it was to wait for was there already.
const AT_ONCE: Duration = Duration::from_micros(5);

/// How a call is to be dealt with.
#[derive(Clone, Copy)]
struct Ways {
    rows: Rows,
    /// May it be given to the pool?
    spare: bool,
}

/// Serves one actor until nobody is left behind its filter, or until `closing`. Nothing the actor sends makes it return.
pub fn serve(watched: &Watched, closing: &AtomicBool) {
    serve_by(watched, closing, calls::row);
}

pub(super) fn serve_by(watched: &Watched, closing: &AtomicBool, rows: Rows) {
    make_ready();
    notify::sync_wake_up(watched.listener.as_fd());
    // Whoever called last: one who calls again and again is no crowd.
    let mut last = 0;
    let mut later = HashMap::new();
    let mut pending: Vec<Pending> = Vec::new();
    while let Some(wake) = wait(watched, !pending.is_empty()) {
        if closing.load(Ordering::Acquire) {
            break;
        }
        if wake.call {
            match notify::recv(watched.listener.as_fd()) {
                Ok(Some(notification)) => {
                    let another = std::mem::replace(&mut last, notification.tid) != notification.tid;
                    let spare = watched.pool.want(|| wake.at_once && another && another_waits(watched));
                    answer_one(watched, &notification, Ways { rows, spare }, &mut later, &mut pending);
                }
                Ok(None) => {}
                Err(_) => {
                    watched.journal.lost("a listener could not be read");
                    break;
                }
            }
        }
        if wake.event {
            let (given, brought_back) = watched.wake_ups.take();
            for id in given {
                write(watched, later.remove(&id).unwrap_or_default());
            }
            for notification in brought_back {
                answer_one(watched, &notification, Ways { rows, spare: false }, &mut later, &mut pending);
            }
        }
        for waiting in pending.extract_if(.., |waiting| waiting.is_over(watched)) {
            write(watched, waiting.notes);
        }
        if wake.gone {
            break;
        }
    }
    watched.in_flight.wait();
    pending.into_iter().for_each(|waiting| write(watched, waiting.notes));
    later.into_values().for_each(|notes| write(watched, notes));
    scratch::left(&watched.policy).iter().for_each(|left| sweep::remove(left));
    watched.sockets.forget(watched.actor.id);
    let unconfirmed = watched.processes().unconfirmed();
    unconfirmed.into_iter().for_each(|process| watched.journal.process(process));
}

/// Why the thread woke up.
struct Wake {
    call: bool,
    event: bool,
    gone: bool,
    /// There was no need to wait.
    at_once: bool,
}

impl Pending {
    fn is_over(&mut self, watched: &Watched) -> bool {
        self.since.elapsed() > REFUSED || self.notes.iter_mut().all(|note| note.is_settled(watched, Duration::ZERO))
    }
}

fn wait(watched: &Watched, briefly: bool) -> Option<Wake> {
    let mut fds = [PollFd::new(watched.listener.as_fd(), PollFlags::POLLIN), PollFd::new(watched.wake_ups.event(), PollFlags::POLLIN)];
    let begin = Instant::now();
    loop {
        let timeout = if briefly { PollTimeout::from(BETWEEN.as_millis() as u8) } else { PollTimeout::NONE };
        match poll(&mut fds, timeout) {
            Err(Errno::EINTR) => {}
            Err(_) => {
                watched.journal.lost("a listener could not be waited for");
                return None;
            }
            Ok(_) => break,
        }
    }
    let [listener, event] = fds.map(|fd| fd.revents().unwrap_or(PollFlags::POLLERR));
    let call = listener.contains(PollFlags::POLLIN);
    let gone = !call && listener.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL);
    Some(Wake { call, event: event.contains(PollFlags::POLLIN), gone, at_once: begin.elapsed() < AT_ONCE })
}

/// Does another call wait already?
fn another_waits(watched: &Watched) -> bool {
    let mut fds = [PollFd::new(watched.listener.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).is_ok() && fds[0].revents().is_some_and(|found| found.contains(PollFlags::POLLIN))
}

fn answer_one(watched: &Watched, notification: &Notification, ways: Ways, later: &mut HashMap<u64, Vec<Note>>, pending: &mut Vec<Pending>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let call = Call::new(watched, notification);
        let answer = decide(&call, notification, ways);
        if matches!(answer, Answer::Continue | Answer::Errno(Caught::REPEAT)) && call.is_caught() {
            give(watched.listener.as_fd(), notification.id, Answer::Errno(Caught::REPEAT));
            call.look_before_repeat();
            return None;
        }
        let pid = if call.has_notes() { call.pid() } else { 0 };
        Some((answer, pid, call.into_notes()))
    }));
    let Ok(outcome) = outcome else {
        give(watched.listener.as_fd(), notification.id, Answer::Errno(libc::EPERM));
        watched.journal.lost("a call could not be understood");
        return;
    };
    // To be repeated: it is answered and recorded when it comes again.
    let Some((answer, pid, mut notes)) = outcome else { return };
    let patience = if matches!(answer, Answer::Continue) { SPAWN } else { Duration::ZERO };
    let waits = matches!(answer, Answer::Later) && notes.iter().any(Note::waits);
    give(watched.listener.as_fd(), notification.id, answer);
    if waits {
        later.insert(notification.id, notes);
    } else if let Some(waiting) = pending.iter_mut().find(|waiting| waiting.pid == pid) {
        waiting.notes.extend(notes);
    } else if notes.iter_mut().all(|note| note.is_settled(watched, patience)) {
        write(watched, notes);
    } else {
        pending.push(Pending { pid, since: Instant::now(), notes });
    }
}

fn decide(call: &Call, notification: &Notification, ways: Ways) -> Answer {
    if calls::is_foreign(notification.arch == notify::NATIVE_ARCH, call.number) {
        return call.tamper("foreign ABI", format!("call {} of architecture {:#x}", call.number, notification.arch).as_str());
    }
    if call.tid == 0 {
        return call.tamper("unseen thread", "a call from another pid namespace");
    }
    let Some(row) = (ways.rows)(call.number) else {
        return call.tamper("unknown call", format!("call {}", call.number).as_str());
    };
    if let Some(answer) = outcome::check(call) {
        return answer;
    }
    let answer = match row.treatment {
        Treatment::Open if ways.spare && offload(call, notification) => return Answer::Later,
        Treatment::Open => open::open(call).unwrap_or_else(Answer::from),
        Treatment::Change => change::change(call, row.name).unwrap_or_else(Answer::from),
        Treatment::Watch => watch::watch(call).unwrap_or_else(Answer::from),
        Treatment::Exec => return exec::exec(call).unwrap_or_else(Answer::from),
        Treatment::Memfd => return memfd::memfd(call).unwrap_or_else(Answer::from),
        Treatment::Socket => return net::socket(call),
        Treatment::Connect => return net::connect(call),
        Treatment::Send => return net::send(call),
        Treatment::Bind => return net::bind(call),
        Treatment::Peer => return net::peer(call),
        Treatment::Signal => return signal::signal(call, row.name).unwrap_or_else(Answer::from),
        Treatment::Schedule => return schedule::schedule(call, row.name).unwrap_or_else(Answer::from),
        Treatment::Clock => return clock::clock(call, row.name).unwrap_or_else(Answer::from),
        Treatment::Restrict => return restrict::restrict(call).unwrap_or_else(Answer::from),
        Treatment::Ipc => return ipc::ipc(call, row.name).unwrap_or_else(Answer::from),
        Treatment::Device => return ioctl::request(call).unwrap_or_else(Answer::from),
        Treatment::Itself => return itself::itself(call, row.name).unwrap_or_else(Answer::from),
        Treatment::Tamper => return call.tamper(row.name, told::told(call)),
        Treatment::Absent => return Answer::Errno(libc::ENOSYS),
    };
    // What comes again is looked at, and recorded then.
    if matches!(answer, Answer::Errno(errno) if errno != Caught::REPEAT) {
        call.nothing_happened();
    }
    answer
}
