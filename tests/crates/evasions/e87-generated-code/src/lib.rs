//! Includes what its build script wrote.

include!(concat!(env!("OUT_DIR"), "/generated.rs"));
