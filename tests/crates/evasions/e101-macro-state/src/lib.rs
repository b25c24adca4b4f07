//! Uses a macro that keeps things.

writing_macro::keep!();
writing_macro::find!();
