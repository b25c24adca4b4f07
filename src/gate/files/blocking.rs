//! Opens that may wait for somebody else: the other end of a FIFO, a line's carrier. They are done by us, too. Left to the kernel with the
//! actor's own pointer, such an open could be led to any file that the actor's wall grants, past what the gate subtracts from it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::found::Found;
use super::wanted::Wanted;
use crate::gate::errno::{c_string, fail};
use crate::gate::own::{Own, own};
use crate::gate::{Answer, Call};
use crate::sys::identity::as_person;
use crate::sys::{files, socket};

/// FIFOs waited for at once in the whole run; each takes two threads.
const MOST: usize = 32;
/// How often we look whether the actor still waits.
const LOOK: Duration = Duration::from_millis(50);
/// `/dev/tty`.
const OWN_TERMINAL: u64 = libc::makedev(5, 0);

/// Opens what could make us wait. `flags` are for a descriptor of ours.
pub fn open(call: &Call, found: Found, wanted: &Wanted, flags: i32) -> io::Result<Answer> {
    let own = own()?;
    if found.is(libc::S_IFIFO) && !found.anonymous && flags & libc::O_NONBLOCK == 0 && flags & libc::O_ACCMODE != libc::O_RDWR {
        return fifo(call, found, wanted, flags);
    }
    // The actor's own terminal is not ours.
    let found = if found.facts.rdev == OWN_TERMINAL && found.is(libc::S_IFCHR) { terminal_of(call, own)? } else { found };
    let fd = call.as_caller(|| own.reopen(found.handle.as_fd(), flags | libc::O_NONBLOCK, 0))?;
    if flags & libc::O_NONBLOCK == 0 {
        let status = socket::status_flags(fd.as_fd())?;
        socket::set_status_flags(fd.as_fd(), status & !libc::O_NONBLOCK)?;
    }
    Ok(Answer::AddFd { fd, cloexec: wanted.cloexec() })
}

/// The terminal that `/dev/tty` means for the caller: `tty_nr` of proc_pid_stat(5).
fn terminal_of(call: &Call, own: &Own) -> io::Result<Found> {
    let stat = std::fs::read(format!("/proc/{}/stat", call.tid))?;
    call.check_valid()?;
    let fields = stat.rsplit(|byte| *byte == b')').next().unwrap_or_default();
    let number = fields.split(|byte| *byte == b' ').filter(|field| !field.is_empty()).nth(4);
    let number = number.and_then(|field| std::str::from_utf8(field).ok()?.parse::<i32>().ok()).unwrap_or(0) as u32;
    let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xfff00);
    // Numbers as in Documentation/admin-guide/devices.txt: pseudo-terminals, the console's.
    let path = match (major, minor) {
        (136..=143, _) => format!("/dev/pts/{}", (major - 136) << 20 | minor),
        (4, 0..=63) => format!("/dev/tty{minor}"),
        (4, _) => format!("/dev/ttyS{}", minor - 64),
        _ => return fail(libc::ENXIO),
    };
    let path = c_string(path.into_bytes())?;
    let handle = files::openat(files::AT_FDCWD, &path, libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC, 0)?;
    let found = Found::of(own, handle)?;
    if found.is(libc::S_IFCHR) && found.facts.rdev == libc::makedev(major, minor) { Ok(found) } else { fail(libc::ENXIO) }
}

static WAITING: AtomicUsize = AtomicUsize::new(0);

/// To wait for one more FIFO; given back when dropped.
struct Permit;

impl Permit {
    fn take() -> Option<Permit> {
        let permit = Permit;
        (WAITING.fetch_add(1, Ordering::Relaxed) < MOST).then_some(permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One thread opens and waits as the actor would have; another sees to it that it does not wait longer than the actor lives.
fn fifo(call: &Call, found: Found, wanted: &Wanted, flags: i32) -> io::Result<Answer> {
    let permit = Permit::take().ok_or_else(|| io::Error::from_raw_os_error(libc::EAGAIN))?;
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
