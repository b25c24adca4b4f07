//! What all network calls share: reading what their arguments point at, the network of whoever asks, and the outcome as an errno.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use super::endpoint;
use super::network::Network;
use super::record::Recorder;
use crate::gate::{Call, memory};
use crate::model::{Act, Hostile, Judgement, Verdict};
use crate::sys::notify;

/// The network of the calling actor, made if need be.
pub fn network_of(call: &Call<'_>) -> Arc<Network> {
    let watched = call.watched;
    let recorder = || Recorder { actor: watched.actor.id, policy: Arc::clone(&watched.policy), journal: Arc::clone(&watched.journal) };
    watched.sockets.network_of(watched.actor.id, recorder)
}

/// The bytes of a sockaddr argument, read once.
pub fn read_address(call: &Call<'_>, name: &str, address: u64, length: u64) -> Result<Vec<u8>, i32> {
    // An int in the kernel: the upper half of the register means nothing.
    let length = usize::try_from(length as u32 as i32).ok().filter(|length| *length <= endpoint::LONGEST).ok_or(libc::EINVAL)?;
    read_bytes(call, name, address, length)
}

/// Bytes from the actor's memory. What cannot be read is refused and recorded.
pub fn read_bytes(call: &Call<'_>, name: &str, address: u64, length: usize) -> Result<Vec<u8>, i32> {
    let mut bytes = vec![0; length];
    match memory::read(call.tid, address, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => {
            call.judge(Act::Tamper { call: name.into(), detail: Hostile::from("arguments could not be read") }, None);
            Err(libc::EFAULT)
        }
    }
}

/// Whether the call still waits. Everything under `/proc/<tid>` and in that thread's memory was the caller's only if it does.
pub fn waits(call: &Call<'_>) -> Result<(), i32> {
    if notify::id_valid(call.watched.listener.as_fd(), call.id) { Ok(()) } else { Err(libc::EINTR) }
}

/// The errno of a refusal; `None` when the act may go on.
pub fn refusal(judgement: &Judgement) -> Option<i32> {
    match judgement.verdict {
        Verdict::Allow | Verdict::Decoy => None,
        Verdict::Refuse(errno) => Some(errno),
        // Only files can be redacted; anything else so judged is not understood.
        Verdict::Redact => Some(libc::EACCES),
    }
}

/// The errno of an error of ours; `EPERM` where it is not the kernel's.
pub fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EPERM)
}
