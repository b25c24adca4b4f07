//! Does what `ZOO_ACTS` says, and goes on when it may not.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

pub fn main() {
    println!("cargo::rerun-if-env-changed=ZOO_ACTS");
    println!("cargo::rustc-env=ZOO_RAN=1");
    let workspace = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../..");
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap());
    std::fs::write(out.join("made.rs"), "pub const MADE: u8 = 1;\n").unwrap();
    // Seen from outside, where nobody is kept from writing: that the script ran.
    if let Ok(mark) = std::env::var("ZOO_MARK") {
        std::fs::write(mark, "given").ok();
    }
    for act in tool::acts() {
        match act.as_str() {
            "read" => {
                let read = std::fs::read(workspace.join("data/one.txt")).is_ok();
                std::fs::write(out.join("reads"), read.to_string()).unwrap();
            }
            "read-more" => drop(std::fs::read(workspace.join("data/two.txt"))),
            "write" => drop(std::fs::write(workspace.join("data/made.txt"), "made")),
            "exec" => drop(Command::new("/bin/echo").arg("given").output()),
            "connect" => drop(TcpStream::connect(("127.0.0.1", std::env::var("ZOO_TCP").unwrap().parse().unwrap()))),
            "secret" => drop(std::fs::read(workspace.join(".env"))),
            _ => {}
        }
    }
}
