//! Does not link, and that is the point.

fn main() {}
