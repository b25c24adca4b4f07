//! The network side of the gate: `socket`, `connect`, `sendto/sendmsg/sendmmsg`, `bind`. In: one notified call. Out: an `Answer`.
//!
//! Inet sockets are born where nothing can leave: in the actor's own network namespace (`broker`, `sockets`). An address is read once
//! (`endpoint`), judged, and used by us on the socket itself (`grip`, `connect`, `bind`) or on one of the host's that takes its place.
//! Datagrams and DNS stay inside and are relayed (`relay`, `resolver`). No connect is ever left to the kernel with the actor's own
//! pointer: by the time the kernel reads it, number and address could name a unix socket outside.

mod arrive;
mod bind;
mod birth;
pub mod broker;
mod connect;
pub mod dns;
pub mod endpoint;
mod grip;
mod known;
pub mod message;
mod neighbour;
mod options;
mod record;
mod relay;
mod resolver;
mod send;
mod sockets;
mod unix;
mod workers;

use std::io;
use std::os::fd::AsFd;

pub use bind::bind;
pub use birth::socket;
pub use broker::{ARGUMENT as BROKER_ARGUMENT, broker_main, rehearse};
pub use connect::connect;
pub use record::Recorder;
pub use send::send;
pub use sockets::Sockets;

use crate::gate::{Call, memory};
use crate::model::{Act, Hostile, Judgement, Verdict};
use crate::sys::notify;

/// The bytes of a sockaddr argument, read once.
fn read_address(call: &Call<'_>, name: &str, address: u64, length: u64) -> Result<Vec<u8>, i32> {
    // An int in the kernel: the upper half of the register means nothing.
    let length = usize::try_from(length as u32 as i32).ok().filter(|length| *length <= endpoint::LONGEST).ok_or(libc::EINVAL)?;
    read_bytes(call, name, address, length)
}

/// Bytes from the actor's memory. What cannot be read is refused and recorded.
fn read_bytes(call: &Call<'_>, name: &str, address: u64, length: usize) -> Result<Vec<u8>, i32> {
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
fn waits(call: &Call<'_>) -> Result<(), i32> {
    if notify::id_valid(call.watched.listener.as_fd(), call.id) { Ok(()) } else { Err(libc::EINTR) }
}

/// The errno of a refusal; `None` when the act may go on.
fn refusal(judgement: &Judgement) -> Option<i32> {
    match judgement.verdict {
        Verdict::Allow => None,
        Verdict::Refuse(errno) => Some(errno),
        // Only files can be redacted; anything else so judged is not understood.
        Verdict::Redact => Some(libc::EACCES),
    }
}

fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EPERM)
}
