//! Unix sockets lead out of every sandbox (agents, docker, dbus): the path is resolved and pinned, the pinned object judged, and the
//! gate itself connects or sends to that very object through `/proc/self/fd/N`. To what is the actor's own it connects as the caller (`peers`), and a
//! datagram the caller sends itself (`errand`), where it can; anybody else sees our process id, and our user.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::asked::{errno, network_of, refusal};
use super::connecting::{self, Target};
use super::descriptor::Descriptor;
use super::endpoint::{self, Address};
use super::peer;
use crate::gate::files::found::How;
use crate::gate::{Answer, Call, errand};
use crate::judge::Policy;
use crate::model::{Act, Endpoint, Mode, Object};
use crate::sys::identity::as_person;
use crate::sys::{files, socket};

/// Where a judged call goes: the sockaddr, and what keeps it pointing at the judged object.
struct Destination {
    address: Vec<u8>,
    /// Held open until the call is done.
    pinned: Option<OwnedFd>,
    /// What the actor has made itself: whoever listens there is to see the caller.
    own: bool,
}

/// Connects the actor's socket, or one that takes its place, to a judged address.
///
/// # Errors
/// The errno the call fails with.
pub fn connect(call: &Call<'_>, mut descriptor: Descriptor, address: &Address, bytes: &[u8]) -> Result<Answer, i32> {
    let destination = judge(call, kind_behind(call, &descriptor), address, bytes, |to| Act::Connect { to })?;
    let target = target_of(call, &mut descriptor)?;
    let asking = target.handle().map_err(|error| errno(&error))?;
    let nonblocking = target.nonblocking();
    let (stands_in, in_its_name) = (stands_in(call, &destination, asking.as_fd())?, in_its_name(call)?);
    let ask = move || {
        let _ = &destination.pinned;
        if let Some(connected) = stands_in(asking.as_fd(), &destination.address) {
            return connected.map(|()| 0);
        }
        in_its_name(&|| socket::connect(asking.as_fd(), &destination.address).map(|()| 0))
    };
    Ok(connecting::retrying(call, nonblocking, ask, move |outcome| target.answer(outcome.map(drop))))
}

