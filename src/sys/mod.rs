//! Raw kernel calls, one per function, each with its SAFETY note. The only `unsafe` outside `launch/inject`.

pub mod ask_first;
pub mod attempt;
pub mod catch;
pub mod child;
pub mod descriptors;
pub mod elsewhere;
pub mod files;
pub mod forward;
pub mod identity;
pub mod landlock;
pub mod limits;
pub mod memory;
pub mod netns;
pub mod notify;
pub mod pidfd;
pub mod process;
pub mod queue;
pub mod schedule;
pub mod script;
pub mod seccomp;
pub mod socket;
pub mod spawn;
pub mod stand_in;
pub mod sweep;
#[cfg(test)]
pub mod testing;
pub mod tracee;
pub mod wait;
pub mod walled;
