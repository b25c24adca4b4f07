//! Uses crates and never looks inside.
