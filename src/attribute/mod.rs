//! Who did it: stacks of stopped threads to crates (`stack`), the facts of an exec to an actor (`identity`), and crates, objects and
//! manifest directories to packages of the build graph (`graph`). In: thread ids, exec facts, `cargo metadata`. Out: `model::Blame`,
//! `Identity`, `model::Package`.
//!
//! Everything here is evidence, never a boundary: code can forge its own stack, so nothing is allowed because of it alone (`registered` and
//! `judge::reviewed` say where a stack narrows what the build graph allows).

pub mod directives;
mod eh_frame;
pub(crate) mod frames;
pub mod graph;
pub mod identity;
pub(crate) mod invocation;
pub(crate) mod memory;
pub(crate) mod naming;
pub(crate) mod objects;
pub mod registered;
pub(crate) mod registers;
pub mod shared_libraries;
pub mod source;
pub mod stack;
mod symbols;
mod threads;
mod unwind_rules;
mod walk;
mod ways;
pub mod written;

pub use graph::Graph;
pub use identity::{ExecFacts, Identity, Light, identify};
pub use stack::{Caught, Unwinder};
