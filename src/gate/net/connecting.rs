//! Connecting, without ever waiting on a gate's thread: on the actor's own socket (through its duplicate), or on a fresh one that then
//! takes its place. What is pending is waited for by a worker, or left to an actor that asked not to block.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use super::asked::{errno, network_of};
use super::descriptor::Descriptor;
use super::known::Known;
use super::network::Network;
use crate::gate::interrupt::{RESTART, interrupt, is_signalled};
use crate::gate::{Answer, Call};
use crate::sys::socket;

/// TCP gives up after about this long by itself (`tcp_syn_retries`, tcp(7)).
const LONGEST_WAIT: Duration = Duration::from_secs(130);
/// For unix sockets, where only asking again tells whether there is room.
const ASK_AGAIN: Duration = Duration::from_millis(20);
/// How often whoever waits looks whether the caller was signalled, in milliseconds.
const LOOK: i32 = 30;
/// On loopback the outcome is there when connect returns, unless a softirq thread is late or the listener's queue is full.
pub const SETTLE_INSIDE: i32 = 20;

/// The socket that is to be connected.
pub struct Target {
    socket: OwnedFd,
    slot: Slot,
    /// The actor's own socket; otherwise a fresh one.
    own: bool,
    /// Makes it blocking again at the end, however that comes.
    _restore: Option<Restore>,
}

/// The status flags of the actor's own socket as they were.
struct Restore {
    socket: OwnedFd,
    flags: i32,
}

impl Drop for Restore {
    fn drop(&mut self) {
        let _ = socket::set_status_flags(self.socket.as_fd(), self.flags);
    }
}

/// The descriptor number in the actor's table.
#[derive(Clone, Copy)]
pub struct Slot {
    number: RawFd,
    cloexec: bool,
    nonblocking: bool,
}

impl Slot {
    pub fn of(descriptor: &Descriptor) -> Slot {
        Slot { number: descriptor.number, cloexec: descriptor.cloexec, nonblocking: descriptor.nonblocking }
    }
}

impl Target {
    /// The actor's socket itself, non-blocking for the moment.
    pub fn own(descriptor: &mut Descriptor) -> Option<Target> {
        let socket = descriptor.duplicate.take()?;
        let flags = socket::status_flags(socket.as_fd()).ok()?;
        let slot = Slot { nonblocking: flags & libc::O_NONBLOCK != 0, ..Slot::of(descriptor) };
        let mut restore = None;
        if !slot.nonblocking {
            restore = Some(Restore { socket: socket.try_clone().ok()?, flags });
            socket::set_status_flags(socket.as_fd(), flags | libc::O_NONBLOCK).ok()?;
        }
        // An option that would make connect succeed before anybody was asked.
        let _ = socket::set_option(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, &0i32.to_ne_bytes());
        Some(Target { socket, slot, own: true, _restore: restore })
    }

    /// A fresh, non-blocking socket that will be put over the actor's number.
    pub fn fresh(socket: OwnedFd, descriptor: &Descriptor) -> Target {
        Target { socket, slot: Slot::of(descriptor), own: false, _restore: None }
    }

    /// The actor's socket itself, or where no duplicate of it can be had a fresh one of its network.
    ///
    /// # Errors
    /// The errno of making one.
    pub fn within(network: &Network, descriptor: &mut Descriptor, known: Known) -> Result<Target, i32> {
        if let Some(target) = Target::own(descriptor) {
            return Ok(target);
        }
        let fresh = network.give(known.family, known.kind | libc::SOCK_NONBLOCK, known.protocol).map_err(|error| errno(&error))?;
        Ok(Target::fresh(fresh, descriptor))
    }

    /// Another handle on the same socket.
    pub fn handle(&self) -> io::Result<OwnedFd> {
        self.socket.try_clone()
    }

    /// Whether the actor asked not to wait.
    pub fn nonblocking(&self) -> bool {
        self.slot.nonblocking
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Ends the attempt. A non-blocking connect goes on in the background, on the socket that is put in place.
    pub fn answer(self, outcome: Result<(), i32>) -> Answer {
        if self.own {
            return outcome.map_or_else(Answer::Errno, |()| Answer::Value(0));
        }
        let value = match outcome {
            Ok(()) => 0,
            // A negative value is how a call returns both a descriptor put in place and an errno. Both go on in the background.
            Err(errno @ (libc::EINPROGRESS | RESTART)) => -i64::from(errno),
            Err(errno) => return Answer::Errno(errno),
        };
        if !self.slot.nonblocking && set_blocking(self.fd()).is_err() {
            return Answer::Errno(libc::EPERM);
        }
        Answer::AddFdAt { fd: self.socket, at: self.slot.number, cloexec: self.slot.cloexec, value }
    }
}

fn set_blocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    socket::set_status_flags(fd, socket::status_flags(fd)? & !libc::O_NONBLOCK)
}

/// Nobody answered: whoever listens there is not inside.
pub struct Nobody;

/// Connects inside the actor's own network. `Err(Nobody)` leaves the call unanswered and the actor's socket as it was.
pub fn inside(call: &Call<'_>, target: Target, address: &[u8]) -> Result<Answer, Nobody> {
    match step(call, target.fd(), address, SETTLE_INSIDE) {
        Step::Failed(libc::ECONNREFUSED | libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EADDRNOTAVAIL) => {
            drop(target);
            Err(Nobody)
        }
        other => Ok(settle(call, target, other, address)),
    }
}

