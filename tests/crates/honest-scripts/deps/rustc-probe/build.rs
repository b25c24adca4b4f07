//! As `autocfg` does: asks the compiler for its version and lets it compile a probe from standard input.

use std::io::Write;
use std::process::{Command, Stdio};

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap();
    let version = Command::new(&rustc).arg("--version").output().unwrap();
    assert!(version.status.success());
    println!("cargo:rustc-cfg=rustc_is_{}", version.stdout.len());
    println!("cargo:rustc-check-cfg=cfg(rustc_is_{})", version.stdout.len());
    let mut probe = Command::new(&rustc);
    probe.args(["--crate-name", "probe", "--crate-type=lib", "--emit=metadata", "--out-dir"]).arg(std::env::var_os("OUT_DIR").unwrap());
    let mut child = probe.arg("-").stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"pub fn probe(x: u64) -> u64 { x.isqrt() }").unwrap();
    println!("cargo:warning=isqrt: {}", child.wait().unwrap().success());
}