/// Connects as the caller to what is its actor's own; `None` where that is not so, or cannot be had: then it is done as anything else is.
fn stands_in(
    call: &Call<'_>,
    destination: &Destination,
    socket: BorrowedFd<'_>,
) -> Result<impl Fn(BorrowedFd<'_>, &[u8]) -> Option<io::Result<()>> + Send + use<>, i32> {
    let sockets = call.watched.sockets.clone();
    // Only then can whoever asks be told (`peers::peer`). Of a datagram socket's peer the kernel remembers nothing.
    let asked = destination.own
        && sockets.duplicates()
        && socket::int_option(socket, libc::SOL_SOCKET, libc::SO_TYPE).ok() != Some(libc::SOCK_DGRAM);
    let sandboxed = call.sandbox().map_err(|error| errno(&error))?.is_some();
    let who = if asked && !sandboxed { peer::caller(call) } else { None };
    let person = call.someone_else().map_err(|error| errno(&error))?;
    Ok(move |socket: BorrowedFd<'_>, address: &[u8]| sockets.peers.connect(who.as_ref()?, person.as_ref(), socket, address))
}

/// The actor's own socket, or one of its kind to take its place.
pub fn target_of(call: &Call<'_>, descriptor: &mut Descriptor) -> Result<Target, i32> {
    if let Some(target) = Target::own(descriptor) {
        return Ok(target);
    }
    let kind = kind_of(call.tid, descriptor.inode).ok_or(libc::EPERM)?;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    Ok(Target::fresh(socket::create(libc::AF_UNIX, kind | flags, 0).map_err(|error| errno(&error))?, descriptor))
}

/// A datagram to a named unix socket, sent by the gate from the actor's own socket: what `payload` reads, which is `given`, an address and a length
/// in the caller's memory, where it is of one piece.
pub fn send(
    call: &Call<'_>,
    descriptor: Descriptor,
    (address, bytes): (&Address, &[u8]),
    given: Option<(u64, u64)>,
    payload: impl FnOnce() -> Result<Vec<u8>, i32>,
    flags: i32,
) -> Result<Answer, i32> {
    let destination = judge(call, kind_behind(call, &descriptor), address, bytes, |to| Act::Send { to })?;
    let own = descriptor.duplicate.ok_or(libc::EPERM)?;
    if let Some(answer) = itself(call, &destination, own.as_fd(), given, flags)? {
        return Ok(answer);
    }
    let payload = payload()?;
    let in_its_name = in_its_name(call)?;
    let ask = move || {
        let _ = &destination.pinned;
        in_its_name(&|| socket::send_to(own.as_fd(), &payload, flags | libc::MSG_DONTWAIT, &destination.address))
    };
    let nonblocking = descriptor.nonblocking || flags & libc::MSG_DONTWAIT != 0;
    Ok(connecting::retrying(call, nonblocking, ask, |outcome| outcome.map_or_else(Answer::Errno, |sent| Answer::Value(sent as i64))))
}

/// The caller sends it itself, so that whoever receives it sees whose it is (`SCM_CREDENTIALS`): by a socket that we have connected to the judged
/// address, for this one datagram. Only from a socket without a name, of which the receiver sees nothing anyway. `None` where it is not so.
fn itself(
    call: &Call<'_>,
    destination: &Destination,
    own: BorrowedFd<'_>,
    given: Option<(u64, u64)>,
    flags: i32,
) -> Result<Option<Answer>, i32> {
    let Some((at, length)) = given.filter(|_| destination.own) else { return Ok(None) };
    let nameless = socket::local_name(own).is_ok_and(|name| name.len() <= size_of::<libc::sa_family_t>());
    let datagrams = socket::int_option(own, libc::SOL_SOCKET, libc::SO_TYPE).ok() == Some(libc::SOCK_DGRAM);
    if !nameless || !datagrams || call.sandbox().map_err(|error| errno(&error))?.is_some() {
        return Ok(None);
    }
    let attempt = || {
        let waits = socket::status_flags(own)? & libc::O_NONBLOCK;
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | if waits == 0 { 0 } else { libc::SOCK_NONBLOCK };
        let connected = socket::create(libc::AF_UNIX, kind, 0)?;
        call.as_caller(|| socket::connect(connected.as_fd(), &destination.address))?;
        Ok::<_, io::Error>(connected)
    };
    // What it cannot be connected to it can not be sent to either: that is told by sending.
    let Ok(connected) = attempt() else { return Ok(None) };
    let may = errand::may(call).unwrap_or(false);
    if !may || errand::in_its_place(call, libc::SYS_sendto, [at, length, flags as u32 as u64, 0, 0]).is_err() {
        return Ok(None);
    }
    Ok(Some(Answer::AddFd { fd: connected, cloexec: true }))
}

/// A deed on a socket, with what it returns.
type Deed<'d> = &'d (dyn Fn() -> io::Result<usize> + Sync);

/// Does something on a worker as the caller would: in whose name it acts, and behind its own sandbox.
fn in_its_name(call: &Call<'_>) -> Result<impl Fn(Deed<'_>) -> io::Result<usize> + Send + use<>, i32> {
    let (person, sandbox) = (call.someone_else().map_err(|error| errno(&error))?, call.sandbox().map_err(|error| errno(&error))?);
    Ok(move |deed: Deed<'_>| {
        let deed = || as_person(person.as_ref(), deed);
        match &sandbox {
            Some(sandbox) => sandbox.run(deed),
            None => deed(),
        }
    })
}

/// `SOCK_…`
fn kind_behind(call: &Call<'_>, descriptor: &Descriptor) -> Option<i32> {
    match &descriptor.duplicate {
        Some(socket) => socket::int_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TYPE).ok(),
        None => kind_of(call.tid, descriptor.inode),
    }
}

