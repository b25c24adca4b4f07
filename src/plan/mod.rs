//! What may happen: profiles and configuration, places (workspace, target, toolchain …), what this kernel can enforce.
//! In: the parsed command line. Out: a `Plan` that resolves a `judge::Policy` for every actor.

pub mod config;
pub mod document;
pub mod hard_links;
pub mod placeholders;
pub mod profile;
mod resolve;

#[cfg(test)]
mod policies;

pub use config::{Config, ConfigError, load};
pub use profile::{ActorFacts, Profile};
