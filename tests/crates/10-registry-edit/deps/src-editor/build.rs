//! Edits the unpacked source of another crate, which the next build will compile.

use std::fs::OpenOptions;
use std::io::Write;

fn main() {
    let path = std::env::var("CARGO_HOME").unwrap() + "/registry/src/zoo-0/victim-1.0.0/build.rs";
    if let Ok(mut file) = OpenOptions::new().append(true).open(path) {
        let _ = file.write_all(b"// zoo was here\n");
    }
}
