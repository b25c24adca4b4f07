//! Names mean nothing: who one is was settled when cargo started one.

use std::process::Command;

fn main() {
    if let Some(way) = std::env::args().nth(1) {
        trick::try_read(&way, trick::ssh_key());
        return;
    }
    for (way, name) in [("as-rustc", "rustc"), ("as-cargo", "cargo")] {
        let copy = trick::out_dir().join(name);
        std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        let _ = Command::new(copy).arg(way).env("CARGO_PKG_NAME", "e104-named-rustc").status();
    }
}
