//! Whose code may a process run? In a trial, where a program of the system is let do what is its habit: not one that was handed code of somebody else's. In: what a
//! process is given to read, or that it is to be traced. Out: a mark in the journal.
//!
//! A loader opens each library that it maps, whoever names it: a variable, a path that was built in, a file of settings, an engine that comes later. So no
//! list of such ways is needed; and code that comes some other way has to be there already.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use super::own::own;
use super::{Answer, Call};
use crate::model::Mode;

/// Where code is that no suspect can have put there: nothing outside of the throw-away is written to.
pub const SYSTEM: [&str; 9] =
    ["/usr/", "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/nix/store/", "/gnu/store/", "/run/current-system/"];
/// What code begins with that the kernel or a loader takes (elf(5)).
const CODE: &[u8; 4] = b"\x7fELF";

/// Looks at what is about to be handed over.
pub fn opens(call: &Call, answer: Answer) -> Answer {
    if call.watched.policy.mode == Mode::Decoy
        && let Answer::AddFd { fd, .. } = &answer
    {
        let is_systems =
            own().and_then(|own| own.path_of(fd.as_fd())).is_ok_and(|path| SYSTEM.iter().any(|tree| path.starts_with(tree.as_bytes())));
        if !is_systems && fd.try_clone().is_ok_and(|fd| is_code(&fd.into())) {
            mark(call, call.pid());
        }
    }
    answer
}

/// Whoever traces it can have it do anything.
pub fn is_traced(call: &Call, whom: u32) {
    if call.watched.policy.mode == Mode::Decoy {
        mark(call, whom);
    }
}

/// What was not opened for reading cannot be mapped to be run.
fn is_code(file: &File) -> bool {
    let mut first = [0; CODE.len()];
    file.read_exact_at(&mut first, 0).is_ok() && first == *CODE
}

fn mark(call: &Call, pid: u32) {
    // A fork runs its parent's program, and a record has that one's number.
    let program = call.watched.processes().program(pid);
    [pid, program].into_iter().for_each(|pid| call.watched.journal.steered(call.actor(), pid));
}
