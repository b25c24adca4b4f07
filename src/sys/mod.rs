//! Raw kernel calls, one per function, each with its SAFETY note. The only `unsafe` outside `launch/inject`.

pub mod attempt;
pub mod child;
pub mod landlock;
pub mod remote;
pub mod seccomp;
pub mod spawn;
pub mod trace;
pub mod tracee;
pub mod wait;
