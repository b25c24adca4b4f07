//! Unix sockets are doors out of every sandbox (agents, docker, dbus): the path is resolved and pinned, the pinned object judged, and the
//! gate itself connects or sends to that very object through `/proc/self/fd/N`. The peer sees our process id, and the actor's user.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{SFlag, fstat};

use super::arrive::{self, Target};
use super::endpoint::{self, Address};
use super::grip::Grip;
use super::{errno, refusal, waits};
use crate::gate::patient::as_person;
use crate::gate::{Answer, Call};
use crate::model::act::{Object, ObjectKind};
use crate::model::{Act, Endpoint, Hostile};
use crate::sys::identity::Person;
use crate::sys::socket;

/// Where a judged call goes: the sockaddr, and what keeps it pointing at the judged object.
struct Door {
    address: Vec<u8>,
    /// Held open until the call is done.
    pinned: Option<OwnedFd>,
}

pub fn connect(call: &Call<'_>, mut grip: Grip, address: &Address, bytes: &[u8]) -> Result<Answer, i32> {
    let door = judge(call, address, bytes, |to| Act::Connect { to })?;
    let target = seat(call, &mut grip)?;
    let asking = target.handle().map_err(|error| errno(&error))?;
    let nonblocking = target.nonblocking();
    let person = call.someone_else().map_err(|error| errno(&error))?;
    let ask = move || {
        let _ = &door.pinned;
        as_person(person.as_ref(), || socket::connect(asking.as_fd(), &door.address))
    };
    Ok(arrive::patiently(call, nonblocking, ask, move |outcome| target.answer(outcome)))
}

/// The actor's own socket, or one of its kind to take its place.
pub fn seat(call: &Call<'_>, grip: &mut Grip) -> Result<Target, i32> {
    if let Some(target) = Target::own(grip) {
        return Ok(target);
    }
    let kind = kind_of(call.tid, grip.inode).ok_or(libc::EPERM)?;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    Ok(Target::fresh(socket::create(libc::AF_UNIX, kind | flags, 0).map_err(|error| errno(&error))?, grip))
}

/// A datagram to a named unix socket, sent by the gate from the actor's own socket.
pub fn send(call: &Call<'_>, grip: Grip, address: &Address, bytes: &[u8], payload: Vec<u8>, flags: i32) -> Result<Answer, i32> {
    let door = judge(call, address, bytes, |to| Act::Send { to })?;
    let own = grip.duplicate.ok_or(libc::EPERM)?;
    let person = call.someone_else().map_err(|error| errno(&error))?;
    let ask = move || {
        let _ = &door.pinned;
        as_person(person.as_ref(), || socket::send_to(own.as_fd(), &payload, flags | libc::MSG_DONTWAIT, &door.address))
    };
    let nonblocking = grip.nonblocking || flags & libc::MSG_DONTWAIT != 0;
    Ok(arrive::patiently(call, nonblocking, ask, |outcome| outcome.map_or_else(Answer::Errno, |sent| Answer::Value(sent as i64))))
}

/// Resolves, pins and judges a unix address.
fn judge(call: &Call<'_>, address: &Address, bytes: &[u8], act: impl FnOnce(Endpoint) -> Act) -> Result<Door, i32> {
    let (to, object, door) = match address {
        Address::UnixPath(path) => {
            let person = call.someone_else().map_err(|error| errno(&error))?;
            let pinned = pin(call.tid, Path::new(OsStr::from_bytes(path)), person.as_ref())?;
            waits(call)?;
            let stat = fstat(&pinned).map_err(|errno| errno as i32)?;
            // What is no socket has nobody behind it; the kernel says so too.
            if SFlag::from_bits_truncate(stat.st_mode & libc::S_IFMT) != SFlag::S_IFSOCK {
                return Err(libc::ECONNREFUSED);
            }
            let object = Object { dev: stat.st_dev, ino: stat.st_ino, kind: ObjectKind::Special };
            let through = format!("/proc/self/fd/{}", pinned.as_raw_fd());
            let real = std::fs::read_link(&through).map_err(|error| errno(&error))?;
            let address = endpoint::encode_unix(through.as_bytes()).ok_or(libc::EINVAL)?;
            (Endpoint::UnixPath { path: Hostile::from(real) }, Some(object), Door { address, pinned: Some(pinned) })
        }
        // The kernel's scope does not hold us, so what is not the actor's own is judged.
        Address::UnixAbstract(name) if call.watched.sockets.room_for(call.watched).has_bound(name) => {
            return Ok(Door { address: bytes.to_vec(), pinned: None });
        }
        Address::UnixAbstract(name) => (endpoint::abstract_name(name), None, Door { address: bytes.to_vec(), pinned: None }),
        _ => return Err(libc::EINVAL),
    };
    match refusal(&call.judge(act(to), object)) {
        Some(errno) => Err(errno),
        None => Ok(door),
    }
}

