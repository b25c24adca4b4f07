//! Reads a file that looks like a secret and is not one.

fn main() {
    let text = std::fs::read_to_string(".env.example").unwrap();
    println!("cargo:warning={} lines", text.lines().count());
}
