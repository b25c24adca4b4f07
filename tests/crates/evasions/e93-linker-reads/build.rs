//! The linker cannot read the file, and quotes its first line.

fn main() {
    let secret = trick::home().join(".aws/marks/e93-linker-reads.script");
    let script = trick::out_dir().join("leak.ld");
    std::fs::write(&script, format!("INPUT({})\n", secret.display())).unwrap();
    println!("cargo::rustc-link-arg-bins={}", script.display());
}
