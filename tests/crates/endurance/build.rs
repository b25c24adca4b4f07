//! Words for the compiler, `ZOO_WORDS` of them; programs that end without a call, `ZOO_RUNS` of them; and directories that are hard to remove.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

fn number(name: &str) -> usize {
    println!("cargo:rerun-if-env-changed={name}");
    std::env::var(name).map_or(0, |text| text.parse().unwrap())
}

fn main() {
    for word in 0..number("ZOO_WORDS") {
        println!("cargo:rustc-cfg=word{word}");
        println!("cargo:rustc-check-cfg=cfg(word{word})");
    }
    if number("ZOO_SHUT") > 0 {
        let tmp = std::env::temp_dir();
        fs::create_dir_all(tmp.join("shut/inner/deeper")).unwrap();
        fs::write(tmp.join("shut/inner/file"), "x").unwrap();
        for shut in ["shut/inner", "shut"] {
            fs::set_permissions(tmp.join(shut), fs::Permissions::from_mode(0o000)).unwrap();
        }
    }
    let runs = number("ZOO_RUNS");
    if runs > 0 {
        let out = std::env::var("OUT_DIR").unwrap();
        // A program that ends at once, and asks nobody anything.
        fs::write(format!("{out}/quick.s"), ".globl _start\n_start:\n mov $60, %eax\n xor %edi, %edi\n syscall\n").unwrap();
        let built =
            Command::new("cc").args(["-nostdlib", "-static", "-o"]).arg(format!("{out}/quick")).arg(format!("{out}/quick.s")).status();
        assert!(built.unwrap().success());
        for run in 0..runs {
            let words = (0..255).map(|word| format!("{run:010}{word:010}{:0>100}", "x"));
            assert!(Command::new(format!("{out}/quick")).args(words).status().unwrap().success());
        }
    }
}
