//! File calls on pinned descriptors, with the kernel's own errnos. Flags are raw on purpose: what an actor asked for is passed on, also
//! where a wrapper's type does not know it yet.

use std::cell::Cell;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

pub use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{Mode, umask};

use super::descriptors::{check, fresh};

/// What `fstat` says, reduced to what is judged.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// `st_dev`: of the file system.
    pub dev: u64,
    /// `st_ino`: within it.
    pub ino: u64,
    /// `st_mode`: kind (`S_IFMT`) and permissions.
    pub mode: u32,
    /// Names it has.
    pub links: u64,
    /// In bytes.
    pub size: u64,
    /// Which device it is, of a device.
    pub rdev: u64,
}

/// `openat(2)`; `mode` is that of a new file, before the umask.
///
/// # Errors
/// The errno of the call, here as in all of the following.
pub fn openat(dir: BorrowedFd, path: &CStr, flags: i32, mode: u32) -> io::Result<OwnedFd> {
    // SAFETY: `path` is NUL-terminated and outlives the call, which makes the descriptor.
    unsafe { fresh(libc::openat(dir.as_raw_fd(), path.as_ptr(), flags, mode)) }
}

/// `openat2(2)`; `resolve` are `RESOLVE_*` flags.
pub fn openat2(dir: BorrowedFd, path: &CStr, flags: i32, mode: u32, resolve: u64) -> io::Result<OwnedFd> {
    let how = [u64::from(flags as u32), u64::from(mode), resolve];
    // SAFETY: `open_how` is three u64 (flags, mode, resolve); both it and the NUL-terminated path outlive the call.
    let fd = unsafe { libc::syscall(libc::SYS_openat2, dir.as_raw_fd(), path.as_ptr(), how.as_ptr(), size_of_val(&how)) };
    // SAFETY: made by that very call.
    unsafe { fresh(fd as libc::c_int) }
}

fn facts(fill: impl FnOnce(*mut libc::stat) -> libc::c_int) -> io::Result<Facts> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    check(fill(stat.as_mut_ptr()))?;
    // SAFETY: a stat call that succeeded has filled the structure.
    let stat = unsafe { stat.assume_init() };
    #[allow(clippy::unnecessary_cast, reason = "widths differ between architectures")]
    Ok(Facts {
        dev: stat.st_dev as u64,
        ino: stat.st_ino as u64,
        mode: stat.st_mode,
        links: stat.st_nlink as u64,
        size: stat.st_size as u64,
        rdev: stat.st_rdev as u64,
    })
}

/// `fstat(2)`, also of an `O_PATH` handle.
pub fn stat(fd: BorrowedFd) -> io::Result<Facts> {
    // SAFETY: the kernel fills one `stat` behind the pointer, which is valid for the call.
    facts(|stat| unsafe { libc::fstat(fd.as_raw_fd(), stat) })
}

/// `flags`: `AT_SYMLINK_NOFOLLOW` or 0.
pub fn stat_at(dir: BorrowedFd, path: &CStr, flags: i32) -> io::Result<Facts> {
    // SAFETY: as in `stat`; `path` is NUL-terminated and outlives the call.
    facts(|stat| unsafe { libc::fstatat(dir.as_raw_fd(), path.as_ptr(), stat, flags) })
}

/// The text of a link, at most 4096 bytes of it. With an empty path: of the link that `dir` itself is a handle of.
pub fn read_link(dir: BorrowedFd, path: &CStr) -> io::Result<Vec<u8>> {
    let mut text = [0u8; 4096];
    // SAFETY: the kernel writes at most as many bytes as the array has.
    let length = unsafe { libc::readlinkat(dir.as_raw_fd(), path.as_ptr(), text.as_mut_ptr().cast(), text.len()) };
    if length < 0 { Err(io::Error::last_os_error()) } else { Ok(text[..length as usize].to_vec()) }
}

/// `mkdirat(2)`; `mode` before the umask.
pub fn make_directory(dir: BorrowedFd, name: &CStr, mode: u32) -> io::Result<()> {
    // SAFETY: `name` is NUL-terminated and outlives the call.
    check(unsafe { libc::mkdirat(dir.as_raw_fd(), name.as_ptr(), mode) }).map(drop)
}

/// `mknodat(2)`; kind and `mode` before the umask in one, `dev` of a device.
pub fn make_node(dir: BorrowedFd, name: &CStr, mode: u32, dev: u64) -> io::Result<()> {
    // SAFETY: as in `make_directory`.
    check(unsafe { libc::mknodat(dir.as_raw_fd(), name.as_ptr(), mode, dev) }).map(drop)
}

/// `symlinkat(2)`: `name` in `dir` says `target`.
pub fn symlink(target: &CStr, dir: BorrowedFd, name: &CStr) -> io::Result<()> {
    // SAFETY: both strings are NUL-terminated and outlive the call.
    check(unsafe { libc::symlinkat(target.as_ptr(), dir.as_raw_fd(), name.as_ptr()) }).map(drop)
}

/// `linkat(2)`; `flags`: `AT_SYMLINK_FOLLOW`, `AT_EMPTY_PATH`.
pub fn link(from_dir: BorrowedFd, from: &CStr, to_dir: BorrowedFd, to: &CStr, flags: i32) -> io::Result<()> {
    // SAFETY: as in `symlink`.
    check(unsafe { libc::linkat(from_dir.as_raw_fd(), from.as_ptr(), to_dir.as_raw_fd(), to.as_ptr(), flags) }).map(drop)
}

