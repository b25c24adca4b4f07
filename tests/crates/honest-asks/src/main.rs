//! Made with what the build script was told.

include!(concat!(env!("OUT_DIR"), "/made.rs"));

fn main() {
    println!("{HELPED}");
}
