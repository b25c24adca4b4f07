//! What was downloaded.

pub const MODEL: &str = include_str!(concat!(env!("OUT_DIR"), "/model"));
