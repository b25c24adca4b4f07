//! Does what its neighbour does: told apart by name alone.

#[path = "../alpha/build.rs"]
mod same;

fn main() {
    same::main();
}
