//! Opens that may wait for somebody else: the other end of a FIFO, a line's carrier. They are done by us, too. Left to the kernel with the
//! actor's own pointer, such an open could be led to any file that the actor's wall grants, past what the gate subtracts from it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::found::Found;
use super::terminal;
use super::wanted::Wanted;
use crate::gate::errno::fail;
use crate::gate::interrupt::{RESTART, interrupt, is_signalled};
use crate::gate::own::own;
use crate::gate::thread::STACK;
use crate::gate::{Answer, Call, Reply};
use crate::sys::identity::as_person;
use crate::sys::process::{end_wait, let_waits_end};
use crate::sys::socket;

/// How often we look whether the actor still waits, and may.
const LOOK: Duration = Duration::from_millis(30);
/// How often a thread of ours that waits is told to end.
const END: Duration = Duration::from_millis(2);

/// Opens what could make us wait. `flags` are for a descriptor of ours.
pub fn open(call: &Call, found: Found, wanted: &Wanted, flags: i32) -> io::Result<Answer> {
    let own = own()?;
    if found.is(libc::S_IFIFO) && !found.anonymous && flags & libc::O_NONBLOCK == 0 && flags & libc::O_ACCMODE != libc::O_RDWR {
        return fifo(call, found, wanted, flags);
    }
    let fd = if terminal::is_controlling(&found) {
        // The actor's is not ours.
        terminal::open_controlling(call, &found, flags | libc::O_NONBLOCK)?
    } else {
        call.as_caller(|| own.reopen(found.handle.as_fd(), flags | libc::O_NONBLOCK, 0))?
    };
    if flags & libc::O_NONBLOCK == 0 {
        let status = socket::status_flags(fd.as_fd())?;
        socket::set_status_flags(fd.as_fd(), status & !libc::O_NONBLOCK)?;
    }
    // Without it where the caller cannot be held: it is traced by somebody, or gone.
    let _ = terminal::give_control(call, &found, wanted);
    Ok(Answer::AddFd { fd, cloexec: wanted.cloexec() })
}

/// One thread opens and waits as the actor would have (a permit is for both); another sees to it that it does not wait longer than the actor
/// lives, or than until a signal comes that the actor has a handler for.
fn fifo(call: &Call, found: Found, wanted: &Wanted, flags: i32) -> io::Result<Answer> {
    let Some(permit) = call.watched.permits.take() else {
        call.watched.journal.lost("an open of a FIFO was refused: too many wait at once");
        return fail(libc::EAGAIN);
    };
    let (reply, tid) = (call.reply(), call.tid);
    let answer = reply.clone();
    let (handle, cloexec) = (found.handle, wanted.cloexec());
    let (person, sandbox) = (call.someone_else()?, call.sandbox()?);
    let start =
        |name: &str, work: Box<dyn FnOnce() + Send>| std::thread::Builder::new().name(name.into()).stack_size(STACK).spawn(work).map(drop);
    let (done, over) = std::sync::mpsc::channel::<()>();
    let opener = Arc::new(AtomicU32::new(0));
    let itself = Arc::clone(&opener);
    let ending = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&ending);
    let open = move || {
        let _done = done;
        let_waits_end();
        itself.store(nix::unistd::gettid().as_raw() as u32, Ordering::Release);
        let opened = as_person(person.as_ref(), || own()?.reopen(handle.as_fd(), flags, 0));
        // Where our own wait was ended, somebody else has answered, or will.
        if opened.is_ok() || !ended.load(Ordering::Acquire) {
            answer.send(opened.map_or_else(Answer::from, |fd| Answer::AddFdAndDrop { fd, cloexec }));
        }
    };
    let watch = move || {
        let _permit = permit;
        let mut reply = Some(reply);
        while let Err(RecvTimeoutError::Timeout) = over.recv_timeout(LOOK) {
            if reply.as_ref().is_some_and(|_| is_signalled(tid)) && reply.as_ref().is_some_and(Reply::valid) {
                let end = || {
                    ending.store(true, Ordering::Release);
                    while let Err(RecvTimeoutError::Timeout) = over.recv_timeout(END) {
                        end_wait(opener.load(Ordering::Acquire));
                    }
                };
                let kept = reply.take().map(|reply| (reply.clone(), interrupt(tid, reply, Answer::Errno(RESTART), end)));
                reply = kept.and_then(|(reply, done)| done.is_err().then_some(reply));
            }
            // Nobody opens the other end for that: others may be waiting for it.
            if reply.as_ref().is_none_or(|reply| !reply.valid()) {
                end_wait(opener.load(Ordering::Acquire));
            }
        }
    };
    start("gate-fifo-watch", Box::new(watch))?;
    match sandbox {
        // A thread begins behind what the one that makes it is behind.
        Some(sandbox) => sandbox.run(|| start("gate-fifo", Box::new(open))),
        None => start("gate-fifo", Box::new(open)),
    }?;
    Ok(Answer::Later)
}
