//! A helper of ours put behind walls before it becomes its program: `std::process::Command` with a Landlock domain and a seccomp program.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{landlock, seccomp};

/// From the moment the command is spawned, it and all it starts live behind `ruleset` and `filter`. What cannot be applied fails the spawn.
pub fn behind(command: &mut Command, ruleset: OwnedFd, filter: Vec<libc::sock_filter>) {
    let enter = move || -> io::Result<()> {
        nix::sys::prctl::set_no_new_privs()?;
        landlock::restrict_self(ruleset.as_fd())?;
        seccomp::enter(&filter)
    };
    // SAFETY: the closure makes three system calls on memory and a descriptor it owns; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(enter) };
}
