//! System V IPC and POSIX message queues: objects without a path that any process of the user can open, past every file right (no scope
//! of Landlock's covers them). Nothing that builds uses them, so for what is being built they do not exist; a program the user runs may have them.
//! A queue is opened by us: for the kernel it is a file of a mount that no Landlock rule can name, and so closed behind any wall (mq_overview(7);
//! `is_access_to_paths_allowed`, security/landlock/fs.c).

use std::io;

use crate::gate::errno::{c_string, fail};
use crate::gate::{Answer, Call, memory};
use crate::model::Mode;
use crate::sys::files;
use crate::sys::process::queues_limit;
use crate::sys::queue::{self, Attributes};

/// Answers the calls of sysvipc(7), and those of mq_overview(7) that name a queue. `name` is the system call's.
///
/// # Errors
/// The kernel's own for such a queue.
pub fn ipc(call: &Call, name: &'static str) -> io::Result<Answer> {
    if call.watched.policy.mode == Mode::Decoy {
        // They are the machine's, and outlast whoever makes them: in a trial there are none, as on a kernel that was built without.
        return Ok(Answer::Errno(libc::ENOSYS));
    }
    if !call.watched.policy.is_build_time() {
        return if call.number == libc::SYS_mq_open { open_queue(call) } else { Ok(Answer::Continue) };
    }
    // `configure` scripts ask whether there is such a thing; a new object of one's own harms nobody.
    let own = matches!(call.number, libc::SYS_shmget | libc::SYS_semget | libc::SYS_msgget) && call.int(0) == libc::IPC_PRIVATE;
    if own {
        // As on a kernel built without CONFIG_SYSVIPC.
        return Ok(Answer::Errno(libc::ENOSYS));
    }
    Ok(call.tamper(name, "objects shared with other processes of the user"))
}

/// `mq_open(name, flags, mode, attributes)` in the caller's name.
fn open_queue(call: &Call) -> io::Result<Answer> {
    if call.sandbox()?.is_some() {
        // Its own sandbox closes all queues, and the kernel says so.
        return Ok(Answer::Continue);
    }
    let (flags, mode) = (call.int(1), call.int(2) as u32);
    // Elsewhere the kernel does not look at them.
    let attributes = match call.args[3] {
        at if at != 0 && flags & libc::O_CREAT != 0 => {
            let mut bytes = [0; Attributes::SIZE];
            memory::read(call.tid, at, &mut bytes)?;
            Some(Attributes::read(&bytes))
        }
        _ => None,
    };
    let name = c_string(call.path(0)?)?;
    call.check_valid()?;
    // The kernel asks for the limit of whoever opens, which is us; the caller's own may be narrower.
    let (limit, ours) = (queues_limit(call.tid).unwrap_or(0), queues_limit(std::process::id()));
    if ours.is_none_or(|ours| limit < ours) && attributes.as_ref().is_some_and(|attributes| attributes.room() > limit) {
        return fail(libc::EMFILE);
    }
    let mask = call.umask();
    let open = |mode| queue::open(&name, flags, mode, attributes.as_ref());
    let fd = call.as_caller(|| files::masked(mask, mode, open))?;
    Ok(Answer::AddFd { fd, cloexec: true })
}
