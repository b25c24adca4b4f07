//! The confinement channel: a socketpair whose far end every program inherits at one number until it is confined. The ruleset goes in,
//! the listener comes out. The far end is closed in each actor before it runs.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use nix::sys::resource::{Resource, getrlimit};

use crate::sys::socket;

/// Both ends, of which the far one is inherited.
pub struct Channel {
    near: OwnedFd,
    far: OwnedFd,
    /// The far end's number in everything cargo starts.
    number: RawFd,
}

impl Channel {
    /// # Errors
    /// The errno of `socketpair` or `getrlimit`.
    pub fn new() -> io::Result<Self> {
        // Nobody ever waits here: what is taken was sent by a call that has ended.
        let (near, far) = socket::pair(libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK)?;
        // High, so that no program expects something else there; below the soft limit, or dup2 fails.
        let limit = getrlimit(Resource::RLIMIT_NOFILE)?.0.min(1024);
        Ok(Channel { near, far, number: limit as RawFd - 3 })
    }

    /// The far end's descriptor in everything cargo starts.
    pub fn number(&self) -> RawFd {
        self.number
    }

    /// To be inherited.
    pub fn far(&self) -> BorrowedFd<'_> {
        self.far.as_fd()
    }

    /// Puts a descriptor where the next stopped program will receive it.
    pub fn offer(&self, fd: BorrowedFd) -> io::Result<()> {
        socket::send_with_fd(self.near.as_fd(), b"r", Some(fd))
    }

    /// Throws away what a program that died half confined has left in either direction: the next one must not take its ruleset.
    pub fn drain(&self) {
        for end in [&self.near, &self.far] {
            while socket::receive_with_fd(end.as_fd(), &mut [0; 8]).is_ok() {}
        }
    }

    /// Takes the descriptor a stopped program has just sent.
    pub fn take(&self) -> io::Result<OwnedFd> {
        let (_, fd) = socket::receive_with_fd(self.near.as_fd(), &mut [0]).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::InvalidData, "nothing was sent"),
            _ => error,
        })?;
        fd.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no descriptor in the message"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_dead_is_left() {
        let channel = Channel::new().unwrap();
        let (stale, fresh) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let inode = |fd: BorrowedFd| nix::sys::stat::fstat(fd).unwrap().st_ino;
        channel.offer(stale.as_fd()).unwrap();
        channel.drain();
        channel.offer(fresh.as_fd()).unwrap();
        let swapped = Channel { near: channel.far.try_clone().unwrap(), far: channel.near.try_clone().unwrap(), number: 0 };
        assert_eq!(inode(swapped.take().unwrap().as_fd()), inode(fresh.as_fd()));
        swapped.offer(stale.as_fd()).unwrap();
        channel.drain();
        assert!(channel.take().is_err());
    }
}
