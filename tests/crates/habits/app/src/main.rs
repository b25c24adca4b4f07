//! Tells what it was made of.

fn main() {
    println!("{}", app::line());
}
