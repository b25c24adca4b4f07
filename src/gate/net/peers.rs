//! Who really connected. Between an actor's own unix sockets the gate connects in the caller's place, and the kernel remembers whoever calls: a
//! server would find Brig behind every client (`SO_PEERCRED`, `SO_PEERPIDFD`, `SO_PEERGROUPS`; unix(7), socket(7)). So a process of a moment
//! (`sys::stand_in`) connects, another one for each connection, and the book says for whom it stood: a server that asks is told that.
//!
//! Such a process is dead when it has connected, and keeps its number for as long as it is in the book; the last hundred or so are. Whoever asks later
//! than that is told the number of a process that is gone. In: who calls, its socket, a judged address. Out: the connection; who a peer is.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, OnceLock};

use super::lock::lock;
use crate::sys::elsewhere::Elsewhere;
use crate::sys::identity::{Person, as_person};
use crate::sys::process::Effective;
use crate::sys::stand_in;

/// Connections remembered: as many dead processes, of which each counts as one of the user's (`RLIMIT_NPROC`, a container's limit).
const MOST: usize = 128;

/// A process as its peers are to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub pid: u32,
    /// Clock ticks since boot: tells it from a later process of that number.
    pub started: u64,
    pub in_effect: Effective,
}

/// The book, for all actors of a run.
#[derive(Default)]
pub struct Peers {
    /// The thread whose children those processes are; `None` where it could not be had.
    there: OnceLock<Option<Elsewhere>>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    known: HashMap<i32, Peer>,
    /// The oldest first.
    order: VecDeque<i32>,
}

impl Peers {
    /// Connects `socket` in the name of `person`, if not in ours, as `who`. `None` where nobody could stand in: nothing was done then.
    pub fn connect(&self, who: &Peer, person: Option<&Person>, socket: BorrowedFd<'_>, address: &[u8]) -> Option<io::Result<()>> {
        let there = self.there.get_or_init(|| Elsewhere::start("brig-peers", || Ok(())).ok()).as_ref()?;
        there.run(|| {
            // Held until it is known who that was: the other end may ask at once.
            let mut book = lock(&self.book);
            let connected = match as_person(person, || stand_in::connect(socket, address)) {
                Ok(connected) => connected,
                Err(_) => return None,
            };
            Some(connected.map(|pid| book.add(pid, who.clone())))
        })
    }

    /// For whom a process stood in.
    pub fn stood_for(&self, pid: i32) -> Option<Peer> {
        lock(&self.book).known.get(&pid).cloned()
    }

    /// Those processes: ours, all dead.
    pub fn stand_ins(&self) -> Vec<i32> {
        lock(&self.book).order.iter().copied().collect()
    }
}

impl Book {
    fn add(&mut self, pid: i32, who: Peer) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
            stand_in::forget(oldest);
        }
        self.known.insert(pid, who);
        self.order.push_back(pid);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::sys::{process, socket};

    #[test]
    fn the_book_has_an_end_and_no_number_in_it_is_anothers() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let address = [&1_u16.to_ne_bytes()[..], path.to_str().unwrap().as_bytes(), b"\0"].concat();
        let peers = Peers::default();
        let somebody = |number| Peer { pid: number, started: 1, in_effect: Effective { user: 1, group: 2, groups: vec![3] } };
        let mut first = None;
        for number in 0..MOST as u32 + 2 {
            let client = socket::create(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0).unwrap();
            peers.connect(&somebody(number), None, client.as_fd(), &address).unwrap().unwrap();
            let (server, _) = listener.accept().unwrap();
            let mut seen = [0; 12];
            socket::option(server.as_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, &mut seen).unwrap();
            let pid = i32::from_ne_bytes(seen[..4].try_into().unwrap());
            assert_eq!(peers.stood_for(pid), Some(somebody(number)));
            first.get_or_insert(pid);
        }
        assert_eq!(peers.stand_ins().len(), MOST);
        assert!(peers.stand_ins().iter().all(|pid| process::stat(*pid as u32).is_some_and(|stat| stat.ended)));
        assert_eq!(peers.stood_for(first.unwrap()), None);
        drop(listener);
        let client = socket::create(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0).unwrap();
        let refused = peers.connect(&somebody(0), None, client.as_fd(), &address).unwrap().unwrap_err();
        assert_eq!((refused.raw_os_error(), peers.stand_ins().len()), (Some(libc::ECONNREFUSED), MOST));
    }
}
