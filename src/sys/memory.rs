//! Another process's memory, through `process_vm_readv` and `process_vm_writev`; how large a page is.

use std::io;

use nix::unistd::{SysconfVar, sysconf};

/// Bytes of a page of this kernel: 4096 on x86_64; 4, 16 or 64 KiB on aarch64, as it was built.
pub fn page_size() -> usize {
    sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}

/// Copies up to `into.len()` bytes from `address` in the memory of `pid` (or thread); returns how many could be read. The copy is all
/// or nothing when it fits into one page; a longer one may end at the first page that is not mapped.
///
/// # Errors
/// `EFAULT` when nothing could be read, `ESRCH` when the process is gone, `EPERM` when it may not be read.
pub fn read(pid: u32, address: u64, into: &mut [u8]) -> io::Result<usize> {
    read_split(pid, address, into, into.len())
}

/// As [`read`], in two ranges: the first `split` bytes, and the rest. A copy ends between its ranges, and only there, when the second
/// is not mapped (`process_vm_readv(2)`).
///
/// # Errors
/// As [`read`].
pub fn read_split(pid: u32, address: u64, into: &mut [u8], split: usize) -> io::Result<usize> {
    let split = split.min(into.len());
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = [
        libc::iovec { iov_base: address as *mut libc::c_void, iov_len: split },
        libc::iovec { iov_base: address.wrapping_add(split as u64) as *mut libc::c_void, iov_len: into.len() - split },
    ];
    // SAFETY: the kernel writes at most `into.len()` bytes into `into`; the remote addresses are never dereferenced on our side.
    let count = unsafe { libc::process_vm_readv(pid as libc::pid_t, &raw const local, 1, remote.as_ptr(), 2, 0) };
    if count < 0 { Err(io::Error::last_os_error()) } else { Ok(count as usize) }
}

/// Writes all of `bytes` at `address` of `pid`.
///
/// # Errors
/// As [`read`]; a partial write is `EFAULT`.
pub fn write(pid: u32, address: u64, bytes: &[u8]) -> io::Result<()> {
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: `local` describes `bytes`, which the call only reads; the remote address is only interpreted by the kernel in the other process.
    let count = unsafe { libc::process_vm_writev(pid as libc::pid_t, &raw const local, 1, &raw const remote, 1, 0) };
    match usize::try_from(count) {
        Ok(count) if count == bytes.len() => Ok(()),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}
