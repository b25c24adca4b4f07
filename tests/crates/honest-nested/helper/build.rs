//! Writes what the helper says.

fn main() {
    std::fs::write(std::env::var("OUT_DIR").unwrap() + "/said", "helped").unwrap();
}
