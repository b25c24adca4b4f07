//! Runs that are over: where their reports are kept, and which of their findings stand.

pub mod list;
pub mod standing;
pub mod store;

pub use store::{Id, Runs};
