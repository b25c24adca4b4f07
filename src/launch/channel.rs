//! The confinement channel: a socketpair whose far end every program inherits at one number until it is confined. The ruleset goes in,
//! the listener comes out. The far end is closed in each actor before it runs.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::socket::{AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, sendmsg, socketpair};

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
        let (near, far) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        // High, so that no program expects something else there; below the soft limit, or dup2 fails.
        let limit = getrlimit(Resource::RLIMIT_NOFILE)?.0.min(1024);
        Ok(Channel { near, far, number: limit as RawFd - 3 })
    }

    pub fn number(&self) -> RawFd {
        self.number
    }

    pub fn far(&self) -> BorrowedFd<'_> {
        self.far.as_fd()
    }

    /// Puts a descriptor where the next stopped program will receive it.
    pub fn offer(&self, fd: BorrowedFd) -> io::Result<()> {
        let fds = [fd.as_raw_fd()];
        sendmsg::<()>(
            self.near.as_raw_fd(),
            &[IoSlice::new(b"r")],
            &[ControlMessage::ScmRights(&fds)],
            MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL,
            None,
        )?;
        Ok(())
    }

    /// Takes the descriptor a stopped program has just sent.
    pub fn take(&self) -> io::Result<OwnedFd> {
        let mut byte = [0];
        let mut room = nix::cmsg_space!([RawFd; 1]);
        let mut slices = [IoSliceMut::new(&mut byte)];
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(self.near.as_raw_fd(), &mut slices, Some(&mut room), flags)?;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(fds) = control
                && let [fd] = fds[..]
            {
                return Ok(crate::sys::spawn::own(fd));
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "no descriptor in the message"))
    }
}
