//! What each layer holds by itself. A run always has all of them; the corpus of evasions takes one away to see which of them stopped what
//! (`tests/evasions`). No option, variable or file leads here: only a program of its own that is linked with this library.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::model::ActorKind;
use crate::sys::notify;

/// The layers around an actor. What is left without either is preparation: the environment it gets, the descriptors it does not get, and
/// the calls that do not exist for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// The Landlock domain.
    pub wall: bool,
    /// The gate: without it every call is let through, unseen.
    pub gate: bool,
}

impl Layers {
    pub const ALL: Layers = Layers { wall: true, gate: true };

    /// What stands around an actor of this kind. The sources of a workspace are granted by the gate, file by file: a compiler behind the wall
    /// alone compiles nothing, and nothing it should have compiled would ever run.
    pub fn around(self, kind: ActorKind) -> Layers {
        match kind {
            ActorKind::Rustc | ActorKind::Rustdoc if self.wall => Layers::ALL,
            _ => self,
        }
    }
}

/// Lets every call through until the last process behind `listener` is gone.
///
/// # Errors
/// When no thread can be had.
pub fn let_through(listener: OwnedFd) -> io::Result<()> {
    std::thread::Builder::new().name("open-gate".into()).spawn(move || pass(&listener)).map(drop)
}

fn pass(listener: &OwnedFd) {
    loop {
        let mut ready = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(_) => return,
        }
        if !ready[0].revents().unwrap_or(PollFlags::empty()).contains(PollFlags::POLLIN) {
            return;
        }
        match notify::recv(listener.as_fd()) {
            Ok(Some(call)) => notify::proceed(listener.as_fd(), call.id),
            Ok(None) => {}
            Err(_) => return,
        }
    }
}