/// An `O_PATH` handle of what the actor means by `path`. Magic links are followed only where the text itself starts with one of the
/// actor's own; a symlink must not lead through *our* `/proc/self`. Looked up in the name of
/// `person`, who may have given up the right to look into a directory on the way.
fn pin(tid: u32, path: &Path, person: Option<&Person>) -> Result<OwnedFd, i32> {
    let (base, rest) = split(tid, path);
    let base = match base {
        Some(base) => Some(handle(&base)?),
        None => None,
    };
    if let (Some(base), true) = (&base, rest.as_os_str().is_empty()) {
        return base.try_clone().map_err(|error| errno(&error));
    }
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let opened = as_person(person, || {
        let opened = match &base {
            Some(base) => openat2(base, &rest, how),
            None => openat2(AT_FDCWD, &rest, how),
        };
        Ok(opened?)
    });
    opened.map_err(|error| errno(&error))
}

fn handle(path: &Path) -> Result<OwnedFd, i32> {
    use std::os::unix::fs::OpenOptionsExt;
    // O_PATH ignores the access mode.
    let file: std::io::Result<File> = File::options().read(true).custom_flags(libc::O_PATH).open(path);
    file.map(OwnedFd::from).map_err(|error| errno(&error))
}

/// Where resolution starts (a magic link of the actor, to be opened as such) and what is left to resolve from there.
fn split(tid: u32, path: &Path) -> (Option<PathBuf>, PathBuf) {
    if path.is_relative() {
        return (Some(format!("/proc/{tid}/cwd").into()), path.to_owned());
    }
    let parts: Vec<&[u8]> =
        path.as_os_str().as_bytes().split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    let joined = |parts: &[&[u8]]| PathBuf::from(std::ffi::OsString::from_vec(parts.join(&b'/')));
    match parts.as_slice() {
        [b"proc", b"self" | b"thread-self", b"fd", number, rest @ ..] if number.iter().all(u8::is_ascii_digit) => {
            (Some(PathBuf::from(format!("/proc/{tid}/fd")).join(OsStr::from_bytes(number))), joined(rest))
        }
        [b"dev", b"fd", number, rest @ ..] if number.iter().all(u8::is_ascii_digit) => {
            (Some(PathBuf::from(format!("/proc/{tid}/fd")).join(OsStr::from_bytes(number))), joined(rest))
        }
        [b"proc", b"self" | b"thread-self", b"cwd", rest @ ..] => (Some(format!("/proc/{tid}/cwd").into()), joined(rest)),
        [b"proc", b"self" | b"thread-self", b"root", rest @ ..] => (Some(format!("/proc/{tid}/root").into()), joined(rest)),
        [b"proc", b"self" | b"thread-self", rest @ ..] => (None, PathBuf::from(format!("/proc/{tid}")).join(joined(rest))),
        _ => (None, path.to_owned()),
    }
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
    fn where_resolution_starts() {
        let start = |text: &str| {
            let (base, rest) = split(7, Path::new(text));
            (base.map(|base| base.display().to_string()), rest.display().to_string())
        };
        let own = |text: &str| Some(text.to_string());
        assert_eq!(start("a/b"), (own("/proc/7/cwd"), "a/b".into()));
        assert_eq!(start("/run/x"), (None, "/run/x".into()));
        assert_eq!(start("/proc/self/fd/3/s"), (own("/proc/7/fd/3"), "s".into()));
        assert_eq!(start("//proc/./thread-self/fd/3"), (own("/proc/7/fd/3"), "".into()));
        assert_eq!(start("/dev/fd/3/s"), (own("/proc/7/fd/3"), "s".into()));
        assert_eq!(start("/proc/self/root/run/x"), (own("/proc/7/root"), "run/x".into()));
        assert_eq!(start("/proc/self/fd/../x"), (None, "/proc/7/fd/../x".into()));
    }

    #[test]
    fn our_own_magic_links_are_no_way() {
        let tid = std::process::id();
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/proc/self/root/etc/passwd", &link).unwrap();
        assert_eq!(pin(tid, &link, None).err(), Some(libc::ELOOP));
        assert!(pin(tid, Path::new("/proc/self/root/etc/passwd"), None).is_ok(), "the actor's own, named openly");
        assert_eq!(pin(tid, &dir.path().join("none"), None).err(), Some(libc::ENOENT));
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
