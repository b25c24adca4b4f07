//! A build script has no terminal: neither the one of whoever started cargo, nor another of the same user's.

use std::fs::OpenOptions;
use std::io::Write;

fn main() {
    println!("cargo:rerun-if-env-changed=ZOO_OTHER");
    for (name, path) in
        [("own", Some("/dev/tty".to_owned())), ("started", std::env::var("ZOO_TERMINAL").ok()), ("other", std::env::var("ZOO_OTHER").ok())]
    {
        let Some(path) = path else { continue };
        let reads = OpenOptions::new().read(true).open(&path).is_ok();
        let writes = OpenOptions::new().write(true).open(&path).is_ok_and(|mut tty| tty.write_all(b"HEARD-OF-SCRIPT\r\n").is_ok());
        println!("cargo:warning={name} read {reads} write {writes}");
    }
}
