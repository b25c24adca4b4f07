//! Raw kernel calls, one per function, each with its SAFETY note. The only `unsafe` outside `launch/inject`.

pub mod remote;
pub mod spawn;
pub mod tracee;
pub mod wait;
pub mod attempt;
pub mod child;
pub mod landlock;
pub mod seccomp;
pub mod trace;
