//! `getsockopt`, where a program asks who is at the other end of its unix socket. In: a socket, the name of an option. Out: who it really is, where a
//! process of ours stood in (`peers`); everything else is the kernel's to tell.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::descriptor;
use super::peers::Peer;
use crate::gate::{Answer, Call, memory};
use crate::sys::process;
use crate::sys::{self, pidfd, socket};

/// The caller, as its peers are to see it; `None` when that cannot be told.
pub fn caller(call: &Call<'_>) -> Option<Peer> {
    let (pid, in_effect) = (call.pid(), process::effective(call.tid)?);
    let started = process::stat(pid)?.started;
    call.check_valid().ok()?;
    Some(Peer { pid, started, in_effect })
}

/// `SO_PEERPIDFD` (Linux 6.5), which libc does not declare for every target.
const SO_PEERPIDFD: i32 = 77;

/// Answers `getsockopt(fd, SOL_SOCKET, SO_PEERCRED | SO_PEERPIDFD | SO_PEERGROUPS, value, length)`: of a peer for whom somebody stood in by
/// ourselves, else by the kernel. Nothing is judged here: a socket's peer is its own affair.
pub fn peer(call: &Call<'_>) -> Answer {
    stands_behind(call).map_or(Answer::Continue, |peer| tell(call, &peer).unwrap_or_else(Answer::from))
}

fn stands_behind(call: &Call<'_>) -> Option<Peer> {
    let socket: OwnedFd = descriptor::take(call, call.args[0]).ok()?.duplicate?;
    let mut credentials = [0; 12];
    socket::option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, &mut credentials).ok()?;
    call.watched.sockets.peers.stood_for(i32::from_ne_bytes(credentials[..4].try_into().ok()?))
}

/// As `sk_getsockopt` (net/core/sock.c) has it.
fn tell(call: &Call<'_>, peer: &Peer) -> io::Result<Answer> {
    let [_, _, name, value, length, _] = call.args;
    let fail = |errno| Err(io::Error::from_raw_os_error(errno));
    let mut room = [0; 4];
    memory::read(call.tid, length, &mut room)?;
    let Ok(room) = usize::try_from(i32::from_ne_bytes(room)) else { return fail(libc::EINVAL) };
    let write = |bytes: &[u8]| {
        call.check_valid()?;
        sys::memory::write(call.tid, value, bytes)
    };
    let told = |count: usize| {
        call.check_valid()?;
        sys::memory::write(call.tid, length, &(count as i32).to_ne_bytes())
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
    match name as i32 {
        libc::SO_PEERCRED => {
            let bytes = words(&[peer.pid, peer.in_effect.user, peer.in_effect.group]);
            let bytes = &bytes[..room.min(bytes.len())];
            write(bytes)?;
            told(bytes.len())?;
        }
        libc::SO_PEERGROUPS => {
            let bytes = words(&peer.in_effect.groups);
            if room < bytes.len() {
                told(bytes.len())?;
                return fail(libc::ERANGE);
            }
            write(&bytes)?;
            told(bytes.len())?;
        }
        SO_PEERPIDFD => {
            let fd = pidfd::open(peer.pid, 0)?;
            // Gone, and its number another's.
            if process::stat(peer.pid).is_none_or(|stat| stat.started != peer.started) {
                return fail(libc::ESRCH);
            }
            let room = room.min(size_of::<i32>());
            told(room)?;
            return Ok(Answer::AddFdInto { fd, tid: call.tid, at: value, room });
        }
        _ => return Ok(Answer::Continue),
    }
    Ok(Answer::Value(0))
}
