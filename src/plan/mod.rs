//! What may happen: profiles and configuration, places (workspace, target, toolchain …), what this kernel can enforce.
//! In: cargo's arguments, its environment, files of the user's. Out: `judge::Places`, and a `Profile` that resolves a `judge::Policy` for every actor.

pub mod actor_facts;
pub mod behaviours;
mod cargo_files;
pub mod cargo_prepared;
pub mod cargo_stand;
pub mod cargo_table;
pub mod cargo_wall;
pub mod carried;
pub mod compiler_caches;
pub mod config;
pub mod configured;
pub mod credentials;
pub mod doctor;
pub mod document;
pub mod errand;
pub mod excepted;
pub mod exceptions;
pub mod file_url;
pub mod floor;
pub mod grants;
pub mod hard_links;
pub mod histories;
pub mod host;
pub mod imports;
mod included;
pub mod installed;
mod kernel_grants;
mod layer;
pub mod loosening;
pub mod malicious;
pub mod mounts;
mod named_places;
pub mod own_calls;
pub mod own_files;
pub mod phases;
pub mod placeholders;
pub mod places;
pub mod profile;
pub mod proven;
pub mod public;
pub mod published;
pub mod quoted;
mod reals;
pub mod reasons;
pub mod remembered;
mod resolve;
mod results;
pub mod reviewed;
pub mod rustup;
mod scripts;
pub mod steered;
pub mod steering;
pub mod tracked;
pub mod units;
pub mod users_tools;
pub mod whose;

#[cfg(test)]
mod policies;

pub use actor_facts::ActorFacts;
pub use config::{Config, load};
pub use document::ConfigError;
pub use profile::Profile;
pub use resolve::linked;
