//! The real one was a working copy of `proc-macro2`. The build script is the point.
