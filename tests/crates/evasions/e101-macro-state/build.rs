//! Here so that there is an `OUT_DIR`.

fn main() {}
