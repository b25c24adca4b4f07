//! Brig runs cargo so that every piece of third-party code which executes along the way runs behind its own kernel wall, is watched by
//! its own listener, and ends up in a report that says which crate did what.
//!
//! Data flows one way: `cli → plan → launch → wall → gate → attribute → judge → report`. A room imports only rooms to its right;
//! `model` is what everyone knows, `sys` is where `unsafe` lives, `run` is the only file that knows every stage.

pub mod attribute;
pub mod cli;
pub mod demo;
pub mod gate;
pub mod judge;
pub mod launch;
pub mod model;
pub mod plan;
pub mod report;
pub mod run;
pub mod sys;
pub mod wall;
