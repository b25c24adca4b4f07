//! For a cargo that a build script starts.

/// Says one word.
pub const SAID: &str = "helped";
