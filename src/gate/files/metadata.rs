//! Changes to a file's attributes: mode, owner, times, extended attributes. The object is pinned — also one named by a descriptor, which
//! another thread could exchange — judged, and changed through that very handle.

use std::io;
use std::os::fd::AsFd;

use super::deed::do_if;
use super::found::{Found, How};
use super::terminal;
use crate::gate::errno::{c_string, fail};
use crate::gate::own::{link_text, own};
use crate::gate::{Answer, Call, memory};
use crate::model::Act;
use crate::sys::files;
use crate::sys::process::flags_in;

const CWD: i32 = libc::AT_FDCWD;
const NOFOLLOW: i32 = libc::AT_SYMLINK_NOFOLLOW;
const EMPTY: i32 = libc::AT_EMPTY_PATH;
/// `XATTR_NAME_MAX` with its NUL, `XATTR_SIZE_MAX`.
const ATTRIBUTE_NAME: usize = 256;
const ATTRIBUTE_VALUE: u64 = 65536;
/// The same number on every architecture; Linux 6.6.
const SYS_FCHMODAT2: i64 = 452;

/// Answers them. `name` is the system call's.
///
/// # Errors
/// The kernel's own; `ENOSYS` for the newer twins of these calls, upon which libcs take the older ones.
pub fn metadata(call: &Call, name: &'static str) -> io::Result<Answer> {
    let number = call.int(1) as u32;
    match call.number {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chmod => chmod(call, name, at(call, CWD, 0, 0)?, number),
        libc::SYS_fchmod => chmod(call, name, opened(call, call.int(0))?, number),
        libc::SYS_fchmodat => chmod(call, name, at(call, call.int(0), 1, 0)?, call.int(2) as u32),
        SYS_FCHMODAT2 => chmod(call, name, at(call, call.int(0), 1, call.int(3))?, call.int(2) as u32),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chown => chown(call, name, at(call, CWD, 0, 0)?, 1),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_lchown => chown(call, name, at(call, CWD, 0, NOFOLLOW)?, 1),
        libc::SYS_fchown => chown(call, name, opened(call, call.int(0))?, 1),
        libc::SYS_fchownat => chown(call, name, at(call, call.int(0), 1, call.int(4))?, 2),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_utime => times(call, name, at(call, CWD, 0, 0)?, Times::Seconds, 1),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_utimes => times(call, name, at(call, CWD, 0, 0)?, Times::Micros, 1),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_futimesat if call.args[1] == 0 => times(call, name, opened(call, call.int(0))?, Times::Micros, 2),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_futimesat => times(call, name, at(call, call.int(0), 1, 0)?, Times::Micros, 2),
        // `UTIME_OMIT` for both: "we must not even check the path".
        libc::SYS_utimensat if leaves_times(call)? => Ok(Answer::Value(0)),
        libc::SYS_utimensat if call.args[1] == 0 && call.int(0) == CWD => fail(libc::EFAULT),
        libc::SYS_utimensat if call.args[1] == 0 && call.int(3) != 0 => fail(libc::EINVAL),
        libc::SYS_utimensat if call.args[1] == 0 => times(call, name, opened(call, call.int(0))?, Times::Nanos, 2),
        libc::SYS_utimensat => times(call, name, at(call, call.int(0), 1, call.int(3))?, Times::Nanos, 2),
        libc::SYS_setxattr => set_attribute(call, name, at(call, CWD, 0, 0)?),
        libc::SYS_lsetxattr => set_attribute(call, name, at(call, CWD, 0, NOFOLLOW)?),
        libc::SYS_fsetxattr => set_attribute(call, name, opened(call, call.int(0))?),
        libc::SYS_removexattr => remove_attribute(call, name, at(call, CWD, 0, 0)?),
        libc::SYS_lremovexattr => remove_attribute(call, name, at(call, CWD, 0, NOFOLLOW)?),
        libc::SYS_fremovexattr => remove_attribute(call, name, opened(call, call.int(0))?),
        // Newer twins (setxattrat, file_setattr …): callers fall back to the calls above.
        _ => fail(libc::ENOSYS),
    }
}

/// The object a path argument names. `flags` are `AT_SYMLINK_NOFOLLOW` and `AT_EMPTY_PATH`.
fn at(call: &Call, dirfd: i32, index: usize, flags: i32) -> io::Result<Found> {
    if flags & !(NOFOLLOW | EMPTY) != 0 {
        return fail(libc::EINVAL);
    }
    let text = call.path(index)?;
    if text.is_empty() && flags & EMPTY != 0 {
        return if dirfd == CWD { here(call) } else { behind(call, dirfd) };
    }
    call.find(&call.start(dirfd, text)?, How { nofollow: flags & NOFOLLOW != 0, ..How::default() })
}

fn here(call: &Call) -> io::Result<Found> {
    let handle = call.directory(CWD)?;
    call.check_valid()?;
    Found::of(own()?, handle)
}

/// The object behind a descriptor.
fn behind(call: &Call, fd: i32) -> io::Result<Found> {
    let handle = call.descriptor(fd)?;
    call.check_valid()?;
    Found::of(own()?, handle)
}

/// The same for a call that takes no mere path descriptor (`O_PATH`).
fn opened(call: &Call, fd: i32) -> io::Result<Found> {
    let found = behind(call, fd)?;
    let info = std::fs::read(format!("/proc/{}/fdinfo/{fd}", call.tid))?;
    call.check_valid()?;
    let flags = flags_in(&String::from_utf8_lossy(&info)).ok_or(io::ErrorKind::InvalidData)?;
    if flags & libc::O_PATH == 0 { Ok(found) } else { fail(libc::EBADF) }
}

