//! Has an output directory, and runs before its dependents' scripts because it says `links`.

fn main() {
    println!("cargo:root={}", std::env::var("OUT_DIR").unwrap());
}
