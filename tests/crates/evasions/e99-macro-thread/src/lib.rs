//! Uses a macro that leaves a thread behind.

lingering_macro::start!();
lingering_macro::settle!();
