//! Nothing here: the build script is the crate.
