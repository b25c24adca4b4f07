//! What counts is the build script.
