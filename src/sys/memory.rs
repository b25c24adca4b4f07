//! Reading another process's memory.

use std::io;

/// Copies up to `into.len()` bytes from `address` in the memory of thread `tid`; returns how many could be read, which is fewer when a
/// page of the range after the first `split` bytes is not mapped (`process_vm_readv(2)` is partial only between its ranges).
///
/// # Errors
/// `EFAULT` when nothing could be read, `ESRCH` when the thread is gone, `EPERM` when it may not be read.
pub fn read(tid: u32, address: u64, into: &mut [u8], split: usize) -> io::Result<usize> {
    let split = split.min(into.len());
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = [
        libc::iovec { iov_base: address as *mut libc::c_void, iov_len: split },
        libc::iovec { iov_base: address.wrapping_add(split as u64) as *mut libc::c_void, iov_len: into.len() - split },
    ];
    // SAFETY: the kernel writes at most `into.len()` bytes into `into`; the remote addresses are never dereferenced on our side.
    let count = unsafe { libc::process_vm_readv(tid as libc::pid_t, &raw const local, 1, remote.as_ptr(), 2, 0) };
    if count < 0 { Err(io::Error::last_os_error()) } else { Ok(count as usize) }
}