/// Connects to an address that was judged and allowed.
pub fn judged(call: &Call<'_>, target: Target, address: &[u8]) -> Answer {
    let first = step(call, target.fd(), address, 0);
    settle(call, target, first, address)
}

enum Step {
    Connected,
    Pending,
    Failed(i32),
}

fn step(call: &Call<'_>, fd: BorrowedFd<'_>, address: &[u8], settle_ms: i32) -> Step {
    // As the caller: a sandbox of its own may have a say in it.
    match call.as_caller(|| socket::connect(fd, address)) {
        Ok(()) => Step::Connected,
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => outcome(fd, address, settle_ms),
        Err(error) => Step::Failed(errno(&error)),
    }
}

fn outcome(fd: BorrowedFd<'_>, address: &[u8], wait_ms: i32) -> Step {
    match socket::wait(fd, libc::POLLOUT, wait_ms) {
        Ok(false) => Step::Pending,
        Ok(true) => match socket::int_option(fd, libc::SOL_SOCKET, libc::SO_ERROR) {
            // Only asking again ends the state of connecting (`__inet_stream_connect`): or else the actor's next connect would be the one
            // that succeeds, instead of EISCONN.
            Ok(0) => match socket::connect(fd, address).map_err(|error| errno(&error)) {
                Ok(()) | Err(libc::EISCONN) => Step::Connected,
                Err(errno) => Step::Failed(errno),
            },
            Ok(errno) => Step::Failed(errno),
            Err(error) => Step::Failed(errno(&error)),
        },
        Err(error) => Step::Failed(errno(&error)),
    }
}

fn settle(call: &Call<'_>, target: Target, step: Step, address: &[u8]) -> Answer {
    match step {
        Step::Connected => target.answer(Ok(())),
        // One that was interrupted comes again, and waits on (`__inet_stream_connect`).
        Step::Failed(libc::EALREADY) if !target.slot.nonblocking => settle(call, target, Step::Pending, address),
        Step::Failed(errno) => target.answer(Err(errno)),
        Step::Pending if target.slot.nonblocking => target.answer(Err(libc::EINPROGRESS)),
        Step::Pending => {
            let (address, tid) = (address.to_vec(), call.tid);
            later(call, move || {
                let end = Instant::now() + send_timeout(target.fd()).unwrap_or(LONGEST_WAIT);
                let result = loop {
                    match outcome(target.fd(), &address, LOOK) {
                        Step::Connected => break Ok(()),
                        Step::Failed(errno) => break Err(errno),
                        Step::Pending if is_signalled(tid) => break Err(RESTART),
                        Step::Pending if Instant::now() >= end => break Err(libc::ETIMEDOUT),
                        Step::Pending => {}
                    }
                };
                target.answer(result)
            })
        }
    }
}

/// `SO_SNDTIMEO`, which bounds a blocking connect (socket(7)).
fn send_timeout(fd: BorrowedFd<'_>) -> Option<Duration> {
    let mut value = [0; 16];
    socket::option(fd, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &mut value).ok()?;
    let seconds = u64::try_from(i64::from_ne_bytes(value[..8].try_into().ok()?)).ok()?;
    let micros = u64::try_from(i64::from_ne_bytes(value[8..].try_into().ok()?)).ok()?;
    let timeout = Duration::from_secs(seconds) + Duration::from_micros(micros);
    (!timeout.is_zero()).then_some(timeout.min(LONGEST_WAIT))
}

/// Unix sockets say EAGAIN while a listener's queue or a datagram's receiver is full, and cannot be polled for it: asked again and again,
/// on a worker, where the actor would have blocked.
pub fn retrying<T: Send + 'static>(
    call: &Call<'_>,
    nonblocking: bool,
    mut ask: impl FnMut() -> io::Result<T> + Send + 'static,
    answer: impl FnOnce(Result<T, i32>) -> Answer + Send + 'static,
) -> Answer {
    let first = ask();
    match first {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock && !nonblocking => {
            let tid = call.tid;
            later(call, move || {
                let end = Instant::now() + LONGEST_WAIT;
                loop {
                    std::thread::sleep(ASK_AGAIN);
                    match ask() {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock && is_signalled(tid) => return answer(Err(RESTART)),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < end => {}
                        other => return answer(other.map_err(|error| errno(&error))),
                    }
                }
            })
        }
        other => answer(other.map_err(|error| errno(&error))),
    }
}

/// Answers from a worker's thread; when none is free, refuses at once.
fn later(call: &Call<'_>, work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    let network = network_of(call);
    let (reply, tid) = (call.reply(), call.tid);
    let answer = move || {
        let answer = work();
        let interrupted =
            matches!(answer, Answer::Errno(RESTART)) || matches!(answer, Answer::AddFdAt { value, .. } if value == -i64::from(RESTART));
        if interrupted {
            let mut again = interrupt(tid, reply.clone(), answer, || ());
            // Somebody looks at its stack just now.
            while let Err(answer) = again
                && reply.valid()
            {
                std::thread::sleep(ASK_AGAIN);
                again = interrupt(tid, reply.clone(), answer, || ());
            }
        } else {
            reply.send(answer);
        }
    };
    match network.workers().run(answer) {
        Ok(()) => Answer::Later,
        Err(_) => {
            call.watched.journal.lost("a connect was refused: too many wait at once");
            Answer::Errno(libc::EAGAIN)
        }
    }
}
