//! Answers on their way to the kernel. Stand-in of the network branch: the gate core brings its own.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::Answer;
use crate::sys::notify;

/// The right to answer one call, from any thread.
#[derive(Clone)]
pub struct Reply {
    listener: Arc<OwnedFd>,
    id: u64,
}

impl Reply {
    pub fn new(listener: OwnedFd, id: u64) -> Self {
        Reply { listener: Arc::new(listener), id }
    }

    pub fn send(self, answer: Answer) {
        if deliver(self.listener.as_fd(), self.id, answer).is_err() {
            let _ = notify::respond(self.listener.as_fd(), self.id, 0, libc::EPERM);
        }
    }
}

/// Tells the kernel.
pub fn deliver(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    match answer {
        Answer::Continue => notify::proceed(listener, id),
        Answer::Value(value) => notify::respond(listener, id, value, 0),
        Answer::Errno(errno) => notify::respond(listener, id, 0, errno),
        Answer::Descriptor { fd, cloexec } => notify::add_fd(listener, id, fd.as_fd(), None, cloexec, true).map(drop),
        Answer::Replace { fd, at, cloexec, value } => {
            notify::add_fd(listener, id, fd.as_fd(), Some(at), cloexec, false)?;
            notify::respond(listener, id, value, 0)
        }
        Answer::Later => Ok(()),
    }
}