/// Resolves, pins and judges a unix address, for a socket of type `kind`.
fn judge(
    call: &Call<'_>,
    kind: Option<i32>,
    address: &Address,
    bytes: &[u8],
    act: impl FnOnce(Endpoint) -> Act,
) -> Result<Destination, i32> {
    let (to, object, destination) = match address {
        Address::UnixPath(path) => {
            let start = call.start(libc::AT_FDCWD, path.clone()).map_err(|error| errno(&error))?;
            let found = call.find(&start, How::default()).map_err(|error| errno(&error))?;
            // What is no socket has nobody behind it; the kernel says so too, once it is sure that the caller might write there.
            if !found.is(libc::S_IFSOCK) {
                call.as_caller(|| files::may_write(found.handle.as_fd())).map_err(|error| errno(&error))?;
                return Err(libc::ECONNREFUSED);
            }
            let (object, real) = (found.object(), found.shown(call));
            let pinned = found.handle;
            let own = call.watched.policy.is_scratch(real.as_bytes()) || call.watched.policy.made.holds(real.as_bytes());
            let through = format!("/proc/self/fd/{}", pinned.as_raw_fd());
            let address = endpoint::encode_unix(through.as_bytes()).ok_or(libc::EINVAL)?;
            (Endpoint::UnixPath { path: real }, Some(object), Destination { address, pinned: Some(pinned), own })
        }
        // The kernel's scope does not hold us, so what is not the actor's own is judged.
        Address::UnixAbstract(name) if kind.is_some_and(|kind| network_of(call).has_bound(name, kind)) => {
            return Ok(Destination { address: bytes.to_vec(), pinned: None, own: true });
        }
        Address::UnixAbstract(name) if !is_taken(call.tid, name) => return Err(libc::ECONNREFUSED),
        Address::UnixAbstract(name) => {
            (endpoint::abstract_name(name), None, Destination { address: bytes.to_vec(), pinned: None, own: false })
        }
        _ => return Err(libc::EINVAL),
    };
    let act = act(to);
    if let Some(errno) = only_here(call, &act, object) {
        call.refuse(act, object, errno);
        return Err(errno);
    }
    match refusal(&call.judge(act, object)) {
        Some(errno) => Err(errno),
        None => Ok(destination),
    }
}

/// Where a sink stands in place of the internet nothing leaves by services of this machine either (resolvers, agents, daemons): what enforce mode would
/// refuse is refused in every mode. The errno, if so.
fn only_here(call: &Call<'_>, act: &Act, object: Option<Object>) -> Option<i32> {
    let policy = &call.watched.policy;
    if !call.watched.sockets.sinks() || policy.mode != Mode::Observe {
        return None;
    }
    let strict = Policy { mode: Mode::Enforce, ..(**policy).clone() };
    refusal(&strict.judge(act, object))
}

/// Does somebody have this abstract name? What cannot be read is taken for a yes. The table shows a `@` for each NUL, so a no is sure.
fn is_taken(tid: u32, name: &[u8]) -> bool {
    std::fs::read(format!("/proc/{tid}/net/unix")).map_or(true, |table| is_in(&table, name))
}

fn is_in(table: &[u8], name: &[u8]) -> bool {
    let shown: Vec<u8> = [0].iter().chain(name).map(|byte| if *byte == 0 { b'@' } else { *byte }).collect();
    // A name may hold a new line, and blanks: what stands anywhere behind a blank may be it.
    table.windows(shown.len() + 1).any(|window| window[0] == b' ' && window[1..] == shown)
}

/// The type of a unix socket by its inode, where no duplicate can be had: `/proc/<tid>/net/unix`, columns Type and Inode.
fn kind_of(tid: u32, inode: u64) -> Option<i32> {
    kind_in(&String::from_utf8_lossy(&std::fs::read(format!("/proc/{tid}/net/unix")).ok()?), inode)
}

fn kind_in(table: &str, inode: u64) -> Option<i32> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let kind = i32::from_str_radix(columns.nth(4)?, 16).ok()?;
        (columns.nth(1)?.parse::<u64>().ok()? == inode).then_some(kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_somebody_has() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
                      ffff: 00000002 00000000 00010000 0001 01  4711 @bus@x\n\
                      ffff: 00000002 00000000 00010000 0001 01  4712 @two\nlines\n";
        assert!(is_in(table, b"bus\0x") && is_in(table, b"two\nlines"));
        assert!(is_in(table, b"bus"), "the beginning of another: judged, to be sure");
        assert!(!is_in(table, b"us") && !is_in(table, b"other"));
    }

    #[test]
    fn types_from_the_kernels_table() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                     ffff: 00000002 00000000 00000000 0002 01  4711 /run/x\n\
                     ffff: 00000003 00000000 00000000 0001 03  4712\n";
        assert_eq!(kind_in(table, 4711), Some(libc::SOCK_DGRAM));
        assert_eq!(kind_in(table, 4712), Some(libc::SOCK_STREAM));
        assert_eq!(kind_in(table, 4713), None);
    }
}
