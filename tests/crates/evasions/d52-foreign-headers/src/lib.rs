//! Its build script does it.
