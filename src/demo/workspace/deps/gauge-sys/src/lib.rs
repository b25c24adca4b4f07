//! A harmless library.
