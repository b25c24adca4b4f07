//! Made with the help of a program that the build script built.

include!(concat!(env!("OUT_DIR"), "/made.rs"));
