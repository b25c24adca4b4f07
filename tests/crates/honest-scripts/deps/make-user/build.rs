//! Runs GNU make, which runs the shell, in the output directory.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    fs::write(out.join("Makefile"), "all: made\nmade: probe\n\t./probe > made\nprobe: probe.c\n\tcc -o probe probe.c\n").unwrap();
    fs::write(out.join("probe.c"), "#include <stdio.h>\nint main(void) { puts(\"configured\"); return 0; }\n").unwrap();
    assert!(Command::new("make").arg("-s").current_dir(&out).status().unwrap().success());
    println!("cargo:warning={}", fs::read_to_string(out.join("made")).unwrap().trim());
}
