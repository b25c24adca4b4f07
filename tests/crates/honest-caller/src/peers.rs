//! Who is at the other end of a socket: those who have really connected and listened.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

use crate::c::*;

const SOL_SOCKET: c_int = 1;
const SO_PEERCRED: c_int = 17;
const SO_PEERGROUPS: c_int = 59;
const SO_PEERPIDFD: c_int = 77;

fn named(name: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(format!("{name}-{}", unsafe { getpid() })).unwrap()
}

#[test]
fn a_name_nobody_has() {
    for _ in 0..2 {
        assert_eq!(UnixStream::connect_addr(&named("nobody")).unwrap_err().raw_os_error(), Some(ECONNREFUSED));
        let sender = UnixDatagram::unbound().unwrap();
        assert_eq!(sender.send_to_addr(b"x", &named("nobody")).unwrap_err().raw_os_error(), Some(ECONNREFUSED));
    }
    let server = UnixListener::bind_addr(&named("somebody")).unwrap();
    let _client = UnixStream::connect_addr(&named("somebody")).unwrap();
    server.accept().unwrap();
}

/// Reads an option of words, of which there is room for `room`.
fn option(socket: &impl AsRawFd, name: c_int, room: usize) -> Result<Vec<u32>, i32> {
    let mut words = [0_u32; 64];
    let mut length = (room * 4) as c_uint;
    let result = unsafe { getsockopt(socket.as_raw_fd(), SOL_SOCKET, name, words.as_mut_ptr().cast(), &mut length) };
    if result == 0 { Ok(words[..length as usize / 4].to_vec()) } else { Err(errno()) }
}

fn peer(socket: &impl AsRawFd) -> [u32; 3] {
    option(socket, SO_PEERCRED, 3).unwrap().try_into().unwrap()
}

fn credentials(pid: c_int) -> [u32; 3] {
    unsafe { [pid as u32, geteuid(), getegid()] }
}

fn me() -> [u32; 3] {
    credentials(unsafe { getpid() })
}

fn groups() -> Vec<u32> {
    let mut groups = [0; 64];
    let count = unsafe { getgroups(64, groups.as_mut_ptr()) };
    groups[..count as usize].to_vec()
}

/// The process that a peer's pidfd is of; `None` on a kernel that has none (before Linux 6.5).
fn held(socket: &impl AsRawFd) -> Option<c_int> {
    const ENOPROTOOPT: i32 = 92;
    let number = match option(socket, SO_PEERPIDFD, 1) {
        Err(ENOPROTOOPT) => return None,
        other => other.unwrap()[0] as c_int,
    };
    let held = unsafe { OwnedFd::from_raw_fd(number) };
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", held.as_raw_fd())).unwrap();
    text.lines().find_map(|line| line.strip_prefix("Pid:")).map(|pid| pid.trim().parse().unwrap())
}

/// As a bus asks it: all three, of each end.
fn see_each_other(client: &UnixStream, server: &UnixStream) {
    for end in [client, server] {
        assert_eq!(peer(end), me());
        assert!(held(end).is_none_or(|pid| pid == unsafe { getpid() }));
        assert_eq!(option(end, SO_PEERGROUPS, 64).unwrap(), groups());
    }
}

#[test]
fn a_program_sees_itself() {
    let path = place("peers").join("s");
    for path in [path.to_str().unwrap(), "peers.sock", "./.tmpPe12rs"] {
        let listener = UnixListener::bind(path).unwrap();
        let client = UnixStream::connect(path).unwrap();
        see_each_other(&client, &listener.accept().unwrap().0);
        std::fs::remove_file(path).unwrap();
    }
    let listener = UnixListener::bind_addr(&named("itself")).unwrap();
    let client = UnixStream::connect_addr(&named("itself")).unwrap();
    see_each_other(&client, &listener.accept().unwrap().0);
    let (one, other) = UnixStream::pair().unwrap();
    see_each_other(&one, &other);
}

/// A pointer that leads nowhere, and too little room, are told as the kernel tells them.
#[test]
fn questions_that_are_wrong() {
    let path = place("wrong").join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    let server = listener.accept().unwrap().0;
    assert_eq!(option(&server, SO_PEERCRED, 1).unwrap(), [unsafe { getpid() } as u32]);
    const EFAULT: i32 = 14;
    const EINVAL: i32 = 22;
    let mut length: c_uint = 12;
    for (value, length, expected) in [
        (8 as *mut c_void, &raw mut length, EFAULT),
        (std::ptr::null_mut(), 8 as *mut c_uint, EFAULT),
        (std::ptr::null_mut(), &raw mut length, EFAULT),
    ] {
        assert_eq!(unsafe { (getsockopt(server.as_raw_fd(), SOL_SOCKET, SO_PEERCRED, value, length), errno()) }, (-1, expected));
    }
    let mut negative = c_uint::MAX;
    let mut room = [0_u32; 3];
    let result = unsafe { getsockopt(server.as_raw_fd(), SOL_SOCKET, SO_PEERCRED, room.as_mut_ptr().cast(), &mut negative) };
    assert_eq!((result, errno()), (-1, EINVAL));
    if !groups().is_empty() {
        assert_eq!(option(&server, SO_PEERGROUPS, 0), Err(ERANGE));
    }
}

/// Clients that are other processes: each is seen as itself, also when it has ended before anybody asks, and sees who listens.
#[test]
fn processes_see_each_other() {
    let path = place("others").join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let (server, connect) = (me(), || UnixStream::connect(&path));
    let stays: Vec<c_int> = (0..3)
        .map(|_| {
            child(|| {
                let mut client = connect().unwrap();
                let sees = peer(&client) == server && held(&client).is_none_or(|pid| pid as u32 == server[0]);
                client.write_all(b"x").unwrap();
                // Until the other end is gone.
                !(sees && client.read(&mut [0]).unwrap() == 0) as i32
            })
        })
        .collect();
    let mut seen = Vec::new();
    for _ in &stays {
        let mut client = listener.accept().unwrap().0;
        client.read_exact(&mut [0]).unwrap();
        let pid = peer(&client)[0] as c_int;
        assert_eq!(peer(&client), credentials(pid));
        assert!(held(&client).is_none_or(|held| held == pid));
        seen.push(pid);
    }
    seen.sort();
    assert_eq!(seen, stays);
    stays.into_iter().for_each(|pid| assert_eq!(ends(pid), 0));

    let gone = child(|| connect().is_err() as i32);
    assert_eq!(ends(gone), 0);
    assert_eq!(peer(&listener.accept().unwrap().0), credentials(gone));
}

/// Of root alone: whoever has become somebody else is seen as that.
#[test]
fn somebody_else() {
    if unsafe { geteuid() } != 0 {
        return;
    }
    let listener = UnixListener::bind_addr(&named("else")).unwrap();
    let name = named("else");
    let pid = child(|| unsafe {
        let groups = [65533_u32, 65534];
        assert!(setgroups(2, groups.as_ptr()) == 0 && setgid(65533) == 0 && setuid(65534) == 0);
        UnixStream::connect_addr(&name).is_err() as i32
    });
    assert_eq!(ends(pid), 0);
    let server = listener.accept().unwrap().0;
    assert_eq!(peer(&server), [pid as u32, 65534, 65533]);
    assert_eq!(option(&server, SO_PEERGROUPS, 64).unwrap(), [65533, 65534]);
}
