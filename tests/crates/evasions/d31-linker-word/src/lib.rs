//! Calls a macro and never looks inside.

running_macro::run!("search" "cfg");
