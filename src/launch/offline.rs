//! Cargo without a network: the calls that its filter (`wall::offline`) stops. In: a thread of cargo's, stopped before the call. Out: the call
//! is made after all, or is not and has failed with `EACCES`.
//!
//! Cargo may talk to itself, which `cargo fix` does: over a stream socket, to a loopback port at which a cargo of this run listens. Whoever is
//! judged here runs no code of the build, so what stands in its memory is what it meant.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::inject::skip;
use crate::sys::memory;
use crate::sys::tracee::{self, Stopped};

/// struct sockaddr_in6, the longer of the two.
const ADDRESS: usize = 28;
/// `SOCK_NONBLOCK | SOCK_CLOEXEC` are or-ed to the type (socket(2)).
const TYPE: u64 = 0xf;

/// Decides about the call that thread `tid` is stopped at, and lets it run on. Says whether the call was refused. `cargos` are the processes
/// that may be talked to; no call is one of a foreign ABI.
///
/// # Errors
/// Those of ptrace; `ESRCH` when it is gone.
pub fn decide(tid: i32, call: Option<&Stopped>, cargos: &BTreeSet<i32>) -> io::Result<bool> {
    let refused = !call.is_some_and(|call| is_its_own_affair(tid, call, cargos));
    if refused {
        skip(tid, libc::EACCES)?;
    }
    tracee::resume(tid, 0)?;
    Ok(refused)
}

fn is_its_own_affair(tid: i32, call: &Stopped, cargos: &BTreeSet<i32>) -> bool {
    match call.number as i64 {
        libc::SYS_socket => {
            let [family, kind, protocol, ..] = call.args.map(|word| word & 0xffff_ffff);
            [libc::AF_INET as u64, libc::AF_INET6 as u64].contains(&family)
                && kind & TYPE == libc::SOCK_STREAM as u64
                && [0, libc::IPPROTO_TCP as u64].contains(&protocol)
        }
        libc::SYS_connect => {
            let mut bytes = [0; ADDRESS];
            let length = usize::try_from(call.args[2] as u32).unwrap_or(usize::MAX).min(ADDRESS);
            let got = memory::read(tid as u32, call.args[1], &mut bytes[..length]).unwrap_or(0);
            loopback_port(&bytes[..got]).is_some_and(|port| listens(port, cargos))
        }
        _ => false,
    }
}

/// The port, if this address is of this machine alone.
fn loopback_port(address: &[u8]) -> Option<u16> {
    let family = u16::from_ne_bytes(address.get(..2)?.try_into().ok()?);
    let port = u16::from_be_bytes(address.get(2..4)?.try_into().ok()?);
    let host = match i32::from(family) {
        libc::AF_INET => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(address.get(4..8)?).ok()?)),
        libc::AF_INET6 => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(address.get(8..24)?).ok()?)),
        _ => return None,
    };
    host.is_loopback().then_some(port)
}

/// Does one of these processes have a socket that listens at this port?
fn listens(port: u16, cargos: &BTreeSet<i32>) -> bool {
    let inodes: BTreeSet<String> = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| table.lines().filter_map(|line| listener_at(port, line)).collect::<Vec<_>>())
        .collect();
    let owns = |pid: &i32| {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        links.into_iter().any(|link| link.to_str().is_some_and(|link| inodes.contains(link)))
    };
    !inodes.is_empty() && cargos.iter().any(owns)
}

/// What a listener at this port is called among a process's files, where the line is one (proc_net_tcp: number, local, remote, state, …, inode).
fn listener_at(port: u16, line: &str) -> Option<String> {
    const LISTEN: &str = "0A";
    let mut fields = line.split_whitespace();
    let local = fields.nth(1)?.rsplit_once(':')?.1;
    let here = u16::from_str_radix(local, 16) == Ok(port) && fields.nth(1)? == LISTEN;
    here.then(|| Some(format!("socket:[{}]", fields.nth(5)?))).flatten()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn only_loopback_addresses_have_a_port() {
        let v4 = |host: [u8; 4]| [&(libc::AF_INET as u16).to_ne_bytes()[..], &[0x1f, 0x90], &host, &[0; 8]].concat();
        let v6 = |host: [u8; 16]| [&(libc::AF_INET6 as u16).to_ne_bytes()[..], &[0x1f, 0x90], &[0; 4], &host, &[0; 4]].concat();
        assert_eq!(loopback_port(&v4([127, 0, 0, 1])), Some(8080));
        assert_eq!(loopback_port(&v6(Ipv6Addr::LOCALHOST.octets())), Some(8080));
        for foreign in [v4([192, 0, 2, 1]), v4([0, 0, 0, 0]), v6([0; 16]), vec![1, 0, b'/', b'r'], Vec::new()] {
            assert_eq!(loopback_port(&foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn whoever_listens_is_known_by_the_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let us = std::process::id() as i32;
        assert!(listens(port, &[us].into()));
        assert!(!listens(port, &[1].into()) && !listens(port, &BTreeSet::new()), "another process");
        drop(listener);
        assert!(!listens(port, &[us].into()), "nobody any more");
    }
}
