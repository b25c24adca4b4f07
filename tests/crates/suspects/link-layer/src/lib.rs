//! Can be called.

pub fn answer() -> u32 {
    42
}
