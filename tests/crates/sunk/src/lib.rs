//! Uses a crate and never looks inside.
