//! What every thread needs that answers calls.

use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, umask};

use crate::sys::{files, schedule};

/// Resolution keeps its buffers on the heap; this is ample. In bytes.
pub const STACK: usize = 256 * 1024;

/// Prepares the calling thread.
pub fn make_ready() {
    // A signal for the run is the main thread's business, and would interrupt a hand-over here.
    let _ = SigSet::all().thread_block();
    // What is created here gets the actor's mask, not ours. Where a container forbids a mask of one's own, it is the whole process's:
    // whoever writes other files (reports) gives them a mode of their own.
    files::own_umask();
    umask(Mode::empty());
    let _ = schedule::short_slices();
}
