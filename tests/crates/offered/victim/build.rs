//! Has a directory for results, and nothing in it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
