//! A machine whose network is a loopback device and nothing else: a network, mount and (for an ordinary user) user namespace that a run is
//! started in. Addresses of other machines lie on that device, so that what must never be tried on a real network can be tried at all:
//! name servers found through `/etc/resolv.conf`, metadata services, a web host with a name. Whoever stands there writes down every byte.

use std::ffi::{CStr, CString};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cargo_brig::gate::net::{dns, endpoint};
use cargo_brig::sys::{netns, socket};
use nix::unistd::{getegid, geteuid};

use crate::place::Place;
use crate::run::Run;

/// Who stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// The name server of `/etc/resolv.conf`: every name is `HOST`.
    Names,
    /// `HOST`, port 443.
    Host,
    /// Metadata services at all addresses of `METADATA`, port 80, over TCP.
    Metadata,
    /// The same over UDP.
    MetadataDatagrams,
    /// systemd-resolved's socket.
    Resolved,
    /// The name service cache's socket.
    Cache,
}

const ALL: [Stand; 6] = [Stand::Names, Stand::Host, Stand::Metadata, Stand::MetadataDatagrams, Stand::Resolved, Stand::Cache];

const RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);
/// TEST-NET-1, RFC 5737.
pub const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);
pub const METADATA: [Ipv4Addr; 3] = [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(169, 254, 170, 2), Ipv4Addr::new(100, 100, 100, 200)];

const LONGEST: usize = 4096;

#[derive(Clone, Default)]
pub struct Isle {
    heard: Arc<[Mutex<Vec<u8>>; 6]>,
}

impl Isle {
    /// The run, on an isle of its own.
    pub fn of<'a>(&self, place: &Place, run: Run<'a>) -> Run<'a> {
        for (name, text) in [
            ("resolv.conf", format!("nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")),
            ("hosts", "127.0.0.1 localhost\n".into()),
            ("nsswitch.conf", "hosts: files dns\n".into()),
        ] {
            place.write(&place.path(&format!("run/etc/{name}")), &text);
        }
        let (ours, theirs) = socket::pair(libc::SOCK_SEQPACKET).expect("make a pair of sockets");
        let isle = self.clone();
        thread::spawn(move || isle.people(ours.as_fd()));
        let etc = place.path("run/etc");
        run.env("ZOO_ISLE", "1").before_exec(move || found(&etc, theirs.as_fd()))
    }

    pub fn heard(&self, stand: Stand) -> Vec<u8> {
        self.heard[stand as usize].lock().unwrap().clone()
    }

    /// Takes the sockets that were made there, and stands at each.
    fn people(&self, channel: BorrowedFd<'_>) {
        let mut word = [0; 1];
        while let Ok((1, Some(made))) = socket::receive_with_fd(channel, &mut word) {
            let (isle, stand) = (self.clone(), ALL[usize::from(word[0])]);
            thread::spawn(move || match stand {
                Stand::Names | Stand::MetadataDatagrams => isle.datagrams(stand, &made),
                _ => isle.streams(stand, &made),
            });
        }
    }

    fn datagrams(&self, stand: Stand, made: &OwnedFd) {
        let mut buffer = [0; LONGEST];
        while let Ok((length, from)) = socket::receive_from(made.as_fd(), &mut buffer, 0) {
            self.keep(stand, &buffer[..length]);
            if let (Stand::Names, Some(answer)) = (stand, answer(&buffer[..length])) {
                socket::send_to(made.as_fd(), &answer, 0, &from).ok();
            }
        }
    }

    fn streams(&self, stand: Stand, made: &OwnedFd) {
        while socket::wait(made.as_fd(), libc::POLLIN, -1).unwrap_or(false) {
            let Ok(guest) = socket::accept(made.as_fd()) else { break };
            let isle = self.clone();
            thread::spawn(move || isle.serve(stand, &guest));
        }
    }

    fn serve(&self, stand: Stand, guest: &OwnedFd) {
        let mut buffer = [0; LONGEST];
        while socket::wait(guest.as_fd(), libc::POLLIN, 2000).unwrap_or(false) {
            match socket::receive_from(guest.as_fd(), &mut buffer, libc::MSG_DONTWAIT) {
                Ok((length @ 1.., _)) => self.keep(stand, &buffer[..length]),
                _ => break,
            }
            if stand == Stand::Metadata {
                socket::send_to(guest.as_fd(), b"HTTP/1.0 200 OK\r\n\r\nzoo-credentials\n", libc::MSG_NOSIGNAL, &[]).ok();
                break;
            }
        }
    }

    fn keep(&self, stand: Stand, bytes: &[u8]) {
        self.heard[stand as usize].lock().unwrap().extend_from_slice(bytes);
    }

    /// Waits for what is on its way.
    pub fn settle(&self) {
        thread::sleep(Duration::from_millis(200));
    }
}

