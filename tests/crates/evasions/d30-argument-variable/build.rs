//! Says that it depends on a variable it does not get, whose value cargo therefore writes down; and has the compiler leave results beside
//! what cargo keeps.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=AWS_SECRET_ACCESS_KEY");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let (file, debug) = (out.join("arguments"), trick::profile_dir());
    let results = [debug.join(".fingerprint/x.s"), debug.join("build/x.ll")].map(|path| path.display().to_string());
    std::fs::write(&file, format!("harmless\n--emit=asm={}\n--emit=llvm-ir={}\n", results[0], results[1])).unwrap();
    println!("cargo::rustc-cfg=@{}", file.display());
}
