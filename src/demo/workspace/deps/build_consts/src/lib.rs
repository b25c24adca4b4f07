//! Runs no code at all: the compiler reads the user's `.env`, and the library carries it away.

pub const SETTINGS: &str = include_str!("../../../.env");
