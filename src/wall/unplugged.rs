//! A seccomp program for helpers of ours: they read files, start programs, and reach nobody. Out: BPF instructions.
//!
//! What they may not follows from the table of calls: whatever an actor's gate would have to judge, but opens, which Landlock rules, and programs. So no socket is
//! made, nothing is changed that Landlock knows nothing of (modes, owners, times), no other process is signalled, traced or slowed down, no terminal is typed into
//! or taken, and the machine is left alone.

use anyhow::Result;

use super::filter::program_of_a_helper;
use crate::model::calls::Treatment;

/// Refused with `EACCES`.
///
/// # Errors
/// On an architecture seccompiler does not know.
pub fn program() -> Result<Vec<libc::sock_filter>> {
    program_of_a_helper(|treatment| {
        use Treatment::{Exec, Memfd, Open, Restrict, Watch};
        matches!(treatment, Open | Watch | Exec | Memfd | Restrict)
    })
}
