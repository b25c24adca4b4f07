//! Looks for that value in what cargo has written down.

use std::path::Path;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    // <target>/debug/build/reader-<hash>/out
    let kept = Path::new(&out).ancestors().nth(3).unwrap().join(".fingerprint");
    let units = std::fs::read_dir(kept).unwrap().flatten().filter_map(|unit| std::fs::read_dir(unit.path()).ok());
    let texts: String = units.flatten().flatten().filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
    std::fs::write(Path::new(&out).join("found"), texts).unwrap();
}
