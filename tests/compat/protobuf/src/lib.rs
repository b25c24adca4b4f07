//! What was generated must compile.

include!(concat!(env!("OUT_DIR"), "/hello.rs"));
