//! The copy of a configuration. In: its format and its text. Out: what actors get of it.

use super::format::Format;
use super::{cargo, git, jujutsu, mercurial};

/// `None` for what is no such configuration.
pub fn copy(format: Format, text: &[u8]) -> Option<Vec<u8>> {
    match format {
        Format::Git => git::copy(text),
        Format::Cargo => cargo::copy(text),
        Format::Jujutsu => jujutsu::copy(text),
        Format::Mercurial => Some(mercurial::copy(text)),
    }
}
