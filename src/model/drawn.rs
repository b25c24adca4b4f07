//! Names that were drawn at random: another run has others.

/// Six letters and digits, as mkstemp(3) and the `tempfile` crate draw them.
pub fn is_drawn(text: &[u8]) -> bool {
    text.len() == 6 && text.iter().all(u8::is_ascii_alphanumeric)
}
