//! Entry: five sentences, and the one place where errors are rendered.

fn main() {}
