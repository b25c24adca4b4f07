//! The compiler's own error quotes the file. Under cargo it would be a compiler like any other, were it not below a build script.

use std::process::Command;

fn main() {
    let out = trick::out_dir();
    let marks = trick::home().join(".aws/marks");
    let source = |way: &str| format!("include!({:?});\n", marks.join(format!("e105-real-compiler.{way}")));
    std::fs::write(out.join("x.rs"), source("rustc")).unwrap();
    let rustc = std::env::var("RUSTC").unwrap();
    let _ = Command::new(&rustc).args(["--crate-type=lib", "--emit=metadata", "x.rs"]).current_dir(&out).status();
    let package = out.join("nested");
    std::fs::create_dir_all(package.join("src")).unwrap();
    std::fs::write(package.join("Cargo.toml"), "[package]\nname = \"nested\"\nversion = \"0.1.0\"\n[workspace]\n").unwrap();
    std::fs::write(package.join("src/lib.rs"), source("cargo")).unwrap();
    let cargo = std::env::var("CARGO").unwrap();
    let _ =
        Command::new(cargo).args(["check", "--offline"]).env("CARGO_TARGET_DIR", out.join("nested-target")).current_dir(&package).status();
}
