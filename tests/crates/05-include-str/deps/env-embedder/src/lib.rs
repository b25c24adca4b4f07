//! No build script, no macro of its own: the compiler reads the file, and the library carries it away.

pub static SETTINGS: &str = include_str!("../../../.env");
