//! Compiles secrets into itself. The paths lead from here to the home.

pub static STR: &str = include_str!("../../../.aws/marks/e95-include-str.str");
pub static BYTES: &[u8] = include_bytes!("../../../.aws/marks/e95-include-str.bytes");
pub static DOTENV: &str = include_str!("../../.env.local");
