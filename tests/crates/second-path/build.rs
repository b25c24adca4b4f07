//! The home is mounted a second time, at `$SECOND`: reads a key there, adds to a start-up file, and leaves what it may in its `OUT_DIR`.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=nowhere");
    let (home, second) = (PathBuf::from(std::env::var_os("HOME").unwrap()), PathBuf::from(std::env::var_os("SECOND").unwrap()));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let same = second.join(out.strip_prefix(&home).unwrap());
    println!("cargo::warning=own output: {}", fs::write(same.join("harmless"), "x").is_ok());
    if let Ok(text) = fs::read_to_string(second.join(".ssh/id_ed25519")) {
        println!("cargo::warning=key: {text}");
    }
    let file = fs::OpenOptions::new().append(true).create(true).open(second.join(".bashrc"));
    println!("cargo::warning=start-up file: {}", file.and_then(|mut file| file.write_all(b"# planted\n")).is_ok());
}
