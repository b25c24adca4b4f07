//! Comes from somewhere else.

include!(concat!(env!("OUT_DIR"), "/made.rs"));
