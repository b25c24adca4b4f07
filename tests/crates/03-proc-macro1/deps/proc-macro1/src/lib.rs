//! Would be a working copy of something popular.
