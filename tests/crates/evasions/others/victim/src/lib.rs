//! Honest, and built before those who are after it.

include!(concat!(env!("OUT_DIR"), "/generated.rs"));