/// `HOST` for every question of type A, nothing for others.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let mut answer = dns::bare(query)?;
    answer[2] |= 0x80;
    if answer.ends_with(&[0, 1, 0, 1]) {
        answer[7] = 1;
        answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04");
        answer.extend(HOST.octets());
    }
    Some(answer)
}

/// Makes the isle, in the child that is about to become the program, and hands its sockets to the people.
fn found(etc: &Path, people: BorrowedFd<'_>) -> io::Result<()> {
    nix::sys::prctl::set_dumpable(true)?;
    let (uid, gid) = (geteuid(), getegid());
    let apart = libc::CLONE_NEWNET | libc::CLONE_NEWNS;
    if uid.is_root() {
        netns::unshare(apart)?;
    } else {
        netns::unshare(apart | libc::CLONE_NEWUSER)?;
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
        std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    }
    mount(c"none", Path::new("/"), c"none", libc::MS_REC | libc::MS_PRIVATE)?;
    for name in ["resolv.conf", "hosts", "nsswitch.conf"] {
        let target = std::fs::canonicalize(Path::new("/etc").join(name))?;
        mount(&text(&etc.join(name))?, &target, c"none", libc::MS_BIND)?;
    }
    mount(c"tmpfs", Path::new("/run"), c"tmpfs", libc::MS_NOSUID)?;
    let probe = socket::create(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)?;
    netns::loopback_up(probe.as_fd())?;
    for (label, address) in METADATA.iter().chain([&HOST]).enumerate() {
        netns::own_v4(probe.as_fd(), label as u32 + 1, *address)?;
    }
    let stand = |stand: Stand, family, kind, address: &[u8]| -> io::Result<()> {
        let made = socket::create(family, kind | libc::SOCK_CLOEXEC, 0)?;
        socket::bind(made.as_fd(), address)?;
        if kind == libc::SOCK_STREAM {
            socket::listen(made.as_fd(), 16)?;
        }
        socket::send_with_fd(people, &[stand as u8], Some(made.as_fd()))
    };
    let inet = |ip: Ipv4Addr, port| endpoint::encode(SocketAddr::from((ip, port)), libc::AF_INET);
    stand(Stand::Names, libc::AF_INET, libc::SOCK_DGRAM, &inet(RESOLVER, 53))?;
    stand(Stand::Host, libc::AF_INET, libc::SOCK_STREAM, &inet(HOST, 443))?;
    for address in METADATA {
        stand(Stand::Metadata, libc::AF_INET, libc::SOCK_STREAM, &inet(address, 80))?;
    }
    stand(Stand::MetadataDatagrams, libc::AF_INET, libc::SOCK_DGRAM, &inet(METADATA[0], 80))?;
    for (who, path) in [(Stand::Resolved, "/run/systemd/resolve/io.systemd.Resolve"), (Stand::Cache, "/run/nscd/socket")] {
        let path = PathBuf::from(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/run")))?;
        let address = endpoint::encode_unix(path.as_os_str().as_encoded_bytes()).ok_or(io::ErrorKind::InvalidInput)?;
        stand(who, libc::AF_UNIX, libc::SOCK_STREAM, &address)?;
    }
    Ok(())
}

fn text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn mount(what: &CStr, at: &Path, kind: &CStr, flags: libc::c_ulong) -> io::Result<()> {
    let at = text(at)?;
    // SAFETY: three NUL-terminated texts that live until the call returns, and no data.
    match unsafe { libc::mount(what.as_ptr(), at.as_ptr(), kind.as_ptr(), flags, std::ptr::null()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
