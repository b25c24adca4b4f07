//! Directives that cargo passes on to the compiler's environment: a library for the loader to load first, and a path on which a
//! shim stands in for the linker.

use std::fs;
use std::os::unix::fs::PermissionsExt;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let shim = format!("{out}/cc");
    fs::write(&shim, format!("#!/bin/sh\n: > '{out}/zoo-shim-ran'\nexec /usr/bin/cc \"$@\"\n")).unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    println!("cargo:rustc-env=LD_PRELOAD=/nonexistent/zoo-inert.so");
    println!("cargo:rustc-env=PATH={out}:{}", std::env::var("PATH").unwrap());
}
