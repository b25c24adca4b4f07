//! Who is at the other end of a socket.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

use crate::c::*;

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
