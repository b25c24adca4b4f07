//! The world in which code that nobody trusts is run, so that it shows what it does: a home that looks lived in, where every secret is a
//! canary, and a program that calls what the code offers. In: throw-away directories and the suspect's sources. Out: the canaries that were
//! laid, and what is called and what is not. Nothing here runs anything.

pub mod decoys;
pub mod harness;
