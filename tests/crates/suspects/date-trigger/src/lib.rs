//! Nothing but a build script.
