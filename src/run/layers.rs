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

    /// Is this actor served by the gate? Behind the wall alone a compiler cannot work (the kernel grants less than the gate hands over: no tree that
    /// holds a secret), and where nothing is compiled nothing is tried; so there the gate is taken away from what is compiled only.
    pub fn has_gate(self, kind: ActorKind) -> bool {
        self.gate || self.wall && !matches!(kind, ActorKind::BuildScript | ActorKind::Program)
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
            Ok(Some(call)) => notify::respond_continue(listener.as_fd(), call.id),
            Ok(None) => {}
            Err(_) => return,
        }
    }
}