/// `renameat2(2)`; `flags`: `RENAME_*`.
pub fn rename(from_dir: BorrowedFd, from: &CStr, to_dir: BorrowedFd, to: &CStr, flags: u32) -> io::Result<()> {
    // SAFETY: as in `symlink`. By number, because musl has no wrapper.
    let result = unsafe { libc::syscall(libc::SYS_renameat2, from_dir.as_raw_fd(), from.as_ptr(), to_dir.as_raw_fd(), to.as_ptr(), flags) };
    check(result as libc::c_int).map(drop)
}

/// `unlinkat(2)`; `flags`: `AT_REMOVEDIR` for a directory.
pub fn unlink(dir: BorrowedFd, name: &CStr, flags: i32) -> io::Result<()> {
    // SAFETY: as in `make_directory`.
    check(unsafe { libc::unlinkat(dir.as_raw_fd(), name.as_ptr(), flags) }).map(drop)
}

/// `truncate(2)`, to `length` bytes.
pub fn truncate(path: &CStr, length: i64) -> io::Result<()> {
    // SAFETY: `path` is NUL-terminated and outlives the call.
    check(unsafe { libc::truncate(path.as_ptr(), length) }).map(drop)
}

/// Follows a link at `name`, also a magic one.
pub fn chmod(dir: BorrowedFd, name: &CStr, mode: u32) -> io::Result<()> {
    // SAFETY: as in `make_directory`.
    check(unsafe { libc::fchmodat(dir.as_raw_fd(), name.as_ptr(), mode, 0) }).map(drop)
}

/// Of the very object behind the handle, which may be `O_PATH`.
pub fn chown(handle: BorrowedFd, user: u32, group: u32) -> io::Result<()> {
    // SAFETY: the path is a constant, empty string.
    check(unsafe { libc::fchownat(handle.as_raw_fd(), c"".as_ptr(), user, group, libc::AT_EMPTY_PATH) }).map(drop)
}

/// Access and modification time as (seconds, nanoseconds); `None` for now. `AT_EMPTY_PATH` here needs Linux 5.8.
pub fn set_times(handle: BorrowedFd, times: Option<[(i64, i64); 2]>) -> io::Result<()> {
    let times = times.map(|pair| pair.map(|(sec, nsec)| libc::timespec { tv_sec: sec as _, tv_nsec: nsec as _ }));
    let pointer = times.as_ref().map_or(std::ptr::null(), |pair| pair.as_ptr());
    // SAFETY: the pointer is null or leads to two `timespec`s that outlive the call; the path is a constant.
    check(unsafe { libc::utimensat(handle.as_raw_fd(), c"".as_ptr(), pointer, libc::AT_EMPTY_PATH) }).map(drop)
}

/// Asks the kernel in the name in which this thread opens files (faccessat(2); by the descriptor since Linux 5.8).
///
/// # Errors
/// The one that a write would meet.
pub fn may_write(handle: BorrowedFd) -> io::Result<()> {
    let flags = libc::AT_EACCESS | libc::AT_EMPTY_PATH;
    // The raw call: the library's own, where there is no faccessat2, checks other rights.
    // SAFETY: three numbers and an empty string, which is a constant.
    let result = unsafe { libc::syscall(libc::SYS_faccessat2, handle.as_raw_fd(), c"".as_ptr(), libc::W_OK, flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `setxattr(2)`; `flags`: `XATTR_CREATE`, `XATTR_REPLACE`.
pub fn set_attribute(path: &CStr, name: &CStr, value: &[u8], flags: i32) -> io::Result<()> {
    // SAFETY: both strings are NUL-terminated; the kernel reads `value.len()` bytes; all outlive the call.
    check(unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), flags) }).map(drop)
}

/// `removexattr(2)`.
pub fn remove_attribute(path: &CStr, name: &CStr) -> io::Result<()> {
    // SAFETY: both strings are NUL-terminated and outlive the call.
    check(unsafe { libc::removexattr(path.as_ptr(), name.as_ptr()) }).map(drop)
}

/// `memfd_create(2)`; `flags`: `MFD_*`.
pub fn memfd(name: &CStr, flags: u32) -> io::Result<OwnedFd> {
    // SAFETY: `name` is NUL-terminated and outlives the call, which makes the descriptor.
    unsafe { fresh(libc::memfd_create(name.as_ptr(), flags)) }
}

/// Seals a memfd (`F_SEAL_*`).
pub fn seal(fd: BorrowedFd, seals: i32) -> io::Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_ADD_SEALS, seals) }).map(drop)
}

thread_local! {
    static OWN_UMASK: Cell<bool> = const { Cell::new(false) };
}

/// May this thread's umask be its own, so that a mode given on an actor's behalf is taken as it is? `unshare(CLONE_FS)` needs no
/// privilege, but some containers forbid it.
pub fn own_umask() -> bool {
    // SAFETY: no memory is passed; only this thread's share of cwd, root and umask is split off.
    let own = unsafe { libc::unshare(libc::CLONE_FS) == 0 };
    OWN_UMASK.set(own);
    own
}

/// Makes something with this mode under somebody's umask. The kernel applies the mask itself where the thread has one of its own: only
/// then a directory's default ACL takes its place (acl(5)), and set-group-ID is taken away before the mask (`vfs_prepare_mode`).
pub fn masked<T>(mask: u32, mode: u32, make: impl FnOnce(u32) -> T) -> T {
    if !OWN_UMASK.get() {
        return make(mode & !mask);
    }
    let before = umask(Mode::from_bits_truncate(mask));
    let made = make(mode);
    umask(before);
    made
}
