//! The thief is its dependency.
