//! Brig runs cargo so that every piece of third-party code which executes along the way runs behind its own kernel wall, is watched by
//! its own listener, and ends up in a report that says which crate did what.
//!
//! Data flows one way, from what was typed to what is told:
//!
//! - `cli`: what was typed
//! - `plan`: what may happen: profiles, places, what this kernel can enforce
//! - `launch`: starts cargo, and stops every program it starts before its first instruction
//! - `wall`: a policy as a Landlock ruleset and a seccomp program
//! - `gate`: answers the system calls of the confined
//! - `attribute`: who that was: package, crate, function
//! - `judge`: may they; and the journal of what happened
//! - `report`: what the user gets
//! - `baseline`: what code of others was accepted to do, and what is new beside it
//! - `sink`: stands in place of the internet where a suspect is tried
//!
//! A room imports only rooms further down this list (`tests/rooms` holds that), besides `model`, the words everyone shares, and
//! `sys`, where `unsafe` lives. `run` conducts: only it knows every stage. `demo` is a stage play about it, `suspect` the world
//! in which code that nobody trusts is run for it. `fuzz` exists for tests only: it
//! throws garbage at every room that reads what others wrote.

pub mod attribute;
pub mod baseline;
pub mod cli;
pub mod demo;
#[cfg(test)]
mod fuzz;
pub mod gate;
pub mod judge;
pub mod launch;
pub mod model;
pub mod plan;
pub mod report;
pub mod run;
pub mod sink;
pub mod suspect;
pub mod sys;
pub mod wall;
