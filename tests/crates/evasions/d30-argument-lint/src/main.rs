//! Compiled after the library: is there what the compiler was to leave?

noticing_macro::notice!("lint");

fn main() {}
