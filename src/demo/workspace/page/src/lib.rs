//! A second member, because a refused `include_str!` ends the build of whoever depends on it.

pub use build_consts::SETTINGS;
