//! Socket options carried from the actor's socket to the one that takes its place. Best effort: they can only be read where the kernel
//! grants a duplicate, and a bound local address or an attached filter does not come along.

use std::os::fd::BorrowedFd;

use crate::sys::socket;

/// (level, name) of what programs set before they connect.
const CARRIED: &[(i32, i32)] = &[
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    (libc::SOL_SOCKET, libc::SO_LINGER),
    (libc::SOL_SOCKET, libc::SO_OOBINLINE),
    (libc::SOL_SOCKET, libc::SO_RCVTIMEO),
    (libc::SOL_SOCKET, libc::SO_SNDTIMEO),
    (libc::SOL_SOCKET, libc::SO_RCVLOWAT),
    (libc::SOL_SOCKET, libc::SO_BROADCAST),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY),
    (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
    (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
    (libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
    (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT),
    (libc::IPPROTO_IP, libc::IP_TOS),
    (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
];

/// Copies what differs from the default; a copy equal to the default changes nothing.
pub fn carry(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    for (level, name) in CARRIED {
        let mut value = [0; 16];
        let mut default = [0; 16];
        let Ok(length) = socket::option(from, *level, *name, &mut value) else { continue };
        if socket::option(to, *level, *name, &mut default).is_ok() && default != value {
            let _ = socket::set_option(to, *level, *name, &value[..length]);
        }
    }
    // The kernel reports twice what was asked for (socket(7)); setting a size also switches automatic sizing off, so only a size that
    // somebody set is worth carrying.
    for name in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
        let sizes = (socket::int_option(from, libc::SOL_SOCKET, name), socket::int_option(to, libc::SOL_SOCKET, name));
        if let (Ok(set), Ok(default)) = sizes
            && set != default
        {
            let _ = socket::set_option(to, libc::SOL_SOCKET, name, &(set / 2).to_ne_bytes());
        }
    }
}
