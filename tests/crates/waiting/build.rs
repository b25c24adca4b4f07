//! Says that it runs, and then goes on for a minute, with a child that does the same.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    Command::new("sleep").arg("60").spawn().unwrap();
    std::fs::write(out.join("started"), "").unwrap();
    std::thread::sleep(Duration::from_secs(60));
}
