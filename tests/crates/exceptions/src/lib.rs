//! Uses two crates whose build scripts do the same, and two macros that do.

/// What the macros saw.
pub const SEEN: [&str; 2] = [gamma::seen!(), delta::seen!()];
