//! Two processes are Brig: the supervisor, which does everything, and the keeper, its subreaper, which only waits for it. Should the supervisor be
//! killed, the build's orphans become the keeper's, which ends them; should the keeper be killed, the supervisor ends the build. So
//! nothing of a build goes on unwatched, whichever of the two is hit.

use std::io;
use std::process::exit;

use nix::sys::signal::Signal;

use super::survivors;
use crate::sys::forward;
use crate::sys::spawn;
use crate::sys::wait::{Change, wait};

/// Splits. Returns in the supervisor only; the keeper exits as the supervisor does. To be called while there is one thread.
///
/// # Errors
/// When the process cannot be split.
pub fn split() -> io::Result<()> {
    split_and(|| ())
}

/// The same. Where the supervisor was killed, the keeper does `last` when all else has ended.
///
/// # Errors
/// When the process cannot be split.
pub fn split_and(last: impl FnOnce()) -> io::Result<()> {
    let keeper = std::process::id() as i32;
    nix::sys::prctl::set_child_subreaper(true)?;
    let supervisor = spawn::fork()?;
    if supervisor != 0 {
        exit(keep(supervisor, last));
    }
    // Whoever kills by name (`killall -9 cargo-brig`) hits the keeper alone, and the build is ended in good order.
    nix::sys::prctl::set_name(c"brig-supervisor")?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?;
    // It may have died before the line above.
    if nix::unistd::getppid().as_raw() != keeper {
        exit(128 + libc::SIGTERM);
    }
    Ok(())
}

/// Waits for the supervisor; the exit code to end with.
fn keep(supervisor: i32, last: impl FnOnce()) -> i32 {
    if forward::install(supervisor, &super::signals::PASSED_ON).is_err() {
        return 128 + libc::SIGTERM;
    }
    loop {
        match wait(-1, false) {
            Ok(Some((pid, Change::Exited(code)))) if pid == supervisor => return code,
            Ok(Some((pid, Change::Killed(signal)))) if pid == supervisor => {
                survivors::end(&[]);
                last();
                return 128 + signal;
            }
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return 128 + libc::SIGKILL,
            _ => {}
        }
    }
}
