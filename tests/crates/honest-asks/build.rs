//! Asks the toolchain by the names of its programs and by the variables cargo sets, and has a cargo of its own check a helper. As `honest-nested`, with
//! as little to compile as that takes: for cases about who is found by which name.

use std::env::var;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = var("OUT_DIR").unwrap();
    let said = |command: &mut Command| {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(output.status.success(), "{command:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for name in ["RUSTC", "RUSTDOC"] {
        let by_name = said(Command::new(name.to_lowercase()).arg("-V"));
        assert_eq!(said(Command::new(var(name).unwrap()).arg("-V")), by_name, "{name}");
    }
    assert_eq!(said(Command::new(var("CARGO").unwrap()).arg("-V")), said(Command::new("cargo").arg("-V")));
    let told = said(Command::new(var("CARGO").unwrap()).args(["metadata", "--no-deps", "--offline", "--format-version=1"]));
    assert!(told.contains("\"name\":\"app\""), "{told}");
    let target = format!("{out}/nested");
    said(Command::new("cargo").args(["check", "--offline", "--quiet", "--manifest-path=helper/Cargo.toml", "--target-dir", &target]));
    std::fs::write(format!("{out}/made.rs"), "pub const HELPED: &str = \"helped\";\n").unwrap();
}
