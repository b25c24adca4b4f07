//! Builds a shared library and says where it lies, as crates with bundled libraries do. With a file `shadow` beside it, it also leaves an empty
//! library there by the name of one that the compiler loads for itself: whoever loads it says so on standard error, and does nothing else.

use std::path::Path;
use std::process::Command;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let named = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    // A probe, with whatever is the compiler here.
    let mut probe = Command::new(named("RUSTC", "rustc"));
    probe.args(std::env::var("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}"))).args(["-o", &format!("{out}/probe"), "probe.rs"]);
    assert!(probe.status().unwrap().success());
    let cc = named("CC", "cc");
    let library = |name: &str, source: &str| {
        let made =
            Command::new(&cc).args(["-shared", "-fPIC", &format!("-Wl,-soname,{name}"), "-o", &format!("{out}/{name}"), source]).status();
        assert!(made.unwrap().success());
    };
    library("libzoo_native.so", "native.c");
    if Path::new("shadow").exists() {
        library("librt.so.1", "shadow.c");
    }
    // What the user installed.
    for generator in std::env::var("ZOO_GENERATORS").iter().flat_map(|names| names.split(' ')) {
        let said = Command::new(generator).output().unwrap_or_else(|error| panic!("{generator}: {error}"));
        assert!(said.stdout == b"7\n", "{generator}: {said:?}");
    }
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=dylib=zoo_native");
    println!("cargo:rerun-if-changed=build.rs");
}
