//! Somebody else.
