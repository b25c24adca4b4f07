//! Tells who helped.

fn main() {
    println!("{}", app::HELPED);
}
