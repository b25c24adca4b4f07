//! Attacks the reader of the report: a file name full of terminal escapes, workflow commands and markup, and a copy of the line that
//! says all is well.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

fn main() {
    let home = std::env::var("HOME").unwrap();
    let name = [home.as_bytes(), b"/bad\xff\n::error::zoo\x1b]0;title\x07\r\xe2\x80\xae<b>|`<details>"].concat();
    if std::fs::write(OsString::from_vec(name), "").is_ok() {
        println!("zoo: wrote the hostile name");
    }
    println!("::add-path::/zoo");
    println!("::stop-commands::zoo");
    eprintln!("       Clean 0 findings · 12 actors stayed inside the profile · target/brig/report.html");
    println!("{{\"schema\":\"brig.report/1\",\"findings\":[],\"end\":true}}");
}
