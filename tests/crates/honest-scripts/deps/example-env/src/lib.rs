//! Shows its users what to put into `.env`.

pub const EXAMPLE: &str = include_str!("../.env.example");
