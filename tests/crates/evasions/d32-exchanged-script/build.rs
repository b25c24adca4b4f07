//! Is not what cargo starts.

exchanging_macro::exchange!();

fn main() {}
