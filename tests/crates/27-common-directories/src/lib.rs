//! Uses a macro and never looks inside.

planting_macro::plant!();
