//! An actor's memory. Stand-in of the network branch: the gate core brings its own.

use std::io::{self, IoSliceMut};

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

/// Fills `buffer` from the actor's memory, wholly or not at all.
pub fn read(tid: u32, address: u64, buffer: &mut [u8]) -> io::Result<()> {
    if buffer.is_empty() {
        return Ok(());
    }
    let length = buffer.len();
    let remote = RemoteIoVec { base: address as usize, len: length };
    let read = process_vm_readv(Pid::from_raw(tid as i32), &mut [IoSliceMut::new(buffer)], &[remote])?;
    if read == length { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EFAULT)) }
}
