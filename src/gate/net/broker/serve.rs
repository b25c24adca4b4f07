//! The broker's own life: a single thread that reads requests from descriptor 0 until it ends.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::wire::Request;
use crate::sys::{descriptors, netns, socket};

/// More than any build has actors at work at once; each costs a descriptor and a namespace.
const MOST_NAMESPACES: usize = 1024;

/// Serves until the channel on descriptor 0 ends. Called from `main` when the hidden argument is seen.
pub fn broker_main() -> ! {
    // Whatever we were started with and did not mark close-on-exec (an outer jobserver) is none of the broker's business.
    if descriptors::close_from(3).is_err() {
        std::process::exit(1);
    }
    let stdin = io::stdin();
    let channel = stdin.as_fd();
    let mut namespaces = Namespaces::default();
    let ready = own_users();
    let mut buffer = [0; 64];
    loop {
        let length = match socket::receive_with_fd(channel, &mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) | Ok((0, _)) => std::process::exit(0),
            Ok((length, _)) => length,
        };
        let answer = match (&ready, Request::decode(&buffer[..length])) {
            (Err(error), _) => Err(io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EPERM))),
            (_, None) => Err(io::Error::from_raw_os_error(libc::EINVAL)),
            (Ok(()), Some(request)) => namespaces.serve(request),
        };
        if reply(channel, answer).is_err() {
            std::process::exit(0);
        }
    }
}

fn reply(channel: BorrowedFd<'_>, answer: io::Result<Option<OwnedFd>>) -> io::Result<()> {
    let (errno, fd) = match answer {
        Ok(fd) => (0, fd),
        Err(error) => (error.raw_os_error().unwrap_or(libc::EPERM), None),
    };
    socket::send_with_fd(channel, &errno.to_ne_bytes(), fd.as_ref().map(AsFd::as_fd))
}

/// A user namespace with every capability over the network namespaces to be made below it. Where user namespaces are forbidden but we
/// have the right anyway (a container's root with CAP_SYS_ADMIN), none is needed.
fn own_users() -> io::Result<()> {
    // Nobody's ids are mapped into it, so those inside count as nobody's: nothing here asks for them, and a root without CAP_SETFCAP could
    // not map itself (user_namespaces(7), Linux 5.12).
    netns::unshare(libc::CLONE_NEWUSER).or_else(|error| netns::unshare(libc::CLONE_NEWNET).map_err(|_| error))
}

/// What the broker does before its first socket, done in a process that ends then: whether a private network can be had here. Some systems
/// let the namespaces be made and then deny every right in them; bringing `lo` up needs one. Allocates nothing.
///
/// # Errors
/// The kernel's own.
pub fn rehearse() -> io::Result<()> {
    own_users()?;
    fresh().map(drop)
}

#[derive(Default)]
struct Namespaces {
    known: HashMap<u32, OwnedFd>,
    /// The one this thread is in.
    here: Option<u32>,
    /// The namespace the proof made; the first actor gets it.
    spare: Option<OwnedFd>,
}

impl Namespaces {
    fn serve(&mut self, request: Request) -> io::Result<Option<OwnedFd>> {
        match request {
            Request::Hello => {
                self.here = None;
                self.spare = Some(fresh()?);
                Ok(None)
            }
            Request::Close { namespace } => {
                self.known.remove(&namespace);
                if self.here == Some(namespace) {
                    self.here = None;
                }
                Ok(None)
            }
            Request::Socket { namespace, family, kind, protocol } => {
                self.enter(namespace)?;
                socket::create(family, kind | libc::SOCK_CLOEXEC, protocol).map(Some)
            }
        }
    }

    /// On success this thread is in `namespace`; on failure nothing is made, because every request enters anew.
    fn enter(&mut self, namespace: u32) -> io::Result<()> {
        if self.here == Some(namespace) {
            return Ok(());
        }
        self.here = None;
        match self.known.get(&namespace) {
            Some(fd) => netns::enter(fd.as_fd())?,
            None if self.known.len() >= MOST_NAMESPACES => return Err(io::Error::from_raw_os_error(libc::ENFILE)),
            None => {
                let fd = match self.spare.take() {
                    Some(spare) => {
                        netns::enter(spare.as_fd())?;
                        spare
                    }
                    None => fresh()?,
                };
                self.known.insert(namespace, fd);
            }
        }
        self.here = Some(namespace);
        Ok(())
    }
}

/// Makes a network namespace, moves this thread into it, and brings its loopback up.
fn fresh() -> io::Result<OwnedFd> {
    netns::unshare(libc::CLONE_NEWNET)?;
    let probe = socket::create(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)?;
    netns::loopback_up(probe.as_fd())?;
    // Where it cannot be had, no group can be joined: nothing depends on it.
    let _ = netns::multicast_on_loopback(probe.as_fd());
    if let Ok(probe) = socket::create(libc::AF_INET6, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) {
        let _ = netns::multicast_on_loopback_v6(probe.as_fd());
    }
    Ok(File::open("/proc/thread-self/ns/net")?.into())
}