fn change(call: &Call, name: &str, found: &Found, deed: impl FnOnce() -> io::Result<()> + Send) -> io::Result<Answer> {
    if found.anonymous || terminal::is_terminal(found) && terminal::is_own(call, found, libc::O_RDWR)? {
        // The actor's own pipe or memory: no file is touched. And `grantpt(3)`, for terminals that tests make.
        return call.as_caller(deed).map(|()| Answer::Value(0));
    }
    do_if(call, Act::Metadata { call: name.into(), path: found.shown(call) }, Some(found.object()), deed)
}

fn chmod(call: &Call, name: &str, found: Found, mode: u32) -> io::Result<Answer> {
    if found.is(libc::S_IFLNK) {
        return fail(libc::EOPNOTSUPP);
    }
    if gives_rights(mode) && !found.is(libc::S_IFDIR) {
        return Ok(call.tamper("chmod u+s", found.shown(call)));
    }
    // As the seal has it, which not every kernel knows (`memfd`).
    if mode & 0o111 != 0 && own()?.is_memfd(&found.facts) {
        return fail(libc::EPERM);
    }
    change(call, name, &found, || {
        let (fds, number) = own()?.link(found.handle.as_fd());
        files::chmod(fds, &number, mode & 0o7777)
    })
}

/// Set-user-id or set-group-id: on a file, the rights of its owner for whoever starts it. (On a directory it only says whose the files in it
/// are to be.) No actor gives a file rights beyond those of whoever uses it.
pub fn gives_rights(mode: u32) -> bool {
    mode & (libc::S_ISUID | libc::S_ISGID) != 0
}

/// Attributes that are the kernel's: rights of programs (`security.capability`), marks of integrity, what file systems keep (`trusted.*`).
/// It refuses them to whoever is no administrator. A label is no right by itself: the kernel's policy says what it may become.
fn is_kernels(attribute: &[u8]) -> bool {
    let label = attribute == b"security.selinux";
    attribute.starts_with(b"trusted.") || attribute.starts_with(b"security.") && !label
}

fn chown(call: &Call, name: &str, found: Found, owner: usize) -> io::Result<Answer> {
    let (user, group) = (call.int(owner) as u32, call.int(owner + 1) as u32);
    change(call, name, &found, || files::chown(found.handle.as_fd(), user, group))
}

/// In what unit a call tells time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    /// `struct utimbuf`: two numbers.
    Seconds,
    /// `struct timeval[2]`: of calls that only x86_64 has.
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code))]
    Micros,
    /// `struct timespec[2]`.
    Nanos,
}

fn leaves_times(call: &Call) -> io::Result<bool> {
    let times = read_times(call, Times::Nanos, call.args[2])?;
    Ok(times.is_some_and(|times| times.iter().all(|(_, nanos)| *nanos == libc::UTIME_OMIT)))
}

fn times(call: &Call, name: &str, found: Found, unit: Times, index: usize) -> io::Result<Answer> {
    let times = read_times(call, unit, call.args[index])?;
    change(call, name, &found, || files::set_times(found.handle.as_fd(), times))
}

fn read_times(call: &Call, unit: Times, address: u64) -> io::Result<Option<[(i64, i64); 2]>> {
    if address == 0 {
        return Ok(None);
    }
    let mut words = [0i64; 4];
    for (at, word) in words.iter_mut().enumerate().take(if unit == Times::Seconds { 2 } else { 4 }) {
        *word = memory::read_u64(call.tid, address.wrapping_add(8 * at as u64))? as i64;
    }
    call.check_valid()?;
    let [a, b, c, d] = words;
    Ok(Some(match unit {
        Times::Seconds => [(a, 0), (b, 0)],
        Times::Nanos => [(a, b), (c, d)],
        Times::Micros if [b, d].iter().all(|micros| (0..1_000_000).contains(micros)) => [(a, b * 1000), (c, d * 1000)],
        Times::Micros => return fail(libc::EINVAL),
    }))
}

fn attribute_name(call: &Call) -> io::Result<std::ffi::CString> {
    let (name, whole) = memory::read_string(call.tid, call.args[1], ATTRIBUTE_NAME)?;
    if name.is_empty() || !whole { fail(libc::ERANGE) } else { c_string(name) }
}

fn set_attribute(call: &Call, name: &str, found: Found) -> io::Result<Answer> {
    if call.int(4) & !(libc::XATTR_CREATE | libc::XATTR_REPLACE) != 0 {
        return fail(libc::EINVAL);
    }
    let attribute = attribute_name(call)?;
    if is_kernels(attribute.to_bytes()) {
        return Ok(call.tamper("setxattr", &*[attribute.to_bytes(), b" ", found.shown(call).as_bytes()].concat()));
    }
    if call.args[3] > ATTRIBUTE_VALUE {
        return fail(libc::E2BIG);
    }
    let mut value = vec![0; call.args[3] as usize];
    memory::read(call.tid, call.args[2], &mut value)?;
    call.check_valid()?;
    let flags = call.int(4);
    change(call, name, &found, || files::set_attribute(&link_text(found.handle.as_fd()), &attribute, &value, flags))
}

fn remove_attribute(call: &Call, name: &str, found: Found) -> io::Result<Answer> {
    let attribute = attribute_name(call)?;
    call.check_valid()?;
    change(call, name, &found, || files::remove_attribute(&link_text(found.handle.as_fd()), &attribute))
}
