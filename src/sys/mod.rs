//! Raw kernel calls, one per function, each with its SAFETY note. The only `unsafe` outside `launch/inject`.

pub mod attempt;
pub mod child;
pub mod files;
pub mod landlock;
pub mod memory;
pub mod notify;
pub mod seccomp;
#[cfg(test)]
pub mod testing;
pub mod trace;
