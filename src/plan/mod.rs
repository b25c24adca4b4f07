//! What may happen: profiles and configuration, places (workspace, target, toolchain …), what this kernel can enforce.
//! In: cargo's arguments, its environment, files of the user's. Out: `judge::Places`, and a `Profile` that resolves a `judge::Policy` for every actor.

pub mod config;
pub mod credentials;
pub mod doctor;
pub mod document;
pub mod hard_links;
pub mod host;
pub mod loosening;
pub mod phases;
pub mod placeholders;
pub mod places;
pub mod profile;
mod resolve;
pub mod reviewed;
mod scripts;
pub mod steering;
mod tries;

#[cfg(test)]
mod policies;

pub use config::{Config, ConfigError, load};
pub use profile::{ActorFacts, Profile};
