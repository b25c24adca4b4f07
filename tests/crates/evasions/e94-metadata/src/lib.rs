//! Its build script hears what another crate wants it to.
