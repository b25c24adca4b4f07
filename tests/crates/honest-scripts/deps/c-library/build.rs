//! As `cc` does: compiles C into the output directory, archives it, and tells cargo to link it.

use std::path::Path;
use std::process::Command;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let object = Path::new(&out).join("answer.o");
    run(Command::new("gcc").args(["-O0", "-fPIC", "-c", "c/answer.c", "-o"]).arg(&object));
    run(Command::new("ar").arg("crsD").arg(Path::new(&out).join("libzoo_answer.a")).arg(&object));
    std::fs::copy("c/answer.h", Path::new(&out).join("answer.h")).unwrap();
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=static=zoo_answer");
    println!("cargo:include={out}");
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
