//! Has to be linked.

fn main() {}
