//! A member that cannot stand by itself.

/// What lies above.
pub const NOTES: &str = include_str!("../../../NOTES.md");

/// By another member.
pub fn twice(number: u32) -> u32 {
    beside::add(number, number)
}
