//! What was downloaded.

pub const DATA: &str = include_str!(concat!(env!("OUT_DIR"), "/data"));
