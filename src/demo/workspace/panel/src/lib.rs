//! Uses `gauge-sys` and never looks inside.
