//! The compiler takes every word that begins with `@` for a file of arguments, wherever it stands.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=nowhere");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let target = out.ancestors().nth(4).unwrap();
    for (way, word, kind) in [("cfg", "harmless", "dep-info"), ("check-cfg", "cfg(harmless)", "asm")] {
        let file = out.join(way);
        let result = target.join(format!("d30-argument-file.{way}"));
        std::fs::write(&file, format!("{word}\n--emit={kind}={}\n", result.display())).unwrap();
        match way {
            "cfg" => println!("cargo::rustc-cfg=@{}", file.display()),
            _ => println!("cargo::rustc-check-cfg=@{}", file.display()),
        }
    }
}
