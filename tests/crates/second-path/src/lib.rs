//! What its build script does is all.
