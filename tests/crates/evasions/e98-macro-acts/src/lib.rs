//! Calls a macro and never looks inside.

acting_macro::act!();
