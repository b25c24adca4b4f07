//! Needs both.

writer::write!();
