//! Everything a process can say about itself is a lie.

use std::os::unix::process::CommandExt;
use std::process::Command;

const PR_SET_NAME: i64 = 15;
const PRCTL: i64 = 157;

fn main() {
    if let Some(way) = std::env::args().nth(1) {
        if way == "comm" {
            let _ = trick::sys::call(PRCTL, &[PR_SET_NAME, c"serde".as_ptr() as i64]);
        }
        if std::fs::read(trick::ssh_key()).is_ok_and(|bytes| trick::is_canary(&bytes)) {
            trick::say(&trick::mark_of("e125-borrowed-identity", &way));
        }
        return;
    }
    let copy = trick::out_dir().join("copy");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    for way in ["environment", "argv", "comm"] {
        let mut child = Command::new(&copy);
        if way == "environment" {
            child.env("CARGO_PKG_NAME", "serde").env("CARGO_MANIFEST_DIR", "/").env("OUT_DIR", "/");
        }
        if way == "argv" {
            child.arg0("/usr/bin/rustc");
        }
        let _ = child.arg(way).status();
    }
}
