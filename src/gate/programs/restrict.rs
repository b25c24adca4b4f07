//! `landlock_restrict_self`: a program puts itself behind a sandbox of its own, for good. Most of what it asks for afterwards is done by us,
//! whom that sandbox does not hold; so a thread of ours follows it in there, or it does not go.

use std::io;

use crate::gate::errno::fail;
use crate::gate::{Answer, Call};
use crate::sys::landlock;

/// `LANDLOCK_RESTRICT_SELF_LOG_…` (ABI 7): about the kernel's log alone.
const LOGS: u32 = 0b111;
/// `LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF`, which may come without a ruleset.
const SUBDOMAINS: u32 = 0b100;
/// `LANDLOCK_RESTRICT_SELF_TSYNC` (ABI 8): all threads of the process.
const ALL_THREADS: u32 = 0b1000;

/// Answers `landlock_restrict_self(ruleset, flags)`. It is made by the kernel: its arguments are plain numbers, and whatever ruleset a thread
/// exchanges its own for, it can only be behind more than before.
///
/// # Errors
/// The kernel's own. `EOPNOTSUPP`, as where there is no Landlock, when we cannot follow.
pub fn restrict(call: &Call) -> io::Result<Answer> {
    let flags = call.args[1] as u32;
    // What it does not know it refuses: then nobody is behind anything.
    let known = match landlock::abi()? {
        ..=6 => 0,
        7 => LOGS,
        _ => LOGS | ALL_THREADS,
    };
    if flags & !known != 0 {
        return fail(libc::EINVAL);
    }
    if call.int(0) == -1 && flags == SUBDOMAINS {
        return Ok(Answer::Continue);
    }
    match call.enters(call.int(0), flags & ALL_THREADS != 0) {
        Ok(()) => Ok(Answer::Continue),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EBADF | libc::EBADFD | libc::E2BIG | libc::ESRCH)) => Err(error),
        Err(_) => {
            call.watched.journal.lost("a program was refused a sandbox of its own: what is done for it could not be done in there");
            fail(libc::EOPNOTSUPP)
        }
    }
}
