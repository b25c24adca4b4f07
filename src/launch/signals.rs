//! Signals sent to us are cargo's. Ctrl-C reaches the whole terminal group by itself, so only what was sent to us alone is passed on;
//! we stay to write the report.

use nix::sys::signal::Signal;

use crate::sys::forward;

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT do not end us.
///
/// # Errors
/// The errno of `sigaction`.
pub fn forward_to(cargo: i32) -> nix::Result<()> {
    forward::install(cargo, &[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT])
}

/// Whether one of them arrived.
pub fn received() -> bool {
    forward::received()
}
