//! Needs what nobody has.
