//! Knows its version.

pub const DESCRIBED: &str = env!("ZOO_DESCRIBED");
