//! Says whose it is to whoever depends on it, and reads a file of its own package.

fn main() {
    let origin = std::fs::read_to_string("origin").unwrap();
    println!("cargo::metadata=ORIGIN={}", origin.trim());
    std::fs::write(std::env::var("OUT_DIR").unwrap() + "/made.rs", format!("pub const ORIGIN: &str = {:?};\n", origin.trim())).unwrap();
}
