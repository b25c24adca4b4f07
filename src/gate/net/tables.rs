//! Who holds an address or a name at this moment, by the kernel's tables of sockets (proc_net_tcp.rst, proc_net(5)). In: a port, or an abstract unix name.
//! Out: inodes. What an actor held once may be somebody else's by now.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

/// `TCP_LISTEN` (include/net/tcp_states.h).
const LISTENS: &str = "0A";

/// Has anybody in this run a name with a line break in it? Then the table of unix sockets may say anything.
static FORGED: AtomicBool = AtomicBool::new(false);

/// Inodes of all sockets that receive at this port of this machine, whatever the address. `None` where the tables cannot be read.
pub fn at_port(protocol: &str, port: u16) -> Option<Vec<u64>> {
    let (v4, v6) = (format!("/proc/self/net/{protocol}"), format!("/proc/self/net/{protocol}6"));
    let mut found = receivers(&fs::read_to_string(v4).ok()?, protocol == "tcp", port);
    // A machine may be without.
    found.extend(fs::read_to_string(v6).map_or_else(|_| Vec::new(), |table| receivers(&table, protocol == "tcp", port)));
    Some(found)
}

fn receivers(table: &str, listens: bool, port: u16) -> Vec<u64> {
    let of = |line: &str| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (_, at) = columns.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(at, 16).ok()? == port && (!listens || *columns.get(3)? == LISTENS);
        if is_it { columns.get(9)?.parse().ok() } else { None }
    };
    table.lines().skip(1).filter_map(of).collect()
}

/// An actor has bound this abstract name.
pub fn is_named(name: &[u8]) {
    if name.contains(&b'\n') {
        FORGED.store(true, Ordering::Relaxed);
    }
}

/// Has the unix socket with this inode, of type `kind` (`SOCK_…`), this abstract name now?
pub fn has_name(inode: u64, kind: i32, name: &[u8]) -> bool {
    !FORGED.load(Ordering::Relaxed) && fs::read("/proc/self/net/unix").is_ok_and(|table| names(&table, inode, kind, name))
}

fn names(table: &[u8], inode: u64, kind: i32, name: &[u8]) -> bool {
    // The table shows a `@` for each NUL.
    let shown: Vec<u8> = [0].iter().chain(name).map(|byte| if *byte == 0 { b'@' } else { *byte }).collect();
    table.split(|byte| *byte == b'\n').skip(1).any(|line| {
        let mut columns = line.split(|byte| *byte == b' ').filter(|column| !column.is_empty());
        let of = |column: Option<&[u8]>, radix| u64::from_str_radix(std::str::from_utf8(column?).ok()?, radix).ok();
        // Num RefCount Protocol Flags Type St Inode Path
        of(columns.nth(4), 16) == Some(kind as u64) && of(columns.nth(1), 10) == Some(inode) && line.ends_with(&[b" ", &shown[..]].concat())
    })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::AsFd;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};

    use super::*;
    use crate::sys::socket;

    #[test]
    fn who_receives_at_a_port() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("[::1]:0").or_else(|_| TcpListener::bind("127.0.0.1:0")).unwrap();
        let inode = |fd: std::os::fd::BorrowedFd<'_>| socket::inode(fd).unwrap().unwrap();
        assert!(at_port("udp", udp.local_addr().unwrap().port()).unwrap().contains(&inode(udp.as_fd())));
        let port = tcp.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        assert_eq!(at_port("tcp", port).unwrap(), [inode(tcp.as_fd())], "and nobody who is merely connected");
        drop((client, tcp));
        assert_eq!(at_port("tcp", port).unwrap(), [0_u64; 0]);
    }

    #[test]
    fn whose_name_it_is() {
        let name = format!("brig tables {}", std::process::id());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let inode = socket::inode(listener.as_fd()).unwrap().unwrap();
        assert!(has_name(inode, libc::SOCK_STREAM, name.as_bytes()));
        assert!(!has_name(inode, libc::SOCK_DGRAM, name.as_bytes()) && !has_name(inode + 1, libc::SOCK_STREAM, name.as_bytes()));
        assert!(!has_name(inode, libc::SOCK_STREAM, &name.as_bytes()[1..]));
        drop(listener);
        assert!(!has_name(inode, libc::SOCK_STREAM, name.as_bytes()));
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\nffff: 00000002 00000000 00010000 0001 01    47 @a b\n";
        assert!(names(table, 47, 1, b"a b") && !names(table, 47, 1, b"b"));
    }
}
