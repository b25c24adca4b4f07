//! Signals sent to us are cargo's. Ctrl-C reaches the whole terminal group by itself, so only what was sent to us alone is passed on;
//! we stay to write the report.

use nix::sys::signal::Signal;

use crate::sys::forward;

/// What ends a program politely.
pub const PASSED_ON: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT do not end us.
///
/// # Errors
/// The errno of `sigaction`.
pub fn forward_to(cargo: i32) -> nix::Result<()> {
    forward::install(cargo, &PASSED_ON)
}

/// Whether one of them arrived.
pub fn received() -> bool {
    forward::received()
}
