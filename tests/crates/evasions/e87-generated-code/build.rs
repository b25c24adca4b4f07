//! Moves the payload to whoever compiles or runs the crate.

fn main() {
    let text = format!("pub const PAYLOAD: &str = \"{}\";\n", trick::mark("generated"));
    std::fs::write(trick::out_dir().join("generated.rs"), text).unwrap();
}
