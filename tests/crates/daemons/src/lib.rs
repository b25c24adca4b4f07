//! Uses crates and never looks inside.

forking_macro::nothing!();
