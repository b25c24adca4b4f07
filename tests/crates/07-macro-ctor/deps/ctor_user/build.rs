//! Names a macro crate and never calls it. Naming it is enough.

use ctor_macro as _;

fn main() {}
