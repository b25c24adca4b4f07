//! Never calls the macro: importing it is enough.

use ctor_macro as _;

fn main() {}
