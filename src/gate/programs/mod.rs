//! Programs: what an actor executes, and what it may do to processes that run already.
//! In: one notified call. Out: an `Answer`.

mod arguments;
pub mod exec;
pub mod ipc;
pub mod itself;
pub mod outcome;
mod program;
pub mod restrict;
pub mod schedule;
pub mod signal;
pub mod told;
mod trace;
