//! Tells its dependents where to look.

fn main() {
    println!("cargo::metadata=PATH=/nonexistent/planted");
}
