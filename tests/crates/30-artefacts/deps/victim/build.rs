//! Has an output directory with something in it.

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/generated.rs"), "").unwrap();
    println!("cargo:rerun-if-changed=build.rs");
}
