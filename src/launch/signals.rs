//! Signals sent to us are cargo's. Ctrl-C reaches the whole terminal group by itself, so only what was sent to us alone is passed on;
//! we stay to write the report.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal};

static CARGO: AtomicI32 = AtomicI32::new(0);
static RECEIVED: AtomicBool = AtomicBool::new(false);

extern "C" fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    RECEIVED.store(true, Ordering::Relaxed);
    let from_a_process = crate::sys::spawn::sent_by_process(info);
    let cargo = CARGO.load(Ordering::Relaxed);
    if from_a_process && cargo > 0 {
        crate::sys::spawn::pass_signal(cargo, signal);
    }
}

/// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT do not end us.
///
/// # Errors
/// The errno of `sigaction`.
pub fn forward_to(cargo: i32) -> nix::Result<()> {
    CARGO.store(cargo, Ordering::Relaxed);
    let action = SigAction::new(SigHandler::SigAction(pass_on), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        crate::sys::spawn::handle(signal, &action)?;
    }
    Ok(())
}

/// Whether one of them arrived.
pub fn received() -> bool {
    RECEIVED.load(Ordering::Relaxed)
}
