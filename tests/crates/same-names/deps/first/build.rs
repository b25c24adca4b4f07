//! Honest.

fn main() {}
