//! The socket behind an actor's descriptor number, at the moment of one call. A duplicate (`pidfd_getfd`) where the kernel grants it:
//! what is done to the duplicate is done to the actor's socket, whatever the actor's threads do to the number meanwhile. Without it,
//! the inode and the flags from `/proc`, and for a socket's first use the handle its network has kept.

use std::os::fd::{AsFd, OwnedFd, RawFd};

use super::asked::{network_of, waits};
use super::known::{Known, Place};
use super::network::Network;
use crate::gate::Call;
use crate::sys::process::{descriptor_flags, status};
use crate::sys::{pidfd, socket};

/// A socket descriptor of the caller's.
pub struct Descriptor {
    /// In the actor's table.
    pub number: RawFd,
    /// Our handle on the same socket (`pidfd_getfd`, Linux 5.6), where it can be had.
    pub duplicate: Option<OwnedFd>,
    /// On sockfs: the number in `socket:[…]`.
    pub inode: u64,
    /// `O_NONBLOCK` and `O_CLOEXEC` as they were at that moment.
    pub nonblocking: bool,
    pub cloexec: bool,
}

/// Takes hold of descriptor `number` of the calling thread.
///
/// # Errors
/// The errno the call fails with: not open, no socket, or the caller is gone.
pub fn take(call: &Call<'_>, number: u64) -> Result<Descriptor, i32> {
    let number = number as u32 as RawFd;
    if number < 0 {
        return Err(libc::EBADF);
    }
    let flags = descriptor_flags(call.tid, number).ok_or(libc::EBADF)?;
    let sockets = &call.watched.sockets;
    let mut duplicate = if sockets.duplicates() { duplicate(call.tid, number) } else { None };
    let inode = match &duplicate {
        Some(fd) => socket::inode(fd.as_fd()).ok().flatten(),
        None => std::fs::read_link(format!("/proc/{}/fd/{number}", call.tid)).ok().and_then(|target| socket_inode(target.to_str()?)),
    };
    let inode = inode.ok_or(libc::ENOTSOCK)?;
    waits(call)?;
    if !sockets.duplicates() {
        // Its inode cannot have become another's while the handle was held.
        duplicate = network_of(call).kept(inode);
    }
    Ok(Descriptor { number, duplicate, inode, nonblocking: flags & libc::O_NONBLOCK != 0, cloexec: flags & libc::O_CLOEXEC != 0 })
}

impl Descriptor {
    /// What is known about the socket: from the table, else from the socket itself.
    pub fn known(&self, network: Option<&Network>) -> Option<Known> {
        if let Some(known) = network.and_then(|network| network.known(self.inode)) {
            return Some(known);
        }
        let fd = self.duplicate.as_ref()?.as_fd();
        let ask = |name| socket::int_option(fd, libc::SOL_SOCKET, name).ok();
        let private = network.and_then(Network::cookie).is_some_and(|cookie| socket::netns_cookie(fd).is_ok_and(|of| of == cookie));
        let known = Known {
            family: ask(libc::SO_DOMAIN)?,
            kind: ask(libc::SO_TYPE)?,
            protocol: ask(libc::SO_PROTOCOL)?,
            place: if private { Place::Private } else { Place::Foreign },
        };
        Some(known)
    }
}

fn duplicate(tid: u32, number: RawFd) -> Option<OwnedFd> {
    let process = pidfd::open(tid, 0)
        .or_else(|_| pidfd::open(tid, pidfd::THREAD))
        .or_else(|_| pidfd::open(status(tid).map_or(tid, |status| status.pid), 0));
    pidfd::get_fd(process.ok()?.as_fd(), number).ok()
}

fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_texts() {
        assert_eq!(socket_inode("socket:[123]"), Some(123));
        assert_eq!(socket_inode("pipe:[123]"), None);
        assert_eq!(socket_inode("/tmp/socket:[123]"), None);
    }
}
