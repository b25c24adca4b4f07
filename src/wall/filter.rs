//! The table as a seccomp program.

use anyhow::Result;

/// What lets the launcher's own injected `sendmsg` through the filter it has just installed: the call's unused argument registers
/// 3–5 must hold these random words. The actor never sees them: registers are restored before it runs, and it cannot read its filter.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub words: [u64; 3],
}

/// The program for an actor: foreign ABIs and x32 refused, the table's rows notified, `pass` let through, everything else allowed.
///
/// # Errors
/// When the program would exceed the kernel's limit of 4096 instructions.
pub fn program(_pass: &Pass) -> Result<Vec<libc::sock_filter>> {
    todo!()
}
