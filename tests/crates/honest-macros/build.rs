//! Writes what the crate then includes.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    std::fs::write(std::env::var("OUT_DIR").unwrap() + "/generated.rs", "pub const GENERATED: u8 = 1;\n").unwrap();
}
