//! Network namespaces: making one, entering one, and giving its loopback device addresses.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use super::descriptors::check;

/// `unshare(2)`. With `CLONE_NEWUSER` the process must have a single thread.
pub fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers; only the calling thread's namespaces change.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// `setns(2)` into a network namespace.
pub fn enter(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is open for the length of the call.
    check(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }).map(drop)
}

/// Brings the device `lo` up in the namespace `socket` (any inet socket) was born in: `SIOCSIFFLAGS`, netdevice(7).
pub fn loopback_up(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut request = named(b"lo");
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: `request` is a whole `ifreq`, its name is NUL-terminated, and the kernel only reads it.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw mut request) }).map(drop)
}

/// Leads multicast groups to `lo` (`SIOCADDRT`, rtnetlink's elder): without a route for them no group can be joined by the default interface.
/// Nothing leaves by it, and whoever joined a group inside hears what is sent to it inside.
pub fn multicast_on_loopback(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut device = *b"lo\0";
    // SAFETY: `rtentry` is plain integers, addresses and pointers; all zeros is a valid value.
    let mut route: libc::rtentry = unsafe { std::mem::zeroed() };
    route.rt_dst = sockaddr_v4(Ipv4Addr::new(224, 0, 0, 0));
    route.rt_genmask = sockaddr_v4(Ipv4Addr::new(240, 0, 0, 0));
    route.rt_flags = ROUTE_UP;
    route.rt_dev = device.as_mut_ptr().cast();
    // SAFETY: `route` is a whole `rtentry`, and its device a NUL-terminated name that outlives the call; the kernel only reads both.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCADDRT, &raw const route) }).map(drop)
}

/// `RTF_UP`, `linux/route.h`.
const ROUTE_UP: u16 = 1;

/// `struct in6_rtmsg` (`linux/ipv6_route.h`), whose fields libc keeps to itself.
#[repr(C)]
#[derive(Default)]
struct RouteV6 {
    destination: [u8; 16],
    source: [u8; 16],
    gateway: [u8; 16],
    kind: u32,
    destination_length: u16,
    source_length: u16,
    metric: u32,
    info: libc::c_ulong,
    flags: u32,
    device: libc::c_int,
}

/// The same for IPv6. `socket` must be of family inet6. `lo` is device 1 in every namespace.
pub fn multicast_on_loopback_v6(socket: BorrowedFd<'_>) -> io::Result<()> {
    let destination = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0).octets();
    let route = RouteV6 { destination, destination_length: 8, metric: 256, flags: ROUTE_UP.into(), device: 1, ..RouteV6::default() };
    // SAFETY: `route` is a whole `in6_rtmsg`, which the kernel only reads.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCADDRT, &raw const route) }).map(drop)
}

/// Gives `lo` one more IPv4 address, as the alias `lo:<label>`, and narrows it to that single address.
pub fn own_v4(socket: BorrowedFd<'_>, label: u32, address: Ipv4Addr) -> io::Result<()> {
    let name = format!("lo:{label}");
    let mut request = named(name.as_bytes());
    request.ifr_ifru.ifru_addr = sockaddr_v4(address);
    // SAFETY: `request` is a whole `ifreq` with a NUL-terminated name and an AF_INET address; the kernel only reads it.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFADDR, &raw mut request) })?;
    request.ifr_ifru.ifru_netmask = sockaddr_v4(Ipv4Addr::BROADCAST);
    // SAFETY: as above; without this the address would come with its whole classful network.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFNETMASK, &raw mut request) }).map(drop)
}

/// Gives `lo` one more IPv6 address (/128). `socket` must be of family inet6. `lo` is device 1 in every namespace.
pub fn own_v6(socket: BorrowedFd<'_>, address: Ipv6Addr) -> io::Result<()> {
    let request = libc::in6_ifreq { ifr6_addr: libc::in6_addr { s6_addr: address.octets() }, ifr6_prefixlen: 128, ifr6_ifindex: 1 };
    // SAFETY: `request` has the layout of `struct in6_ifreq` and the kernel only reads it.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFADDR, &raw const request) }).map(drop)
}

fn named(name: &[u8]) -> libc::ifreq {
    // SAFETY: `ifreq` is plain integers, arrays and pointers; all zeros is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.iter().take(libc::IFNAMSIZ - 1)) {
        *to = *from as libc::c_char;
    }
    request
}

fn sockaddr_v4(address: Ipv4Addr) -> libc::sockaddr {
    let mut out = libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, sa_data: [0; 14] };
    for (to, from) in out.sa_data[2..6].iter_mut().zip(address.octets()) {
        *to = from as libc::c_char;
    }
    out
}
