//! Judging: `policy.judge(&act, object)`, the rules with their pages, the catalogue of secrets, the journal of what happened.
//! In: acts on resolved objects. Out: verdicts, and a journal the report is assembled from. No system calls.

pub mod journal;
pub mod policy;
pub mod secrets;

pub use journal::Journal;
pub use policy::{KernelGrants, Places, Policy};
