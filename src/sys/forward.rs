//! The signal handler that passes signals on to cargo. It may only do what signal-safety(7) allows.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static CARGO: AtomicI32 = AtomicI32::new(0);
static RECEIVED: AtomicBool = AtomicBool::new(false);

extern "C" fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    RECEIVED.store(true, Ordering::Relaxed);
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler.
    let code = unsafe { info.as_ref() }.map_or(libc::SI_USER, |info| info.si_code);
    let cargo = CARGO.load(Ordering::Relaxed);
    // Sent by a process (kill, sigqueue) rather than by the terminal to its whole group.
    if code <= 0 && cargo > 0 {
        // SAFETY: kill is async-signal-safe; errno is thread-local and put back.
        unsafe {
            let errno = libc::__errno_location();
            let saved = *errno;
            libc::kill(cargo, signal);
            *errno = saved;
        }
    }
}

/// From now on these signals do not end us; those sent to us alone go to `cargo`.
///
/// # Errors
/// The errno of `sigaction`.
pub fn install(cargo: i32, signals: &[Signal]) -> nix::Result<()> {
    CARGO.store(cargo, Ordering::Relaxed);
    let action = SigAction::new(SigHandler::SigAction(pass_on), SaFlags::SA_RESTART, SigSet::empty());
    for signal in signals {
        // SAFETY: the handler stores to atomics and calls kill, both async-signal-safe.
        unsafe { sigaction(*signal, &action) }?;
    }
    Ok(())
}

/// Whether one of them arrived.
pub fn received() -> bool {
    RECEIVED.load(Ordering::Relaxed)
}
