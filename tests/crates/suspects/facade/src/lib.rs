//! Shows what others made, and makes nothing itself.

pub use middle::*;
