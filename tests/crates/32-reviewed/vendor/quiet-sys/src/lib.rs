//! Has an OUT_DIR.
