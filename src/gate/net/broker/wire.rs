//! What gate and broker say to each other: one SEQPACKET message each way, five integers there, an errno (and a descriptor) back.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use crate::sys::socket;

/// The hidden argument that turns our own program into the broker.
pub const ARGUMENT: &str = "__brig-sockets";

const SIZE: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Prove that a namespace with a loopback device can be made.
    Hello,
    Socket {
        namespace: u32,
        family: i32,
        kind: i32,
        protocol: i32,
    },
    Close {
        namespace: u32,
    },
}

impl Request {
    pub fn encode(&self) -> [u8; SIZE] {
        let words = match *self {
            Request::Hello => [0, 0, 0, 0, 0],
            Request::Socket { namespace, family, kind, protocol } => [1, namespace as i32, family, kind, protocol],
            Request::Close { namespace } => [2, namespace as i32, 0, 0, 0],
        };
        let mut out = [0; SIZE];
        for (to, word) in out.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Option<Request> {
        let bytes: &[u8; SIZE] = bytes.try_into().ok()?;
        let mut words = [0i32; 5];
        for (word, from) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = i32::from_ne_bytes(from.try_into().ok()?);
        }
        match words {
            [0, 0, 0, 0, 0] => Some(Request::Hello),
            [1, namespace, family, kind, protocol] => Some(Request::Socket { namespace: namespace as u32, family, kind, protocol }),
            [2, namespace, 0, 0, 0] => Some(Request::Close { namespace: namespace as u32 }),
            _ => None,
        }
    }
}

/// Asks once. The outer error means that the line is broken, the inner one is the broker's answer.
pub fn exchange(channel: BorrowedFd<'_>, request: &Request) -> io::Result<io::Result<Option<OwnedFd>>> {
    socket::send_with_fd(channel, &request.encode(), None)?;
    let mut errno = [0; 4];
    let (length, fd) = loop {
        match socket::receive_with_fd(channel, &mut errno) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    if length != errno.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(match i32::from_ne_bytes(errno) {
        0 => Ok(fd),
        errno => Err(io::Error::from_raw_os_error(errno)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_survive_the_wire() {
        for request in [
            Request::Hello,
            Request::Socket { namespace: 7, family: libc::AF_INET6, kind: libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, protocol: 17 },
            Request::Close { namespace: u32::MAX },
        ] {
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
        assert_eq!(Request::decode(&[9; SIZE]), None);
        assert_eq!(Request::decode(&[0; SIZE - 1]), None);
    }
}
