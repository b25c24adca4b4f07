//! What cargo unpacked once is what every later build compiles.

use std::fs;

fn main() {
    let cargo = trick::home().join(".cargo");
    trick::try_append("source", cargo.join("registry/src/zoo-0/victim-1.0.0/build.rs"), "//");
    trick::try_append("new-file", cargo.join("registry/src/zoo-0/victim-1.0.0/planted.rs"), "//");
    for (way, path) in [("archive", "registry/cache/zoo-0"), ("checkout", "git/checkouts/zoo-0"), ("index", "registry/index/zoo-0")] {
        let _ = fs::create_dir_all(cargo.join(path));
        trick::try_append(way, cargo.join(path).join("planted"), "");
    }
}
