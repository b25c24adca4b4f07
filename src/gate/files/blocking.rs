//! Opens that may wait for somebody else: the other end of a FIFO, a line's carrier. They are done by us, too. Left to the kernel with the
//! actor's own pointer, such an open could be led to any file that the actor's wall grants, past what the gate subtracts from it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::found::Found;
use super::terminal;
use super::wanted::Wanted;
use crate::gate::own::own;
use crate::gate::{Answer, Call};
use crate::sys::identity::as_person;
use crate::sys::socket;

/// How often we look whether the actor still waits.
const LOOK: Duration = Duration::from_millis(50);

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

/// One thread opens and waits as the actor would have (a permit is for both); another sees to it that it does not wait longer than the actor lives.
fn fifo(call: &Call, found: Found, wanted: &Wanted, flags: i32) -> io::Result<Answer> {
    let permit = call.watched.permits.take().ok_or_else(|| io::Error::from_raw_os_error(libc::EAGAIN))?;
    let reply = call.reply();
    let answer = reply.clone();
    let handle = Arc::new(found.handle);
    let (opener, cloexec) = (Arc::clone(&handle), wanted.cloexec());
    let person = call.someone_else()?;
    let start = |name: &str, work: Box<dyn FnOnce() + Send>| std::thread::Builder::new().name(name.into()).spawn(work).map(drop);
    let (done, over) = std::sync::mpsc::channel::<()>();
    let opened_it = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&opened_it);
    let open = move || {
        let _done = done;
        let opened = as_person(person.as_ref(), || own()?.reopen(opener.as_fd(), flags, 0));
        opened_it.store(true, Ordering::Release);
        answer.send(opened.map_or_else(Answer::from, |fd| Answer::AddFdAndDrop { fd, cloexec }));
    };
    let watch = move || {
        let _permit = permit;
        let mut other_end: Option<OwnedFd> = None;
        while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = over.recv_timeout(LOOK) {
            // An answer ends the call as well: asked in this order, it is not taken for the actor's end.
            if !reply.valid() && !is_open.load(Ordering::Acquire) && other_end.is_none() {
                // fifo(7): this never waits, and is both ends for whoever does.
                other_end = own().and_then(|own| own.reopen(handle.as_fd(), libc::O_RDWR | libc::O_NONBLOCK, 0)).ok();
            }
        }
    };
    start("gate-fifo-watch", Box::new(watch))?;
    start("gate-fifo", Box::new(open))?;
    Ok(Answer::Later)
}
