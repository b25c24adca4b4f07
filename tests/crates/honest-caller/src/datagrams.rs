//! Whose datagrams these are (`SCM_CREDENTIALS`, unix(7)): a sender without a name is known by nothing else.

use std::io;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::c::*;

const SOL_SOCKET: c_int = 1;
const SO_PASSCRED: c_int = 16;
const SCM_CREDENTIALS: u64 = 2;

fn receiver(name: &str) -> (UnixDatagram, SocketAddr) {
    let path = place("datagrams").join(name);
    let receiver = UnixDatagram::bind(&path).unwrap();
    let on = 1_i32;
    assert_eq!(unsafe { setsockopt(receiver.as_raw_fd(), SOL_SOCKET, SO_PASSCRED, (&raw const on).cast(), 4) }, 0);
    (receiver, SocketAddr::from_pathname(path).unwrap())
}

/// What came, and from whom: process, user, group.
fn receive(receiver: &UnixDatagram) -> (Vec<u8>, [u32; 3]) {
    let (mut bytes, mut control) = ([0_u8; 64], [0_u64; 16]);
    let mut parts = [bytes.as_mut_ptr() as usize, bytes.len()];
    let mut message = Message {
        name: std::ptr::null_mut(),
        name_length: 0,
        parts: &raw mut parts,
        part_count: 1,
        control: control.as_mut_ptr().cast(),
        control_length: size_of_val(&control),
        flags: 0,
    };
    let length = unsafe { recvmsg(receiver.as_raw_fd(), &mut message, 0) };
    assert!(length >= 0, "{}", errno());
    // struct cmsghdr: length, level and type, then what it holds.
    assert_eq!(control[1], u64::from(SOL_SOCKET as u32) | SCM_CREDENTIALS << 32);
    let word = |at: usize| (control[2 + at / 2] >> (at % 2 * 32)) as u32;
    (bytes[..length as usize].to_vec(), [word(0), word(1), word(2)])
}

fn credentials(pid: c_int) -> [u32; 3] {
    unsafe { [pid as u32, geteuid(), getegid()] }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn who_has_sent_it() {
    let (receiver, at) = receiver("who");
    let sender = UnixDatagram::unbound().unwrap();
    let one = child(|| {
        let before = descriptors();
        let sent = sender.send_to_addr(b"from a child", &at).unwrap();
        (sent != 12 || descriptors() != before) as i32
    });
    assert_eq!(receive(&receiver), (b"from a child".to_vec(), credentials(one)));
    assert_eq!(ends(one), 0);
    assert_eq!(sender.send_to_addr(b"from here", &at).unwrap(), 9);
    assert_eq!(receive(&receiver), (b"from here".to_vec(), credentials(unsafe { getpid() })));
    // An empty one is one, too.
    assert_eq!(sender.send_to_addr(b"", &at).unwrap(), 0);
    assert_eq!(receive(&receiver).0, b"");
    let name = SocketAddr::from_abstract_name(format!("datagrams-{}", unsafe { getpid() })).unwrap();
    let named = UnixDatagram::bind_addr(&name).unwrap();
    assert_eq!(sender.send_to_addr(b"by name", &name).unwrap(), 7);
    let mut bytes = [0; 16];
    assert_eq!(named.recv(&mut bytes).unwrap(), 7);
}

/// Each of many threads that share a socket reaches whom it means.
#[test]
fn a_socket_for_all() {
    let sender = UnixDatagram::unbound().unwrap();
    std::thread::scope(|scope| {
        for name in ["one", "two", "three"] {
            let sender = &sender;
            scope.spawn(move || {
                let (receiver, at) = receiver(name);
                for _ in 0..5 {
                    sender.send_to_addr(name.as_bytes(), &at).unwrap();
                    assert_eq!(receive(&receiver), (name.as_bytes().to_vec(), credentials(unsafe { getpid() })));
                }
            });
        }
    });
}

#[test]
fn there_is_no_room() {
    let (receiver, at) = receiver("full");
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    let mut sent = 0;
    let error = loop {
        match sender.send_to_addr(b"x", &at) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.raw_os_error()), (io::ErrorKind::WouldBlock, Some(EAGAIN)));
    assert!(sent > 0);
    // One that waits goes on when there is room, and a signal with a handler ends its wait.
    sender.set_nonblocking(false).unwrap();
    let waits = child(|| {
        handle(SIGUSR1, 0);
        let ended = crate::waiting::signalled(|| sender.send_to_addr(b"late", &at));
        !ended.is_err_and(|error| error.raw_os_error() == Some(EINTR)) as i32
    });
    assert_eq!(ends(waits), 0);
    let late = child(|| (sender.send_to_addr(b"late", &at).unwrap() != 4) as i32);
    (0..sent).for_each(|_| assert_eq!(receive(&receiver).0, b"x"));
    assert_eq!(receive(&receiver), (b"late".to_vec(), credentials(late)));
    assert_eq!(ends(late), 0);
}
