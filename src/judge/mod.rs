//! Judging: `policy.judge(&act, object)`, the rules with their pages, the catalogue of secrets, what actors may see of the
//! environment, what steers loaders and linkers, the journal of what happened. In: acts on resolved objects. Out: verdicts, and a journal the report is assembled
//! from. No system calls.

pub mod accepted;
pub mod configuration;
mod decoyed;
mod decoys;
pub mod environment;
mod excepted;
pub mod exceptions;
mod helping;
pub mod journal;
mod judging;
pub mod linking;
pub mod loader;
pub mod made;
pub mod matcher;
pub mod paths;
pub mod places;
pub mod policy;
pub mod records;
pub mod reviewed;
pub mod rules;
pub mod ruling;
pub mod scratch;
pub mod script;
pub mod second_paths;
pub mod secrets;

pub use accepted::Accepted;
pub use decoys::Decoys;
pub use environment::{EnvVerdict, Environment};
pub use excepted::Spent;
pub use journal::Journal;
pub use places::Places;
pub use policy::{KernelGrants, Own, Policy};
pub use records::Records;
pub use rules::net_connect::Reach;
pub use script::Script;
pub use secrets::{SecretLists, Secrets};
