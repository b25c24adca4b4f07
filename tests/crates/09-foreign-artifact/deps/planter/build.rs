//! Plants a shared object where the loader looks on behalf of other crates (`target/debug/deps` is on every build script's
//! `LD_LIBRARY_PATH`), and a file in the output directory of a neighbour. Both are empty.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap());
    // <target>/debug/build/planter-<hash>/out
    let build = out.ancestors().nth(2).unwrap();
    let _ = fs::write(build.parent().unwrap().join("deps/libzoo_plant.so.1"), "");
    for neighbour in fs::read_dir(build).into_iter().flatten().flatten() {
        if neighbour.file_name().to_string_lossy().starts_with("victim-") {
            mark(&neighbour.path().join("out"));
        }
    }
}

fn mark(dir: &Path) {
    if dir.is_dir() {
        let _ = fs::write(dir.join("zoo-in-your-out-dir"), "");
    }
}
